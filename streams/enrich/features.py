"""Everything of a mention but its brands and its polarity: a pure function of one mention and versioned data."""

from __future__ import annotations

import msgspec

from schemas.mention import Mention
from streams.enrich import stories
from streams.enrich.authors import AuthorHasher, is_public_figure, organic, shipped_press
from streams.enrich.language import LanguageFinder
from streams.enrich.networks import class_of
from streams.enrich.words import FACT_CHECK_HOSTS, LANGUAGES, PETITION_HOSTS, lexicon, stop_words

_MAX_COUNT = 2**53


class Features(msgspec.Struct, frozen=True, gc=False):
    """What enrichment found, before it is joined with a brand. Units as in `schemas.enriched`."""

    lang: str
    network_class: str
    kind: str
    crisis_words: tuple[str, ...]
    cues: tuple[str, ...]
    author: str
    followers: int
    organic_pm: int
    organic_reasons: tuple[str, ...]
    author_marks: tuple[str, ...]
    link: str
    url: str
    copy_key: str
    hashtags: tuple[str, ...]
    terms: tuple[str, ...]


def _host_in(host: str, hosts: frozenset[str]) -> bool:
    """Say whether ``host`` or a domain above it is in the list."""
    while host:
        if host in hosts:
            return True
        host = host.partition(".")[2]
    return False


class FeatureFinder:
    """Finds `Features`; ``analysed`` is how many characters of a text are looked at."""

    def __init__(self, author_key: str, analysed: int = 2000) -> None:
        self._hasher = AuthorHasher(author_key)
        self._languages = LanguageFinder({language: stop_words(language) for language in LANGUAGES})
        self._analysed = analysed
        self._press = shipped_press()
        for language in LANGUAGES:
            lexicon(language)  # read now, so that no mention waits for it

    def find(self, mention: Mention, plain: str, folded: str, published_ms: int, handle: str, press: frozenset[str]) -> Features:
        """Return the features of a mention with clean text.

        ``plain`` is the text without URLs, ``folded`` the same folded, ``handle`` the author's folded handle and ``press`` the
        watchlist's own press list.
        """
        limit = self._analysed
        if len(folded) > limit:
            plain, folded = plain[:limit], folded[:limit]
        distinct = dict.fromkeys(stories.words_of(folded))
        lang = self._languages.find(plain, mention.lang, distinct)
        lexicon_ = lexicon(lang)
        labels, terms, copy_key = lexicon_.read(folded, distinct)
        links = stories.links_in(mention.text[: 2 * limit]) if plain is not mention.text else []
        url = stories.canonical_url(mention.url) if mention.url else ""
        crisis, cues = self._sort_labels(labels, plain, links)
        network_class = class_of(mention.network)
        kind = "reshare" if mention.kind == "post" and stories.is_reshare(plain) else mention.kind
        author = mention.author
        weight, reasons = organic(author, published_ms)
        followers = min(max(author.followers or 0, 0), _MAX_COUNT) if author is not None else 0
        marks: list[str] = []
        host = stories.host_of(url) if url and (mention.kind == "article" or network_class == "press") else ""
        if network_class == "press" or (host and self._is_press(host, press)) or (handle and (handle in self._press or handle in press)):
            marks.append("press")
        if author is not None:
            if author.verified:
                marks.append("verified")
            if is_public_figure(author):
                marks.append("public_figure")
        return Features(
            lang,
            network_class,
            kind,
            crisis,
            cues,
            self._hasher.hash(mention.network, author),
            followers,
            weight,
            reasons,
            tuple(marks),
            url if kind == "article" and url else (links[0] if links else ""),
            url,
            copy_key,
            stories.hashtags_in(plain),
            terms[: stories.MAX_TERMS],
        )

    def _is_press(self, host: str, press: frozenset[str]) -> bool:
        return _host_in(host, self._press) or (bool(press) and _host_in(host, press))

    @staticmethod
    def _sort_labels(labels: list[str], plain: str, links: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        question = "?" in plain or "\u061f" in plain
        if not labels and not links:
            return (), (_QUESTION if question else ())
        crisis, cues = [], []
        for label in labels:
            if label[:4] == "cue:":
                cues.append(label[4:])
            else:
                crisis.append(label)
        if question:
            cues.append("question")
        for link in links:
            host = stories.host_of(link)
            if _host_in(host, FACT_CHECK_HOSTS):
                cues.append("fact_check")
            if _host_in(host, PETITION_HOSTS):
                cues.append("petition")
        return tuple(crisis), tuple(sorted(set(cues)) if len(cues) > 1 else cues)


_QUESTION = ("question",)
