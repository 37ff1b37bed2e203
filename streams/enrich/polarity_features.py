"""Hashed features of texts for the polarity model: a whole batch at once in numpy, in integers only.

A text becomes one segment ``space text space`` of a long array of code points; addresses and user names are cut down to a
mark, letters lose their case, a run of one letter keeps three of it. Two groups of features come of it: character n-grams, which
may span words but never texts, and tokens (words, marks, emoji) with their neighbours and with negation. Nothing of one text
reaches another: every feature lies inside its own segment, and all sums are of integers.
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
#: Buckets of the hash space of one language, as a power of two. Bucket 0 of each space weighs nothing.
CHAR_BITS = 18
WORD_BITS = 16

WORD, SPACE, UPPER, LOWER, EMOJI, DROP = 1, 2, 4, 8, 16, 32

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
    fold[ord("’")] = ord("'")
    fold[ord("“")] = fold[ord("”")] = fold[ord("«")] = fold[ord("»")] = ord('"')
    return fold, kind


_FOLD, _KIND = _tables()
# Powers of the hash step: place in a token, then nothing beyond 32 characters.
_PLACES = np.zeros(64, dtype=np.uint32)
_power = 1
for _place in range(32):
    _PLACES[_place] = _power
    _power = _power * 0x01000193 * 3 % 2**32
_CODES = (np.arange(_TOP, dtype=np.uint32) + _U32(1)) * _MIX
_CODES ^= _CODES >> _U32(15)
_FOLDED = _CODES[_FOLD]


def _finish(hashes: NDArray[np.uint32], bits: int) -> NDArray[np.int64]:
    mixed = hashes ^ (hashes >> _U32(16))
    mixed *= _MIX
    mixed >>= _U32(32 - bits)
    return mixed.astype(np.int64)


def _plain_hash(word: str) -> int:
    codes = np.frombuffer(word.encode("utf-32-le"), dtype="<u4")
    return int((_FOLDED[codes] * _PLACES[: len(codes)]).sum(dtype=np.uint32))


def _negators() -> NDArray[np.uint32]:
    """Return full hashes at their slots; a slot that two negators want would lose one, which the tests rule out."""
    table = np.zeros(1 << _NEGATOR_BITS, dtype=np.uint32)
    for word in NEGATORS:
        code = _plain_hash(word)
        table[code >> (32 - _NEGATOR_BITS)] = code
    return table


_NEGATOR_BITS = 15
_NEGATOR_TABLE = _negators()


@dataclass(frozen=True)
class Batch:
    """Features of a batch: each array of buckets with the start of every text in it (as ``np.add.reduceat`` wants).

    ``chars`` has one array for each order, all of one length; ``words`` likewise one for each sort of token feature. ``tokens`` has
    the full hashes of the tokens (for the lexicon, which must not be hit by chance), ``turned`` whether a negator stands before.
    ``lengths`` counts the characters that are read of each text.
    """

    chars: tuple[NDArray[np.int64], ...]
    char_starts: NDArray[np.int64]
    words: tuple[NDArray[np.int64], ...]
    word_starts: NDArray[np.int64]
    tokens: NDArray[np.uint32]
    turned: NDArray[np.bool_]
    lengths: NDArray[np.int64]


def _clean(text: str) -> str:
    text = text[:TEXT_LIMIT]
    if "\\u" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    if "&" in text:
        text = html.unescape(text)
    return text


def features(texts: Sequence[str]) -> Batch:
    """Return the buckets of every feature of every text; at least one text. Never raises on any string."""
    cleaned = [_clean(text) if "&" in text or "\\u" in text else text[:TEXT_LIMIT] for text in texts]
    raw = np.frombuffer((" " + "  ".join(cleaned) + " ").encode("utf-32-le", "surrogatepass"), dtype="<u4")
    lengths = np.fromiter(map(len, cleaned), dtype=np.int64, count=len(cleaned)) + 2
    starts = np.cumsum(lengths) - lengths
    raw = np.minimum(raw, _U32(_TOP - 1))
    kind = _KIND[raw]
    keep = _kept(raw, kind, starts)
    kept = np.flatnonzero(keep)
    lengths = np.add.reduceat(keep, starts, dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    kind = kind[kept]
    codes = _FOLDED[raw[kept]]
    chars = _char_buckets(codes, starts, lengths)
    words, word_starts, tokens, turned = _word_buckets(codes, kind, starts)
    return Batch(chars, starts, words, word_starts, tokens, turned, lengths)


def _kept(raw: NDArray[np.uint32], kind: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which characters stay: not the rest of an address or user name, not a fourth equal letter, not a second space."""
    space = kind == SPACE
    keep = kind != DROP
    keep[1:] &= ~(space[1:] & space[:-1])
    same = raw[1:] == raw[:-1]
    keep[3:] &= ~(same[2:] & same[1:-1] & same[:-2])
    keep[starts] = True
    # Blank-delimited pieces that begin with @ or http keep one and four characters of themselves.
    before = np.flatnonzero(space[:-1])
    heads = before + 1
    first = raw[heads]
    user = heads[first == 64]
    link = heads[(first | _U32(32)) == 104]
    link = link[link + 4 < len(raw)]
    link = link[((raw[link + 1] | _U32(32)) == 116) & ((raw[link + 2] | _U32(32)) == 116) & ((raw[link + 3] | _U32(32)) == 112)]
    if len(user) or len(link):
        froms = np.concatenate((user + 1, link + 4))
        ends = np.flatnonzero(space)
        tos = ends[np.searchsorted(ends, froms)]
        edges = np.zeros(len(raw) + 1, dtype=np.int32)
        np.add.at(edges, froms, 1)
        np.add.at(edges, tos, -1)
        keep &= np.cumsum(edges[:-1]) == 0
    return np.asarray(keep, dtype=np.bool_)


