"""Text made comparable: case and accents folded, characters that only disturb removed, tokens, camel-case hashtags split."""

from __future__ import annotations

import re
import unicodedata

#: Marks that folding removes: Latin accents, Arabic vowel signs and tatweel. Indic vowel signs carry meaning and stay.
_MARKS = re.compile("[\u0300-\u036f\u064b-\u065f\u0670\u0640]+")
#: Characters that never carry meaning here: C0 and C1 controls but tab and newlines, direction and zero-width marks, BOM,
#: non-characters. ZWJ and ZWNJ stay: emoji, Persian and Hindi need them.
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ufdd0-\ufdef]+"
)
_SPECIAL = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u00f8": "o", "\u0142": "l", "\u0111": "d", "\u0131": "i"})
TOKEN = re.compile(r"[\w\u0300-\u036f\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963]+")
_CAMEL = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\dA-Za-z_]+")


class _Chars(dict[str, str]):
    """{character: what it is folded to}, filled as characters come."""

    def __missing__(self, char: str) -> str:
        plain = _MARKS.sub("", unicodedata.normalize("NFKD", char)).casefold().translate(_SPECIAL)
        plain = _MARKS.sub("", unicodedata.normalize("NFKD", plain))
        value = self[char] = char if plain == char else plain
        return value


_CHARS = _Chars()
_ASCII = frozenset(map(chr, range(128)))


def fold(text: str) -> str:
    """Return ``text`` in one case and without accents; equal words of different spelling become equal."""
    if text.isascii():
        return text.lower()
    folded = text.lower()
    # Few different characters of a text are not ASCII, so that replacing each of them costs less than translating all.
    for char in set(folded) - _ASCII:
        plain = _CHARS[char]
        if plain is not char:
            folded = folded.replace(char, plain)
    return folded


def clean(text: str) -> str:
    """Return ``text`` in NFC without control characters, direction marks and lone surrogates."""
    if text.isascii():
        return text if text.isprintable() else _CONTROL.sub("", text)
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return _CONTROL.sub("", text)


def without_surrogates(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates by U+FFFD, so that the text can be written as UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def split_hashtag(tag: str) -> str:
    """Return the words of a hashtag without ``#``, folded: ``BoycottUnited_now`` gives ``boycott united now``."""
    return fold(" ".join(_CAMEL.findall(tag)))
