"""Crisis words and cues by language, from versioned data files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import ahocorasick_rs
import yaml

from streams.enrich.fold import TOKEN, fold

LANGUAGES = ("en", "fr", "de", "es", "it", "pt", "ar", "hi")
#: What a text may sound like; ``fact_check`` and ``petition`` also come from the hosts of its links.
CUES = ("first_person", "hearsay", "question", "denial", "fact_check", "petition", "employee", "customer", "investor")

#: Hosts of organisations that check facts (signatories of the IFCN code or widely cited; shipped list, kept by hand).
FACT_CHECK_HOSTS = frozenset({
    "snopes.com", "politifact.com", "factcheck.org", "fullfact.org", "leadstories.com", "factcheck.afp.com", "factuel.afp.com",
    "hoaxbuster.com", "francetvinfo.fr/vrai-ou-fake", "conspiracywatch.info", "correctiv.org", "mimikama.org", "faktencheck.afp.com",
    "maldita.es", "newtral.es", "pagellapolitica.it", "bufale.net", "butac.it", "facta.news", "aosfatos.org", "lupa.uol.com.br",
    "poligrafo.sapo.pt", "boatos.org", "fatabyyano.net", "misbar.com", "altnews.in", "boomlive.in", "vishvasnews.com", "newschecker.in",
})  # fmt: skip
#: Hosts where people sign petitions.
PETITION_HOSTS = frozenset({
    "change.org", "avaaz.org", "petition.parliament.uk", "mesopinions.com", "petitions.net", "openpetition.de", "campact.de",
    "care2.com", "thepetitionsite.com", "38degrees.org.uk", "ipetitions.com", "moveon.org", "peticaopublica.com",
})  # fmt: skip


class Lexicon:
    """The words of one language (with the English ones, which every language borrows): finds crisis words and cues."""

    def __init__(self, language: str, version: str, entries: dict[str, tuple[str, ...]], stop: frozenset[str]) -> None:
        self.language = language
        self.version = version
        self.stop = stop
        self._single = {word: labels for word, labels in entries.items() if _is_word(word)}
        self._phrases = sorted(word for word in entries if not _is_word(word))
        self._labels = [entries[phrase] for phrase in self._phrases]
        self._open = [phrase.endswith("*") for phrase in self._phrases]
        patterns = [phrase.rstrip("*") for phrase in self._phrases]
        self._find = ahocorasick_rs.AhoCorasick(patterns, store_patterns=False).find_matches_as_indexes if patterns else None

    def find(self, folded: str, words: set[str]) -> tuple[str, ...]:
        """Return the labels found, sorted: ``category:word`` for crisis words, ``cue:name`` for cues."""
        labels: list[str] = []
        for word in self._single.keys() & words:
            labels += self._single[word]
        if self._find is not None:
            length = len(folded)
            for pattern, start, end in self._find(folded, overlapping=True):
                if start and folded[start - 1].isalnum():
                    continue
                if not self._open[pattern] and end < length and folded[end].isalnum():
                    continue
                labels += self._labels[pattern]
        return tuple(sorted(set(labels))) if labels else ()


def _is_word(entry: str) -> bool:
    return TOKEN.fullmatch(entry) is not None


def _read(language: str) -> dict[str, Any]:
    text = files("streams.enrich").joinpath("data", "crisis_words", f"{language}.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    return data


@cache
def _entries(language: str) -> dict[str, tuple[str, ...]]:
    data = _read(language)
    found: dict[str, list[str]] = {}
    for category, words in data["crisis"].items():
        for word in words:
            folded = fold(str(word))
            found.setdefault(folded, []).append(f"{category}:{folded.rstrip('*')}")
    for cue, words in data["cues"].items():
        for word in words:
            found.setdefault(fold(str(word)), []).append(f"cue:{cue}")
    return {word: tuple(labels) for word, labels in found.items()}


@cache
def stop_words(language: str) -> frozenset[str]:
    """Return the folded stop words of a language; empty for one without a file."""
    if language not in LANGUAGES:
        return frozenset()
    return frozenset(fold(word) for word in str(_read(language)["stop_words"]).split())


@cache
def lexicon(language: str) -> Lexicon:
    """Return the lexicon of a language; English for one without a file."""
    if language not in LANGUAGES:
        return lexicon("en")
    entries: dict[str, tuple[str, ...]] = {}
    if language != "en":
        for word, labels in _entries("en").items():
            if crisis := tuple(label for label in labels if not label.startswith("cue:")):
                entries[word] = crisis
    for word, labels in _entries(language).items():
        entries[word] = tuple(dict.fromkeys((*entries.get(word, ()), *labels)))
    version = f"{language}-{_read(language)['version']}"
    return Lexicon(language, version, entries, stop_words(language) | _NOISE)


_NOISE = frozenset({"rt", "mt", "via", "amp", "http", "https", "www", "com", "gt", "lt", "pic", "twitter"})
