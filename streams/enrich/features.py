"""Everything of a mention but its brands and its polarity: pure functions of one mention and versioned data."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.mention import Author, Mention
from streams.enrich.authors import PUBLIC_VERIFIED_FOLLOWERS, AuthorHasher, is_public_figure, organic_all, shipped_press
from streams.enrich.chinese import chinese_cues
from streams.enrich.fold import words_of_all
from streams.enrich.language import LanguageFinder
from streams.enrich.stories import MAX_TERMS, host_of
from streams.enrich.words import FACT_CHECK_HOSTS, FACT_CHECK_SECTIONS, LANGUAGES, PETITION_HOSTS, Lexicon, lexicon, read_all, stop_words

_MAX_COUNT = 2**53
_KEPT = 20_000


#: What a text says: language, crisis words, cues, salient terms in order, and the votes of its near-copy signature.
Said = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], bytes]
#: Who says it: keyed hash, followers, organic weight in thousandths with its reasons, marks.
Speaker = tuple[str, int, int, tuple[str, ...], tuple[str, ...]]

#: Crisis words, cues, and cues when it also asks, of a text without labels.
_SILENT: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] = ((), (), ("question",))


class _Lexicons(dict[str, Lexicon]):
    """{language: its lexicon}, filled as languages come."""

    def __missing__(self, language: str) -> Lexicon:
        found = self[language] = lexicon(language)
        return found


class TextReader:
    """Finds what texts say."""

    def __init__(self) -> None:
        self._languages = LanguageFinder({language: stop_words(language) for language in LANGUAGES})
        self._lexicons = _Lexicons()
        for language in LANGUAGES:
            self._lexicons[language] = lexicon(language)  # read now, so that no mention waits for it
        self._sorted: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {}

    def read(self, plain: str, folded: str, claim: str | None, links: Sequence[str]) -> Said:
        """Read a clean text without URLs, given also folded; ``claim`` is the publisher's language, ``links`` are canonical."""
        return self.read_all((plain,), (folded,), (claim,), (links,))[0]

    def read_all(
        self, plains: Sequence[str], folds: Sequence[str], claims: Sequence[str | None], links: Sequence[Sequence[str]]
    ) -> list[Said]:
        """Read texts as `read` does: one step for all of them after the other, as in `ahead`."""
        words = list(map(dict.fromkeys, words_of_all(folds)))
        langs = self._languages.find_all(plains, claims, words)
        columns = read_all(list(map(self._lexicons.__getitem__, langs)), folds, words)
        known, said = self._sorted, []
        for plain, lang, labels, terms, votes, linked in zip(plains, langs, *columns, links, strict=True):
            if lang == "zh":
                labels = (*labels, *["cue:" + cue for cue in chinese_cues(plain)])
            if linked:
                labels = (*labels, *_link_cues(linked))
            crisis, cues, asking = (known.get(labels) or self._sort(labels)) if labels else _SILENT
            if "?" in plain or "\u061f" in plain:
                cues = asking
            said.append((lang, crisis, cues, terms if len(terms) <= MAX_TERMS else terms[:MAX_TERMS], votes))
        return said

    def _sort(self, labels: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Return the crisis words and the cues among the labels of a text, and its cues when it also asks."""
        if len(self._sorted) >= _KEPT:
            self._sorted.clear()
        cues = {label[4:] for label in labels if label[:4] == "cue:"}
        crisis = tuple([label for label in labels if label[:4] != "cue:"])
        found = self._sorted[labels] = (crisis, tuple(sorted(cues)), tuple(sorted({*cues, "question"})))
        return found


def _link_cues(links: Sequence[str]) -> list[str]:
    """Return the cues that the hosts of canonical links give."""
    cues = []
    for link in links:
        host = host_of(link)
        if _host_in(host, FACT_CHECK_HOSTS) or link.startswith(FACT_CHECK_SECTIONS):
            cues.append("cue:fact_check")
        if _host_in(host, PETITION_HOSTS):
            cues.append("cue:petition")
    return cues


class SpeakerReader:
    """Finds who speaks; ``author_key`` is the key of the hash that stands for an author."""

    def __init__(self, author_key: str) -> None:
        self._hashed = AuthorHasher(author_key).hash_all
        self._press = shipped_press()

    def read(self, mentions: Sequence[Mention], published_ms: Sequence[int]) -> list[Speaker]:
        """Read the authors of mentions: one step for all of them after the other, as in `ahead`."""
        authors = [mention.author for mention in mentions]
        keys = self._hashed([mention.network for mention in mentions], authors)
        weights = organic_all(authors, published_ms)
        followed = [0 if author is None else author.followers or 0 for author in authors]
        return [
            (
                key,
                0 if count <= 0 else count if count <= _MAX_COUNT else _MAX_COUNT,
                weight,
                reasons,
                _marks(author) if author is not None and (count >= PUBLIC_VERIFIED_FOLLOWERS or author.verified) else (),
            )
            for author, key, count, (weight, reasons) in zip(authors, keys, followed, weights, strict=True)
        ]

    def are_press(self, classes: Sequence[str], handles: Sequence[str], urls: Sequence[str], lists: Sequence[frozenset[str]]) -> list[bool]:
        """Say of each mention whether the press speaks: by its class of network, its handle, or where its article stands.

        ``urls`` are those of articles, ``lists`` those of the watchlist.
        """
        shipped = self._press
        return [
            kind == "press" or (handle != "" and (handle in shipped or handle in press)) or (url != "" and self._press_stands(url, press))
            for kind, handle, url, press in zip(classes, handles, urls, lists, strict=True)
        ]

    def _press_stands(self, url: str, press: frozenset[str]) -> bool:
        host = host_of(url)
        return bool(host) and (_host_in(host, self._press) or (bool(press) and _host_in(host, press)))


def _marks(author: Author) -> tuple[str, ...]:
    marks = ("verified",) if author.verified else ()
    return (*marks, "public_figure") if is_public_figure(author) else marks


def _host_in(host: str, hosts: frozenset[str]) -> bool:
    """Say whether ``host`` or a domain above it is in the list."""
    while host:
        if host in hosts:
            return True
        host = host.partition(".")[2]
    return False
