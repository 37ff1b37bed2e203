"""Which brands a mention names: one pass over the folded text for all names, handles, hashtags, exclusions and context words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import ahocorasick_rs

from schemas.brand import Brand, Watchlist
from streams.enrich.fold import TOKEN, fold, split_hashtag
from streams.enrich.patterns import (
    GAPS,
    HANDLE,
    HASHTAG,
    MATCHED,
    NAME,
    OWNED,
    PERSON,
    Match,
    Plain,
    Use,
    bound,
    inner_words,
    inside_word,
)

_TAG = re.compile(r"#([\w]+)")
_MAX_TAGS = 64
#: Places of a text that are weighed; one with more is a list of names, and says no more by them.
_MAX_HITS = 512
_NOT_WORD = re.compile(r"[\W_]+")
#: So few hits are read at once where all are plain.
_FEW = 8


class BrandMatcher:
    """A compiled watchlist. `match` costs the same for 100 and, within a factor of two, for 100,000 brands."""

    def __init__(self, watchlist: Watchlist) -> None:
        self.watchlist = watchlist
        self.version = watchlist.version
        self.brands: Sequence[Brand] = watchlist.brands
        self.press = frozenset(fold(entry).removeprefix("www.") for entry in watchlist.press)
        self._uses: dict[str, list[Use]] = {}
        self._aux: set[str] = set()
        self._compact: dict[str, list[Use]] = {}
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
        self._matches: dict[tuple[int, int], tuple[Match]] = {}
        self._tag = lru_cache(maxsize=16_384)(self._read_tag)
        self._meaning = [tuple(self._uses.get(pattern, ())) for pattern in self._patterns]
        #: What each pattern means where that is plain; decides most mentions.
        self._plain = [self._plain_use(uses) for uses in self._meaning]
        #: Patterns that are nothing but names: behind an ``@`` they name nobody.
        self._only_name = [all(use.kind == NAME for use in uses) for uses in self._meaning]
        self._helps = [pattern in self._aux for pattern in self._patterns]
        excluded = frozenset().union(*self._excluded.values())
        self._excludes = [pattern in excluded for pattern in self._patterns]
        self._left = [bound(pattern[0]) for pattern in self._patterns]
        self._right = [bound(pattern[-1]) for pattern in self._patterns]
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
            use = Use(index, NAME, frozenset(), ambiguous)
            self._put(self._uses, name, use)
            self._put(self._compact, _NOT_WORD.sub("", name), use)
        for person in filter(None, map(fold, brand.people)):
            self._put(self._uses, person, Use(index, PERSON, frozenset(), bool(context) or " " not in person))
        for network, handles in brand.handles.items():
            networks = frozenset() if network == "*" else frozenset((network,))
            for handle in handles:
                word = fold(handle).lstrip("@")
                if word:
                    self._put(self._uses, f"@{word}", Use(index, HANDLE, networks, False))
                    self._put(self._compact, _NOT_WORD.sub("", word), Use(index, HASHTAG, networks, bool(context)))
        for tag in brand.hashtags:
            word = fold(tag).lstrip("#")
            if word:
                self._put(self._uses, f"#{word}", Use(index, HASHTAG, frozenset(), False))
                self._put(self._compact, _NOT_WORD.sub("", word), Use(index, HASHTAG, frozenset(), False))
        for account in brand.owned:
            self._owned.setdefault(fold(account).lstrip("@"), []).append(index)
        if context:
            self._context[index] = context
            self._aux |= context
        if excluded:
            self._excluded[index] = excluded
            self._aux |= excluded

    def _plain_use(self, uses: Sequence[Use]) -> Plain | None:
        """Return what a pattern means whatever else is there, None where it needs to be weighed."""
        if len(uses) != 1 or uses[0].ambiguous or uses[0].networks:
            return None
        return Plain(uses[0].brand, uses[0].kind, uses[0].brand in self._excluded)

    @staticmethod
    def _put(table: dict[str, list[Use]], word: str, use: Use) -> None:
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

    def match(self, text: str, folded: str, network: str, handle: str = "", author_id: str = "") -> Sequence[Match]:
        """Return the brands that a mention names, in the order of the watchlist.

        ``text`` is the mention's text without URLs, ``folded`` the same folded, ``handle`` the author's folded handle.
        """
        found: dict[int, int] = {}
        if self._owned and (self._owned_somewhere or handle in self._owned or author_id in self._owned):
            found = dict.fromkeys(self.owners(network, handle, author_id), OWNED)
        hay = folded
        tagged: list[Use] = []
        if "#" in folded:
            for tag in dict.fromkeys(_TAG.findall(text)[:_MAX_TAGS]):
                words, uses = self._tag(tag)
                hay += words
                tagged += uses
        hits: Sequence[tuple[int, int, int]] = self._find(hay, overlapping=True) if self._find is not None else ()
        if not tagged and hay is folded and 0 < len(hits) <= _FEW and self._read_plain(hay, hits, found):
            hits = ()
        if len(hits) > _MAX_HITS:
            hits = hits[:_MAX_HITS]
        if hits or tagged:
            self._weigh(hay, len(folded), hits, tagged, network, found)
        known = self._matches
        if len(found) == 1:
            (pair,) = found.items()
            return known.get(pair) or self._matched(pair)
        return [match for pair in sorted(found.items()) for match in known.get(pair) or self._matched(pair)]

    def _matched(self, pair: tuple[int, int]) -> tuple[Match]:
        index, kind = pair
        match = self._matches[pair] = (Match(index, self.brands[index].id, MATCHED[kind]),)
        return match

    def _read_tag(self, tag: str) -> tuple[str, tuple[Use, ...]]:
        """Return what a hashtag adds to the text that is searched, and what it says as a whole."""
        split = split_hashtag(tag)
        word = _NOT_WORD.sub("", fold(tag))
        return "\n" + split if " " in split else "", tuple(self._compact.get(word) or self._affixed(word))

    def _read_plain(self, hay: str, hits: Sequence[tuple[int, int, int]], found: dict[int, int]) -> bool:
        """Add what plain hits between gaps name: what `_weigh` would find, sooner. Return False where one needs to be weighed."""
        size, plain, naming, excludes = len(hay), self._plain, self._naming, self._excludes
        read: list[tuple[int, int]] = []
        unless = helped = False
        for pattern, start, end in hits:
            if excludes[pattern]:
                helped = True
            if pattern >= naming:
                continue
            before = hay[start - 1] if start else " "
            if before == "@" and self._only_name[pattern]:
                continue
            after = hay[end] if end < size else " "
            if (meant := plain[pattern]) is None or before not in GAPS or after not in GAPS:
                return False
            brand, kind, but = meant
            if kind == NAME:
                if before == "#":
                    kind = HASHTAG
            elif kind == HANDLE and after == ".":
                return False  # it may belong to a domain
            if but:
                unless = True
            read.append((brand, kind))
        if unless and helped:
            return False
        for brand, kind in read:
            if found.get(brand, 9) > kind:
                found[brand] = kind
        return True

    def _weigh(
        self,
        hay: str,
        end_of_text: int,
        hits: Sequence[tuple[int, int, int]],
        tagged: Sequence[Use],
        network: str,
        found: dict[int, int],
    ) -> None:
        naming, meaning, excluded, size = self._naming, self._meaning, self._excluded, len(hay)
        candidates: list[tuple[Use, int, int, int]] = []
        for pattern, start, end in hits:
            if pattern >= naming or not self._stands(hay, pattern, start, end):
                continue
            before = hay[start - 1] if start else " "
            for use in meaning[pattern]:
                brand, kind, networks, ambiguous = use
                if kind == NAME:
                    if before == "@":
                        continue
                    if before == "#" or start > end_of_text:
                        kind = HASHTAG
                elif kind == HANDLE:
                    domain = network == "bluesky" and end + 1 < size and hay[end] == "." and inside_word(hay[end + 1])
                    if domain or (networks and network not in networks) or inside_word(before):
                        continue
                if found.get(brand, 9) > kind:
                    if ambiguous or brand in excluded:
                        candidates.append((use, kind, start, end))
                    else:
                        found[brand] = kind
        candidates += [(use, HASHTAG, -1, -1) for use in tagged if not use.networks or network in use.networks]
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
        if start and hay[start - 1] not in GAPS and self._left[pattern] and inside_word(hay[start - 1]):
            return False
        return end == len(hay) or hay[end] in GAPS or not self._right[pattern] or not inside_word(hay[end])

    def _helpers(self, hay: str, hits: Sequence[tuple[int, int, int]]) -> dict[str, list[tuple[int, int]]]:
        """Return where exclusions and context words stand."""
        present: dict[str, list[tuple[int, int]]] = {}
        for pattern, start, end in hits:
            if self._helps[pattern] and self._stands(hay, pattern, start, end):
                present.setdefault(self._patterns[pattern], []).append((start, end))
        return present

    def _fits(self, use: Use, start: int, end: int, present: dict[str, list[tuple[int, int]]]) -> bool:
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

    def _affixed(self, word: str) -> Sequence[Use]:
        return next((uses for inner in inner_words(word) if (uses := self._compact.get(inner))), ())
