"""Everything of a mention but its brands and its polarity: pure functions of one mention and versioned data."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.mention import Author
from streams.enrich.authors import PUBLIC_VERIFIED_FOLLOWERS, AuthorHasher, is_public_figure, organic, shipped_press
from streams.enrich.chinese import chinese_cues
from streams.enrich.fold import words_of
from streams.enrich.language import LanguageFinder
from streams.enrich.stories import MAX_TERMS, host_of
from streams.enrich.words import FACT_CHECK_HOSTS, FACT_CHECK_SECTIONS, LANGUAGES, PETITION_HOSTS, lexicon, stop_words

_MAX_COUNT = 2**53


#: What a text says: language, crisis words, cues, salient terms in order, and the votes of its near-copy signature.
Said = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], bytes]
#: Who says it: keyed hash, followers, organic weight in thousandths with its reasons, marks.
Speaker = tuple[str, int, int, tuple[str, ...], tuple[str, ...]]

_NOBODY: Speaker = ("", 0, 1000, (), ())
_QUESTION = ("question",)


class TextReader:
    """Finds what texts say."""

    def __init__(self) -> None:
        self._languages = LanguageFinder({language: stop_words(language) for language in LANGUAGES})
        for language in LANGUAGES:
            lexicon(language)  # read now, so that no mention waits for it

    def read(self, plain: str, folded: str, claim: str | None, links: Sequence[str]) -> Said:
        """Read a clean text without URLs, given also folded; ``claim`` is the publisher's language, ``links`` are canonical."""
        words = dict.fromkeys(words_of(folded))
        lang = self._languages.find(plain, claim, words)
        labels, terms, votes = lexicon(lang).read(folded, words)
        if lang == "zh":
            labels = [*labels, *("cue:" + cue for cue in chinese_cues(plain))]
        question = "?" in plain or "\u061f" in plain
        if len(terms) > MAX_TERMS:
            terms = terms[:MAX_TERMS]
        if not labels and not links:
            return lang, (), _QUESTION if question else (), terms, votes
        cues = {label[4:] for label in labels if label[:4] == "cue:"}
        crisis = tuple([label for label in labels if label[:4] != "cue:"]) if len(cues) < len(labels) else ()
        if question:
            cues.add("question")
        for link in links:
            host = host_of(link)
            if _host_in(host, FACT_CHECK_HOSTS) or link.startswith(FACT_CHECK_SECTIONS):
                cues.add("fact_check")
            if _host_in(host, PETITION_HOSTS):
                cues.add("petition")
        return lang, crisis, tuple(sorted(cues)), terms, votes


class SpeakerReader:
    """Finds who speaks; ``author_key`` is the key of the hash that stands for an author."""

    def __init__(self, author_key: str) -> None:
        self._hash = AuthorHasher(author_key).hash
        self._press = shipped_press()

    def read(self, author: Author | None, handle: str, network: str, published_ms: int) -> Speaker:
        """Read the author of a mention; ``handle`` is the author's folded one."""
        if author is None:
            return _NOBODY
        followers = author.followers or 0
        weight, reasons = organic(author, published_ms)
        marks: tuple[str, ...] = ()
        if author.verified:
            marks = ("verified",)
        if followers >= PUBLIC_VERIFIED_FOLLOWERS and is_public_figure(author):
            marks = (*marks, "public_figure")
        return self._hash(network, author), min(followers, _MAX_COUNT) if followers > 0 else 0, weight, reasons, marks

    def is_press(self, network_class: str, handle: str, url: str, press: frozenset[str]) -> bool:
        """Say whether the press speaks: by its network, its handle, or where its article stands; ``press`` is the watchlist's list."""
        if network_class == "press" or (handle and (handle in self._press or handle in press)):
            return True
        host = host_of(url) if url else ""
        return bool(host) and (_host_in(host, self._press) or (bool(press) and _host_in(host, press)))


def _host_in(host: str, hosts: frozenset[str]) -> bool:
    """Say whether ``host`` or a domain above it is in the list."""
    while host:
        if host in hosts:
            return True
        host = host.partition(".")[2]
    return False
