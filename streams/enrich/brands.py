"""Which brands a mention names: one pass over the folded text for all names, handles, hashtags, exclusions and context words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import ahocorasick_rs
import msgspec
import xxhash

from schemas.brand import Brand, Watchlist
from streams.enrich.fold import TOKEN, fold, split_hashtag

#: What matched, the strongest first; a brand is reported with the strongest.
MATCHED = ("owned", "handle", "hashtag", "name", "person")
_OWNED, _HANDLE, _HASHTAG, _NAME, _PERSON = range(5)

_TAG = re.compile(r"#([\w]+)")
_MAX_TAGS = 64
#: Places of a text that are weighed; one with more is a list of names, and says no more by them.
_MAX_HITS = 512
_NOT_WORD = re.compile(r"[\W_]+")
_BEFORE = re.compile(
    r"^(?:boycott(?:ez|er|e)?|boycot|boicot|boykott|delete|cancel|ban|stop|fuck|shameon|shame|honte|dump|quit|anti|pas)(.{3,})$"
)
_AFTER = re.compile(
    r"^(.{3,}?)(?:sucks|suck|fails|fail|gate|scandal|scandale|boycott|down|scam|exposed|lies|kills|arnaque|honte|isoverparty|crisis|outage|panne)$"
)
_NO_WORD_GAPS = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


#: The commonest characters that are in no word.
_GAPS = frozenset(" \n\t.,;:!?'\"()#@-/")
#: Those before which a name is a name: no handle, no hashtag.
_SIMPLE_GAPS = _GAPS - frozenset("@#")


class Match(NamedTuple):
    """One brand that a mention names. ``place`` is the brand's in the watchlist; ``matched`` one of `MATCHED`."""

    place: int
    brand: str
    matched: str


class _Use(NamedTuple):
    """What one pattern means for one brand. ``networks`` empty: every network."""

    brand: int
    kind: int
    networks: frozenset[str]
    ambiguous: bool


def _inside_word(char: str) -> bool:
    return char.isalnum() or char == "_" or (char > "\u02ff" and unicodedata.category(char)[0] == "M")


def _bound(char: str) -> bool:
    """Say whether a name that begins or ends with ``char`` needs a word boundary there."""
    return _inside_word(char) and not _NO_WORD_GAPS.match(char)


def match_hash(brand: Brand) -> str:
    """Return a short hash of everything that decides which mentions match: a change of it rebases the baseline."""
    deciding = (brand.names, sorted(brand.handles.items()), brand.hashtags, brand.exclude, brand.context, brand.owned, brand.people)
    return xxhash.xxh3_64_hexdigest(msgspec.json.encode(deciding))