def _char_buckets(codes: NDArray[np.uint32], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    size = len(codes)
    ends = starts + lengths
    found = []
    rolling = codes.copy()
    for order in range(2, ORDERS[-1] + 1):
        rolling *= _STEP
        rolling[: max(size - order + 1, 0)] += codes[order - 1 :]
        if order in ORDERS:
            buckets = _finish(rolling + _U32(order), CHAR_BITS)
            for back in range(1, order):
                buckets[(ends - back)[lengths >= back]] = 0
            found.append(buckets)
    return tuple(found)


def _word_buckets(
    codes: NDArray[np.uint32], kind: NDArray[np.uint8], starts: NDArray[np.int64]
) -> tuple[tuple[NDArray[np.int64], ...], NDArray[np.int64], NDArray[np.uint32], NDArray[np.bool_]]:
    group = kind & (WORD | SPACE)
    cut = np.empty(len(kind), dtype=np.bool_)
    cut[0] = True
    # A token begins where the class changes, at each emoji, and where a capital follows a small letter (#BoycottBrand).
    cut[1:] = (group[1:] != group[:-1]) | (kind[1:] == EMOJI) | (((kind[1:] & UPPER) != 0) & ((kind[:-1] & LOWER) != 0))
    cut[starts] = True
    heads = np.flatnonzero(cut)
    places = np.arange(len(kind), dtype=np.int64) - np.repeat(heads, np.diff(heads, append=len(kind)))
    tokens = np.add.reduceat(codes * _PLACES[np.minimum(places, 63)], heads, dtype=np.uint32)
    border = np.zeros(len(kind), dtype=np.bool_)
    border[starts] = True
    # Every text keeps its first blank as a token that marks its start; the other blanks go.
    use = (kind[heads] != SPACE) | border[heads]
    heads, tokens = heads[use], tokens[use]
    word_starts = np.flatnonzero(border[heads])
    counts = np.diff(word_starts, append=len(heads))
    single = tokens.copy()
    negator = np.flatnonzero(_NEGATOR_TABLE[tokens >> _U32(32 - _NEGATOR_BITS)] == tokens)
    ends = word_starts + counts
    turned = np.zeros(len(tokens), dtype=np.bool_)
    if len(negator):
        limit = ends[np.searchsorted(word_starts, negator, side="right") - 1]
        for reach in range(1, NEGATION_REACH + 1):
            at = negator + reach
            turned[at[at < limit]] = True
        single[turned] ^= _TURNED
    pair = tokens * _LEFT
    pair[:-1] += tokens[1:] * _RIGHT
    skip = tokens * _SKIPPED
    skip[:-2] += tokens[2:] * _RIGHT
    found = [_finish(hashes, WORD_BITS) for hashes in (tokens, single, pair, skip)]
    # Without a negator nearby the second sort says the first again: it counts only where it differs.
    found[1][single == tokens] = 0
    for back, sort in ((1, 2), (1, 3), (2, 3)):
        found[sort][(ends - back)[counts >= back]] = 0
    return tuple(found), word_starts, tokens, turned


def token_hash(word: str) -> int | None:
    """Return the hash that ``word`` has as a token of a text; None where a text would give it as several tokens."""
    batch = features([word])
    return int(batch.tokens[1]) if len(batch.tokens) == 2 else None
