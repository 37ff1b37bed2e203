"""Hashed features of texts for the polarity model: a whole batch at once in numpy, in integers only.

A text becomes one segment ``space text space end`` of a long array of code points; addresses and user names are cut down to a
mark, letters lose their case, a run of one letter keeps three of it. Two groups of features come of it: character n-grams, which
may span words but never texts, and tokens (words, marks, emoji) with their neighbours and with negation. Nothing of one text
reaches another: the end is as long as an n-gram reaches, the same for all texts, and all sums are of integers.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Characters of a text that are read; what a mention says, it says early.
TEXT_LIMIT = 1000
#: Lengths of the character n-grams.
ORDERS = (2, 3, 4, 5)
#: Buckets of the hash space of one language, as a power of two. Bucket 0 of the words weighs nothing.
CHAR_BITS = 16
WORD_BITS = 15

WORD, SPACE, UPPER, LOWER, EMOJI, DROP, END = 1, 2, 4, 8, 16, 32, 64

#: Words that turn what the next words say, of all languages together; the weights of each language tell what a turn is worth there.
NEGATORS = (
    "not", "no", "never", "cannot", "without", "hardly", "n't", "don't", "dont", "doesn't", "doesnt", "didn't", "didnt", "isn't", "isnt",
    "wasn't", "wasnt", "aren't", "can't", "cant", "couldn't", "won't", "wont", "wouldn't", "shouldn't", "ain't", "nobody", "nothing",
    "pas", "jamais", "aucun", "aucune", "rien", "sans", "ni", "plus", "n'est", "n'a", "nicht", "kein", "keine", "keinen", "nie",
    "niemals", "ohne", "non", "mai", "nessun", "nessuna", "senza", "não", "nao", "nunca", "nem", "sem", "sin", "ningún", "ninguna",
    "jamás", "नहीं", "ना", "मत", "لا", "ليس", "لم", "لن", "ما", "مش",
)  # fmt: skip
NEGATION_REACH = 3

_TOP = 0x20000
#: What ends every text: non-characters, by turns, since equal ones would count as a run.
_END = "\ufdd0\ufdd1" * (ORDERS[-1] // 2)
_TAIL = len(_END)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_U32 = np.uint32
_MIX = _U32(0x9E3779B1)
_STEP = _U32(0x01000193)
_LEFT = _U32(0x85EBCA6B)
_RIGHT = _U32(0xC2B2AE35)
_TURNED = _U32(0x27D4EB2F)
_SKIPPED = _U32(0x165667B1)


def _tables() -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    fold = np.arange(_TOP, dtype=np.uint32)
    kind = np.zeros(_TOP, dtype=np.uint8)
    for code in range(_TOP):
        char = chr(code)
        category = unicodedata.category(char)
        if category[0] in "LNM" or char in "_'’":
            kind[code] = WORD
            if category == "Lu":
                kind[code] |= UPPER
            elif category == "Ll":
                kind[code] |= LOWER
            lower = char.lower()
            if len(lower) == 1:
                fold[code] = min(ord(lower), _TOP - 1)
        elif category[0] == "Z" or category == "Cc":
            kind[code] = SPACE
            fold[code] = 32
        elif category == "So" or code >= 0x1F000:
            kind[code] = EMOJI
        if 0xFE00 <= code <= 0xFE0F or 0x1F3FB <= code <= 0x1F3FF or category in ("Cf", "Cs"):
            kind[code] = DROP
    kind[[ord(char) for char in _END]] = END
    fold[ord("’")] = ord("'")
    fold[ord("“")] = fold[ord("”")] = fold[ord("«")] = fold[ord("»")] = ord('"')
    return fold, kind


_FOLD, _KIND = _tables()
_CODES = (np.arange(_TOP, dtype=np.uint32) + _U32(1)) * _MIX
_CODES ^= _CODES >> _U32(15)
_FOLDED = _CODES[_FOLD]
#: The hash of a token is the sum of its codes, each times a power of this by its place; and the other way round.
_BASE = 0x01000193 * 3 % 2**32
_BACK = pow(_BASE, -1, 2**32)


def _powers(base: int, size: int) -> NDArray[np.uint32]:
    steps = np.full(size, base, dtype=np.uint32)
    steps[0] = 1
    return np.cumprod(steps, dtype=np.uint32)


_UP, _DOWN = _powers(_BASE, 1 << 17), _powers(_BACK, 1 << 17)


def _plain_hash(word: str) -> int:
    codes = np.frombuffer(word.encode("utf-32-le"), dtype="<u4")
    return int((_FOLDED[codes] * _UP[: len(codes)]).sum(dtype=np.uint32))


def _negators() -> NDArray[np.uint32]:
    """Return full hashes at their slots; a slot that two negators want would lose one, which the tests rule out."""
    table = np.zeros(1 << _NEGATOR_BITS, dtype=np.uint32)
    for word in NEGATORS:
        code = _plain_hash(word)
        table[code >> (32 - _NEGATOR_BITS)] = code
    return table


_NEGATOR_BITS = 15
_NEGATOR_TABLE = _negators()
_BLANK = _U32(_plain_hash(" "))


@dataclass(frozen=True)
class Batch:
    """Features of a batch: arrays of buckets, and where each text lies in them.

    ``chars`` has one array for each order, all of one length; ``words`` likewise one for each sort of token feature. The n-grams of
    text i are those from ``char_starts[i]`` to before ``char_ends[i]``, its token features those from ``word_starts[i]`` to the next.
    ``tokens`` has the full hashes of the tokens (for the lexicon, which must not be hit by chance), ``turned`` whether a negator stands
    before. ``lengths`` counts the characters that are read of each text, ``char_counts`` and ``word_counts`` the features of each,
    for the characters with the places between two texts.
    """

    chars: tuple[NDArray[np.uint32], ...]
    char_starts: NDArray[np.int64]
    char_ends: NDArray[np.int64]
    char_counts: NDArray[np.int64]
    words: tuple[NDArray[np.uint32], ...]
    word_starts: NDArray[np.int64]
    word_counts: NDArray[np.int64]
    tokens: NDArray[np.uint32]
    turned: NDArray[np.bool_]

    @property
    def lengths(self) -> NDArray[np.int64]:
        return self.char_ends - self.char_starts


def _clean(text: str) -> str:
    text = text[:TEXT_LIMIT]
    if "\\u" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    if "&" in text:
        text = html.unescape(text)
    return text


def features(texts: Sequence[str]) -> Batch:
    """Return the buckets of every feature of every text; at least one text. Never raises on any string."""
    whole, cleaned = "".join(texts), texts
    if "&" in whole or "\\u" in whole or max(map(len, texts)) > TEXT_LIMIT:
        cleaned = [_clean(text) if "&" in text or "\\u" in text else text[:TEXT_LIMIT] for text in texts]
    joined = f" {f' {_END} '.join(cleaned)} {_END}"
    raw = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)
    lengths = np.fromiter(map(len, cleaned), dtype=np.int64, count=len(cleaned)) + (2 + _TAIL)
    starts = lengths.cumsum() - lengths
    kind = _KIND.take(raw, mode="clip")
    keep = _kept(raw, kind, starts)
    # Few characters go: to count these costs less than a sum over all.
    gone = (~keep).nonzero()[0]
    lengths -= np.bincount(starts.searchsorted(gone, side="right") - 1, minlength=len(starts))
    ends = lengths.cumsum()
    starts = ends - lengths
    kind = kind[keep]
    codes = _FOLDED.take(raw[keep], mode="clip")
    lengths[-1] -= _TAIL  # after the last text no n-gram begins
    return Batch(_char_buckets(codes), starts, ends - _TAIL, lengths, *_word_buckets(codes, kind, starts))


def _kept(raw: NDArray[np.int64], kind: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which characters stay: not the rest of an address or user name, not a fourth equal letter, not a second space."""
    space = kind == SPACE
    keep = kind != DROP
    keep[1:] &= ~(space[1:] & space[:-1])
    same = raw[1:] == raw[:-1]
    keep[3:] &= ~(same[2:] & same[1:-1] & same[:-2])
    keep[starts] = True
    # Blank-delimited pieces that begin with @ or http keep one and four characters of themselves.
    ends = space.nonzero()[0]
    heads = ends + 1  # an end mark is last, and no space
    first = raw[heads]
    user = heads[first == 64]
    link = heads[(first | 32) == 104]
    link = link[((raw[link + 1] | 32) == 116) & ((raw[link + 2] | 32) == 116) & ((raw[link + 3] | 32) == 112)]
    if len(user) or len(link):
        froms = np.concatenate((user + 1, link + 4))
        tos = ends[ends.searchsorted(froms)]
        # Few characters go: naming their places costs less than a sum over all.
        sizes = tos - froms
        after = sizes.cumsum()
        keep[np.arange(after[-1]) + (froms - after + sizes).repeat(sizes)] = False
    return np.asarray(keep, dtype=np.bool_)


