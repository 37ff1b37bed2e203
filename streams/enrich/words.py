"""Crisis words and cues by language, from versioned data files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from itertools import compress
from typing import Any

import ahocorasick_rs
import yaml

from streams.enrich.fold import TOKEN, fold, words_of
from streams.enrich.stories import lanes, votes_of

#: Labels sorted, salient words in order, and votes of the near-copy signature.
Read = tuple[tuple[str, ...], tuple[str, ...], bytes]

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS_KEPT = 100_000
_SETS_KEPT = 20_000
LANGUAGES = ("en", "fr", "de", "es", "it", "pt", "ar", "hi")
#: What a text may sound like; ``fact_check`` and ``petition`` also come from the hosts of its links.
CUES = ("first_person", "hearsay", "question", "denial", "fact_check", "petition", "employee", "customer", "investor")

#: Hosts of organisations that check facts (signatories of the IFCN code or widely cited; shipped list, kept by hand).
FACT_CHECK_HOSTS = frozenset({
    "snopes.com", "politifact.com", "factcheck.org", "fullfact.org", "leadstories.com", "factcheck.afp.com", "factuel.afp.com",
    "hoaxbuster.com", "conspiracywatch.info", "correctiv.org", "mimikama.org", "faktencheck.afp.com",
    "maldita.es", "newtral.es", "pagellapolitica.it", "bufale.net", "butac.it", "facta.news", "aosfatos.org", "lupa.uol.com.br",
    "poligrafo.sapo.pt", "boatos.org", "fatabyyano.net", "misbar.com", "altnews.in", "boomlive.in", "vishvasnews.com", "newschecker.in",
})  # fmt: skip
#: Sections of the press that check facts: how their canonical links begin.
FACT_CHECK_SECTIONS = (
    "https://francetvinfo.fr/vrai-ou-fake", "https://lemonde.fr/les-decodeurs", "https://liberation.fr/checknews",
    "https://reuters.com/fact-check", "https://apnews.com/ap-fact-check", "https://apnews.com/hub/ap-fact-check",
    "https://usatoday.com/news/factcheck", "https://dpa-factchecking.com/", "https://br.de/nachrichten/faktenfuchs",
)  # fmt: skip
#: Hosts where people sign petitions.
PETITION_HOSTS = frozenset({
    "change.org", "avaaz.org", "petition.parliament.uk", "mesopinions.com", "petitions.net", "openpetition.de", "campact.de",
    "care2.com", "thepetitionsite.com", "38degrees.org.uk", "ipetitions.com", "moveon.org", "peticaopublica.com",
})  # fmt: skip


class _WordTable(dict[str, int]):
    """{word: its lanes for the near-copy signature, 0 where it is not salient}, filled as words come; `trim` bounds it."""

    def __init__(self, stop: frozenset[str], labels: Callable[[str], tuple[str, ...]], keys: frozenset[str]) -> None:
        super().__init__()
        self._stop = stop
        self._labels = labels
        self._keys = keys
        #: Words with labels, and keys of phrases, among those of the table.
        self.labelled: frozenset[str] = frozenset()

    def __missing__(self, word: str) -> int:
        if word in self._keys or self._labels(word):
            self.labelled |= {word}
        salient = len(word) > 2 and word not in self._stop and not word[0].isdigit() and "@" not in word
        value = self[word] = lanes(word) if salient else 0
        return value

    def trim(self) -> None:
        """Forget all words: between two runs of texts, since what is forgotten within one would be missed."""
        self.clear()
        self.labelled = frozenset()


class Lexicon:
    """The words of one language (with the English ones, which every language borrows)."""

    def __init__(self, language: str, version: str, entries: dict[str, tuple[str, ...]], stop: frozenset[str]) -> None:
        self.language = language
        self.version = version
        self.stop = stop
        self._words = {word: labels for word, labels in entries.items() if TOKEN.fullmatch(word)}
        self._stems = {word[:-1]: labels for word, labels in entries.items() if word.endswith("*") and TOKEN.fullmatch(word[:-1])}
        self._phrases = sorted(word for word in entries if word not in self._words and word[:-1] not in self._stems)
        self._phrase_labels = [entries[phrase] for phrase in self._phrases]
        self._open = [phrase.endswith("*") for phrase in self._phrases]
        patterns = [phrase.rstrip("*") for phrase in self._phrases]
        self._find = _finder(patterns) if patterns else None
        self._shortest = min(map(len, self._stems), default=1)
        # A phrase is looked for where its longest whole word is; one without such a word, always.
        keys = [_key(phrase) for phrase in self._phrases]
        self._keys, self.always = frozenset(filter(None, keys)), "" in keys
        self.table = _WordTable(stop, self.labels_of, self._keys)
        #: {labelled words and keys of a text: (whether phrases are looked for, labels of the words)}; few sets come again and again.
        self._known: dict[frozenset[str], tuple[bool, tuple[str, ...]]] = {}

    def labels(self) -> frozenset[str]:
        """Return every label that this lexicon can give."""
        return frozenset(label for entry in (*self._words.values(), *self._stems.values(), *self._phrase_labels) for label in entry)

    def labels_of(self, word: str) -> tuple[str, ...]:
        """Return the labels of one folded word."""
        found = list(self._words.get(word, ()))
        for end in range(self._shortest, len(word) + 1):
            found += self._stems.get(word[:end], ())
        return tuple(found)

    def read(self, folded: str, words: dict[str, None]) -> Read:
        """Read one text, as `read_all` does."""
        ((labels,), (terms,), (votes,)) = read_all((self,), (folded,), (words,))
        return labels, terms, votes

    def labels_in(self, folded: str, hits: frozenset[str]) -> tuple[str, ...]:
        """Return the labels of a text, sorted; ``hits`` are those of its words that `_WordTable.labelled` holds."""
        search, labels = self._known.get(hits) or self._learn(hits)
        if search and (found := self._phrases_in(folded)):
            return tuple(sorted({*labels, *found}))
        return labels

    def _learn(self, hits: frozenset[str]) -> tuple[bool, tuple[str, ...]]:
        if len(self._known) >= _SETS_KEPT:
            self._known.clear()
        labels = tuple(sorted({label for word in hits for label in self.labels_of(word)}))
        known = self._known[hits] = (self.always or not self._keys.isdisjoint(hits), labels)
        return known

    def _phrases_in(self, folded: str) -> list[str]:
        """Return the labels of the phrases that stand in a text as whole words."""
        labels: list[str] = []
        if self._find is None:
            return labels
        for pattern, start, end in self._find(folded, overlapping=True):
            if start and folded[start - 1].isalnum():
                continue
            if not self._open[pattern] and end < len(folded) and folded[end].isalnum():
                continue
            labels += self._phrase_labels[pattern]
        return labels


def read_all(
    lexicons: Sequence[Lexicon], folds: Sequence[str], words: Sequence[dict[str, None]]
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]], list[bytes]]:
    """Return what the lexicon of its language reads of each text, as columns of `Read`; ``words`` are its distinct folded words in order.

    One step for all texts after the other, as in `ahead`. Labels are ``category:word`` for crisis words, ``cue:name`` for cues.
    """
    for one in set(lexicons):
        if len(one.table) > _WORDS_KEPT:
            one.table.trim()
    features = [list(map(one.table.__getitem__, distinct)) for one, distinct in zip(lexicons, words, strict=True)]
    terms = [tuple(compress(distinct, found)) for distinct, found in zip(words, features, strict=True)]
    votes = votes_of(features, list(map(len, terms)))
    hits = [one.table.labelled.intersection(distinct) for one, distinct in zip(lexicons, words, strict=True)]
    labels = [one.labels_in(folded, some) if some or one.always else () for one, folded, some in zip(lexicons, folds, hits, strict=True)]
    return labels, terms, votes


def _finder(patterns: list[str]) -> Callable[..., list[tuple[int, int, int]]]:
    """Return what finds phrases; so few may take the memory of the quickest way."""
    quickest = ahocorasick_rs.AhoCorasick(patterns, store_patterns=False, implementation=ahocorasick_rs.Implementation.DFA)
    find: Callable[..., list[tuple[int, int, int]]] = quickest.find_matches_as_indexes
    return find


def _key(phrase: str) -> str:
    """Return the longest word of a phrase that a text with it must have as a whole, "" for none."""
    words = words_of(phrase)
    if phrase.endswith("*"):
        words = words[:-1]
    return max(words, key=len, default="")


@cache
def _read(language: str) -> dict[str, Any]:
    text = files("streams.enrich").joinpath("data", "crisis_words", f"{language}.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.load(text, Loader=_Loader)
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
