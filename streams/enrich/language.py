"""The language of a text: the publisher's word where the text agrees, else pycld2, and py3langid where that doubts."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, lru_cache

import pycld2

_ALIASES = {
    "in": "id", "iw": "he", "ji": "yi", "jw": "jv", "no": "nb", "mo": "ro", "zh-hant": "zh", "zh-hans": "zh", "sco": "en", "pcm": "en",
}  # fmt: skip
_ALIASES |= dict.fromkeys(("arz", "ary", "apc", "ajp", "acm", "aeb", "acq", "ars"), "ar")
#: Letters that rule a claim out: the first code point of blocks whose scripts belong to some languages only.
_SCRIPTS = (
    ("\u0400", "\u052f", frozenset({"ru", "uk", "be", "bg", "sr", "mk", "kk", "ky", "mn", "tg", "uz", "tt"})),
    ("\u0600", "\u06ff", frozenset({"ar", "fa", "ur", "ps", "ckb", "sd", "ug"})),
    ("\u0900", "\u097f", frozenset({"hi", "mr", "ne", "sa", "kok"})),
    ("\u3040", "\u30ff", frozenset({"ja"})),
    ("\uac00", "\ud7af", frozenset({"ko"})),
)
#: What the slower library chooses from: short texts draw it to languages that hardly anyone writes there.
_COMMON = (
    "ar bg bn ca cs da de el en es et eu fa fi fr gl he hi hr hu id it ja ko "
    "lt lv ms nl no pl pt ro ru sk sl sq sr sv sw ta th tl tr uk ur vi zh"
)
_NONE = frozenset({"un", "und", "zxx", "mis", "mul"})
_ANALYSED = 600
_SURE_PERCENT = 70
#: Distinct stop words of one language that settle it, and at least one in so many words.
_VOTES, _SHARE = 3, 8


@lru_cache(maxsize=1024)
def normal(claim: str) -> str:
    """Return the two- or three-letter code of a publisher's claim; "" for none (``und``, ``qme`` and other codes of no language)."""
    code = claim.strip().lower().replace("_", "-")
    code = _ALIASES.get(code, code).split("-")[0]
    code = _ALIASES.get(code, code)
    if not 2 <= len(code) <= 3 or not code.isalpha() or not code.isascii() or code in _NONE or code.startswith("q"):
        return ""
    return code


def _script(text: str) -> frozenset[str] | None:
    """Return the languages of the script that most of a text's letters beyond Latin belong to."""
    for first, last, languages in _SCRIPTS:
        inside = sum(first <= char <= last for char in text[:120])
        if inside * 2 > min(len(text), 120):
            return languages
    return None


class _Claims(dict[str | None, str]):
    """{what a publisher says, or None: its `normal` code}, filled as claims come, as far as 1,024."""

    def __missing__(self, claim: str | None) -> str:
        if len(self) >= 1024:
            self.clear()
        code = self[claim] = normal(claim) if claim else ""
        return code


class LanguageFinder:
    """Tells languages; ``stop_words`` maps a language to its commonest folded words, which settle most claims at once."""

    def __init__(self, stop_words: Mapping[str, Collection[str]]) -> None:
        self._stop = {language: frozenset(words) for language, words in stop_words.items()}
        found: dict[str, list[str]] = {}
        for language, words in sorted(stop_words.items()):
            for word in words:
                found.setdefault(word, []).append(language)
        self._claimed = _Claims()
        #: Stop words of one language alone.
        self._telling = {word: languages[0] for word, languages in found.items() if len(languages) == 1}

    def find(self, text: str, claim: str | None, words: Collection[str]) -> str:
        """Return the language code of ``text`` (without URLs), "" when nothing tells it.

        ``claim`` is what the publisher says; ``words`` the distinct folded words.
        """
        return self.find_all((text,), (claim,), (words,))[0]

    def find_all(self, texts: Sequence[str], claims: Sequence[str | None], words: Sequence[Collection[str]]) -> list[str]:
        """Return for each text what `find` returns: one step for all of them after the other, as in `ahead`."""
        claimed = list(map(self._claimed.__getitem__, claims))
        # A stop word of the claimed language settles most.
        stops = list(map(self._stop.get, claimed))
        return [
            code if stop is not None and not stop.isdisjoint(distinct) else self._doubted(text, code, distinct)
            for text, code, stop, distinct in zip(texts, claimed, stops, words, strict=True)
        ]

    def _doubted(self, text: str, claimed: str, words: Collection[str]) -> str:
        """Return the language of a text that holds no stop word of the one that is ``claimed``."""
        if claimed:
            if len(words) < 4:
                return claimed if text.isascii() or (_script(text) or {claimed}) >= {claimed} else self._guess(text)[0]
        elif language := self._vote(words):
            return language
        language, sure = self._guess(text)
        if not claimed:
            return language
        return language if sure and language and language != claimed else claimed

    def _vote(self, words: Collection[str]) -> str:
        """Return the language whose own stop words make up much of the text, "" where that is not plain."""
        telling = self._telling
        votes = [telling[word] for word in words if word in telling]
        if len(votes) < _VOTES or len(votes) * _SHARE < len(words):
            return ""
        first = votes[0]
        others = len(votes) - votes.count(first)
        if others == 0:
            return first
        first = max(sorted(set(votes)), key=votes.count)
        return first if votes.count(first) >= _VOTES and votes.count(first) >= 6 * (len(votes) - votes.count(first)) else ""

    @staticmethod
    def _guess(text: str) -> tuple[str, bool]:
        return _guess(text[:_ANALYSED])


#: Tells most texts that hold three letters without looking at each character.
_three_letters = re.compile("[A-Za-z]{3}").search


@lru_cache(maxsize=8192)
def _guess(text: str) -> tuple[str, bool]:
    """Return (language, sure)."""
    if not _three_letters(text, 0, 40) and sum(map(str.isalpha, text[:40])) < 3:
        return "", False
    try:
        reliable, _, details = pycld2.detect(text, isPlainText=True)
    except pycld2.error:
        reliable, details = False, ()
    if details:
        code = normal(details[0][1])
        if reliable and code:
            return code, details[0][2] >= _SURE_PERCENT
    if len(text) < 12:
        return (normal(details[0][1]) if details else ""), False
    return normal(_slow_classify()(text[:200])[0]), False


def load_models() -> None:
    """Read now what the first doubtful text would wait for: half a second that a live worker's loop does not have."""
    _slow_classify()


@cache
def _slow_classify() -> Callable[[str], tuple[str, float]]:
    """Load py3langid's model on first use, which short-lived commands do not need; rare languages are left out."""
    from py3langid import langid

    langid.set_languages(_COMMON.split())
    classify: Callable[[str], tuple[str, float]] = langid.classify
    return classify
