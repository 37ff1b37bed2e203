"""Text made comparable: case and accents folded, characters that only disturb removed, tokens, camel-case hashtags split."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

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


class _Gaps(dict[str, str]):
    """{character: a space where it is part of no word, else itself}, filled as characters come."""

    def __missing__(self, char: str) -> str:
        value = self[char] = char if TOKEN.match(char) else " "
        return value


_CHARS = _Chars()
_GAPS = _Gaps()
_surrogate = re.compile("[\ud800-\udfff]").search
_beyond_ascii = re.compile("[^\x00-\x7f]").findall
_handles_and_tokens = re.compile(TOKEN.pattern.replace("[", "[@", 1)).findall
#: Every ASCII character that is neither part of a word nor ``@`` becomes a space; NUL, which is in no clean text, stays.
_SPACES = bytes(code if code > 127 or chr(code).isalnum() or chr(code) in "\0_@" else 32 for code in range(256))


def fold(text: str) -> str:
    """Return ``text`` in one case and without accents; equal words of different spelling become equal."""
    folded = text.lower()
    if text.isascii():
        return folded
    # Few different characters of a text are not ASCII, so that replacing each of them costs less than translating all.
    for char in set(_beyond_ascii(folded)):
        plain = _CHARS[char]
        if plain != char:
            folded = folded.replace(char, plain)
    return folded


def fold_all(texts: Iterable[str]) -> list[str]:
    """Return `fold` of each text; what is ASCII costs no call."""
    return [text.lower() if text.isascii() else fold(text) for text in texts]


def words_of(folded: str) -> list[str]:
    """Return the words of a folded text without URLs; a handle is a word that begins with ``@``."""
    return words_of_all((folded,))[0]


def words_of_all(folds: Sequence[str]) -> list[list[str]]:
    """Return for each folded text what `words_of` returns: one step for all of them after the other, as in `ahead`."""
    # Emoji and foreign quotes gone, most folded texts are ASCII, which is much faster to cut.
    plains = [folded if folded.isascii() else _with_gaps(folded) for folded in folds]
    latin = [plain for plain in plains if plain.isascii()]
    # Cut as one text where no text holds what parts them.
    parts = "\0".join(latin).encode().translate(_SPACES).decode().split("\0")
    if len(parts) != len(latin):
        parts = [plain.encode().translate(_SPACES).decode() for plain in latin]
    found = list(map(str.split, parts))
    if len(latin) == len(plains):
        return found
    rest = iter(found)
    return [next(rest) if plain.isascii() else _handles_and_tokens(plain) for plain in plains]


def _with_gaps(folded: str) -> str:
    """Put a space for every character beyond ASCII that is part of no word."""
    for char in set(_beyond_ascii(folded)):
        if _GAPS[char] == " ":
            folded = folded.replace(char, " ")
    return folded


def clean(text: str) -> str:
    """Return ``text`` in NFC without control characters, direction marks and lone surrogates."""
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    # No character that goes is printable.
    return text if text.isprintable() else _CONTROL.sub("", text)


def without_surrogates(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates by U+FFFD, so that the text can be written as UTF-8."""
    if _surrogate(text) is None:
        return text
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), dtype="<u2").copy()
    kind = units & 0xFC00
    high, low = kind == 0xD800, kind == 0xDC00
    # All at once: a codec's error handler is called for each one, and a text may hold thousands.
    lone = high | low
    paired = high[:-1] & low[1:]
    lone[:-1] &= ~paired
    lone[1:] &= ~paired
    units[lone] = 0xFFFD
    return units.tobytes().decode("utf-16-le")


def split_hashtag(tag: str) -> str:
    """Return the words of a hashtag without ``#``, folded: ``BoycottUnited_now`` gives ``boycott united now``."""
    return fold(" ".join(_CAMEL.findall(tag)))