def _char_buckets(codes: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], ...]:
    size = len(codes) - _TAIL
    found = []
    rolling = codes[:size]
    for order in range(2, ORDERS[-1] + 1):
        rolling = rolling * _STEP
        rolling += codes[order - 1 : order - 1 + size]
        if order in ORDERS:
            found.append(rolling >> _U32(32 - CHAR_BITS))
    return tuple(found)


def _word_buckets(
    codes: NDArray[np.uint32], kind: NDArray[np.uint8], starts: NDArray[np.int64]
) -> tuple[tuple[NDArray[np.uint32], ...], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32], NDArray[np.bool_]]:
    size = len(kind)
    group = kind & (WORD | SPACE | END)
    cut = np.empty(size + 1, dtype=np.bool_)
    # A token begins where the class changes, at each emoji, and where a capital follows a small letter (#BoycottBrand).
    cut[1:-1] = (group[1:] != group[:-1]) | (kind[1:] == EMOJI) | (((kind[1:] & UPPER) != 0) & ((kind[:-1] & LOWER) != 0))
    cut[starts] = cut[starts + 1] = cut[-1] = True
    edges = cut.nonzero()[0]
    heads = edges[:-1]
    first = np.zeros(size, dtype=np.bool_)
    first[starts] = True
    # Every text keeps its first blank as a token that marks its start; the other blanks and the ends go.
    use = ((kind[heads] & (SPACE | END)) == 0) | first[heads]
    heads = heads[use]
    up, down = (_UP, _DOWN) if size <= len(_UP) else (_powers(_BASE, size), _powers(_BACK, size))
    # Differences of a running sum, which wraps as the hashes do: to sum token by token costs twice as much.
    sums = np.zeros(size + 1, dtype=np.uint32)
    np.cumsum(codes * up[:size], dtype=np.uint32, out=sums[1:])
    tokens = (sums[edges[1:][use]] - sums[heads]) * down[heads]
    word_starts = first[heads].nonzero()[0]
    last = np.empty_like(word_starts)
    last[:-1], last[-1] = word_starts[1:], len(heads)
    counts = last - word_starts
    last -= 1
    single = tokens.copy()
    turned = np.zeros(len(tokens), dtype=np.bool_)
    negator = (_NEGATOR_TABLE.take(tokens >> _U32(32 - _NEGATOR_BITS), mode="clip") == tokens).nonzero()[0]
    if len(negator):
        limit = last[word_starts.searchsorted(negator, side="right") - 1]
        for reach in range(1, NEGATION_REACH + 1):
            at = negator + reach
            turned[at[at <= limit]] = True
        single[turned] ^= _TURNED
    # After the last token of every text comes a blank: the next text's first, or one more.
    after = np.full(len(tokens) + 2, _BLANK, dtype=np.uint32)
    after[:-2] = tokens
    after *= _RIGHT
    pair = tokens * _LEFT + after[1:-1]
    skip = tokens * _SKIPPED + after[2:]
    found = tuple(hashes >> _U32(32 - WORD_BITS) for hashes in (tokens, single, pair, skip))
    # Without a negator nearby the second sort says the first again: it counts only where it differs.
    found[1][single == tokens] = 0
    found[3][last] = 0
    return found, word_starts, counts, tokens, turned


def token_hash(word: str) -> int | None:
    """Return the hash that ``word`` has as a token of a text; None where a text would give it as several tokens."""
    batch = features([word])
    return int(batch.tokens[1]) if len(batch.tokens) == 2 else None