class BrandMatcher:
    """A compiled watchlist. `match` costs the same for 100 and, within a factor of two, for 100,000 brands."""

    def __init__(self, watchlist: Watchlist) -> None:
        self.watchlist = watchlist
        self.version = watchlist.version
        self.brands: Sequence[Brand] = watchlist.brands
        self.press = frozenset(fold(entry).removeprefix("www.") for entry in watchlist.press)
        self._uses: dict[str, list[_Use]] = {}
        self._aux: set[str] = set()
        self._compact: dict[str, list[_Use]] = {}
        self._owned: dict[str, list[int]] = {}
        self._excluded: dict[int, frozenset[str]] = {}
        self._context: dict[int, frozenset[str]] = {}
        self._own_words: dict[int, frozenset[str]] = {}
        for index, brand in enumerate(watchlist.brands):
            self._add(index, brand)
        self._owned_somewhere = any(":" in account for account in self._owned)
        # Patterns that name a brand come first; the rest only helps to decide.
        self._patterns = [*sorted(self._uses), *sorted(self._aux - self._uses.keys())]
        self._naming = len(self._uses)
        self._matches: dict[tuple[int, int], Match] = {}
        self._tag = lru_cache(maxsize=16_384)(self._read_tag)
        self._meaning = [tuple(self._uses.get(pattern, ())) for pattern in self._patterns]
        #: Of each pattern the brand that it names whatever else is there, -1 for none; decides most mentions.
        self._plain = [self._plain_use(uses) for uses in self._meaning]
        self._helps = [pattern in self._aux for pattern in self._patterns]
        self._left = [_bound(pattern[0]) for pattern in self._patterns]
        self._right = [_bound(pattern[-1]) for pattern in self._patterns]
        automaton = ahocorasick_rs.AhoCorasick(self._patterns, store_patterns=False) if self._patterns else None
        self._find = automaton.find_matches_as_indexes if automaton else None
        del self._uses

    def _add(self, index: int, brand: Brand) -> None:
        context = frozenset(filter(None, map(fold, brand.context)))
        excluded = frozenset(filter(None, map(fold, brand.exclude)))
        names = [name for name in map(fold, brand.names) if name.strip()]
        plain = any(_NOT_WORD.search(name) is None for name in names)
        for name in names:
            ambiguous = bool(context) and (not plain or _NOT_WORD.search(name) is None)
            use = _Use(index, _NAME, frozenset(), ambiguous)
            self._put(self._uses, name, use)
            self._put(self._compact, _NOT_WORD.sub("", name), use)
        for person in filter(None, map(fold, brand.people)):
            self._put(self._uses, person, _Use(index, _PERSON, frozenset(), bool(context) or " " not in person))
        for network, handles in brand.handles.items():
            networks = frozenset() if network == "*" else frozenset((network,))
            for handle in handles:
                word = fold(handle).lstrip("@")
                if word:
                    self._put(self._uses, f"@{word}", _Use(index, _HANDLE, networks, False))
                    self._put(self._compact, _NOT_WORD.sub("", word), _Use(index, _HASHTAG, networks, bool(context)))
        for tag in brand.hashtags:
            word = fold(tag).lstrip("#")
            if word:
                self._put(self._uses, f"#{word}", _Use(index, _HASHTAG, frozenset(), False))
                self._put(self._compact, _NOT_WORD.sub("", word), _Use(index, _HASHTAG, frozenset(), False))
        for account in brand.owned:
            self._owned.setdefault(fold(account).lstrip("@"), []).append(index)
        if context:
            self._context[index] = context
            self._aux |= context
        if excluded:
            self._excluded[index] = excluded
            self._aux |= excluded

    def _plain_use(self, uses: Sequence[_Use]) -> int:
        """Return the brand that a pattern names whatever else is there, -1 for none."""
        if len(uses) != 1 or uses[0].kind != _NAME or uses[0].ambiguous or uses[0].brand in self._excluded:
            return -1
        return uses[0].brand

    @staticmethod
    def _put(table: dict[str, list[_Use]], word: str, use: _Use) -> None:
        uses = table.setdefault(word, [])
        if word and use not in uses:
            uses.append(use)

    def own_words(self, index: int) -> frozenset[str]:
        """Return the folded words of the brand's names, handles and hashtags: they say nothing about a story."""
        words = self._own_words.get(index)
        if words is None:
            brand = self.brands[index]
            handles = [handle for group in brand.handles.values() for handle in group]
            texts = [*brand.names, *handles, *brand.hashtags, *brand.owned]
            found = {word for text in texts for word in TOKEN.findall(fold(text))}
            found |= {_NOT_WORD.sub("", fold(text)) for text in texts}
            words = self._own_words[index] = frozenset(found)
        return words

    def owners(self, network: str, handle: str, author_id: str) -> list[int]:
        """Return the places of the brands that this account (folded handle, id) speaks for."""
        if not self._owned:
            return []
        found: list[int] = []
        for word in (handle, author_id):
            if word:
                found += self._owned.get(word, ())
                if self._owned_somewhere:
                    found += self._owned.get(f"{network}:{word}", ())
        return sorted(set(found)) if found else found

    def match(self, text: str, folded: str, network: str, handle: str = "", author_id: str = "") -> list[Match]:
        """Return the brands that a mention names, in the order of the watchlist.

        ``text`` is the mention's text without URLs, ``folded`` the same folded, ``handle`` the author's folded handle.
        """
        found: dict[int, int] = {}
        if self._owned and (self._owned_somewhere or handle in self._owned or author_id in self._owned):
            found = dict.fromkeys(self.owners(network, handle, author_id), _OWNED)
        hay = folded
        tagged: list[_Use] = []
        if "#" in folded:
            for tag in dict.fromkeys(_TAG.findall(text)[:_MAX_TAGS]):
                words, uses = self._tag(tag)
                hay += words
                tagged += uses
        hits: Sequence[tuple[int, int, int]] = self._find(hay, overlapping=True) if self._find is not None else ()
        if len(hits) == 1 and hay is folded and not found:
            # One plain name between gaps: what `_weigh` would find, sooner.
            pattern, start, end = hits[0]
            if (
                (brand := self._plain[pattern] if pattern < self._naming else -1) >= 0
                and (start == 0 or hay[start - 1] in _SIMPLE_GAPS)
                and (end == len(hay) or hay[end] in _SIMPLE_GAPS)
            ):
                pair = (brand, _NAME)
                return [self._matches.get(pair) or self._matched(pair)]
        if len(hits) > _MAX_HITS:
            hits = hits[:_MAX_HITS]
        if hits or tagged:
            self._weigh(hay, len(folded), hits, tagged, network, found)
        known = self._matches
        return [known.get(pair) or self._matched(pair) for pair in (sorted(found.items()) if len(found) > 1 else found.items())]

    def _matched(self, pair: tuple[int, int]) -> Match:
        index, kind = pair
        match = self._matches[pair] = Match(index, self.brands[index].id, MATCHED[kind])
        return match

    def _read_tag(self, tag: str) -> tuple[str, tuple[_Use, ...]]:
        """Return what a hashtag adds to the text that is searched, and what it says as a whole."""
        split = split_hashtag(tag)
        word = _NOT_WORD.sub("", fold(tag))
        return "\n" + split if " " in split else "", tuple(self._compact.get(word) or self._affixed(word))

    def _weigh(
        self,
        hay: str,
        end_of_text: int,
        hits: Sequence[tuple[int, int, int]],
        tagged: Sequence[_Use],
        network: str,
        found: dict[int, int],
    ) -> None:
        naming, meaning, excluded, size = self._naming, self._meaning, self._excluded, len(hay)
        candidates: list[tuple[_Use, int, int, int]] = []
        for pattern, start, end in hits:
            if pattern >= naming or not self._stands(hay, pattern, start, end):
                continue
            before = hay[start - 1] if start else " "
            for use in meaning[pattern]:
                brand, kind, networks, ambiguous = use
                if kind == _NAME:
                    if before == "@":
                        continue
                    if before == "#" or start > end_of_text:
                        kind = _HASHTAG
                elif kind == _HANDLE:
                    domain = network == "bluesky" and end + 1 < size and hay[end] == "." and _inside_word(hay[end + 1])
                    if domain or (networks and network not in networks) or _inside_word(before):
                        continue
                if found.get(brand, 9) > kind:
                    if ambiguous or brand in excluded:
                        candidates.append((use, kind, start, end))
                    else:
                        found[brand] = kind
        candidates += [(use, _HASHTAG, -1, -1) for use in tagged if not use.networks or network in use.networks]
        present: dict[str, list[tuple[int, int]]] | None = None
        for use, kind, start, end in candidates:
            index = use.brand
            if found.get(index, 9) <= kind:
                continue
            if use.ambiguous or index in excluded:
                if present is None:
                    present = self._helpers(hay, hits)
                if not self._fits(use, start, end, present):
                    continue
            found[index] = kind

    def _stands(self, hay: str, pattern: int, start: int, end: int) -> bool:
        """Say whether a hit begins and ends at word boundaries."""
        if start and hay[start - 1] not in _GAPS and self._left[pattern] and _inside_word(hay[start - 1]):
            return False
        return end == len(hay) or hay[end] in _GAPS or not self._right[pattern] or not _inside_word(hay[end])

    def _helpers(self, hay: str, hits: Sequence[tuple[int, int, int]]) -> dict[str, list[tuple[int, int]]]:
        """Return where exclusions and context words stand."""
        present: dict[str, list[tuple[int, int]]] = {}
        for pattern, start, end in hits:
            if self._helps[pattern] and self._stands(hay, pattern, start, end):
                present.setdefault(self._patterns[pattern], []).append((start, end))
        return present

    def _fits(self, use: _Use, start: int, end: int, present: dict[str, list[tuple[int, int]]]) -> bool:
        """Say whether no exclusion covers a candidate, and an ambiguous one has its context."""
        if not present:
            return not use.ambiguous
        excluded = self._excluded.get(use.brand)
        if excluded and start >= 0 and any(s <= start and end <= e for word in excluded & present.keys() for s, e in present[word]):
            return False
        if not use.ambiguous:
            return True
        context = self._context.get(use.brand)
        return context is not None and not context.isdisjoint(present)

    def _affixed(self, word: str) -> Sequence[_Use]:
        for form in (_BEFORE, _AFTER):
            inner = form.match(word)
            if inner and (uses := self._compact.get(inner[1])):
                return uses
        return ()
