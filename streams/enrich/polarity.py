"""Polarity of a text: a small linear model over hashed features, one table for each language, read from one shipped file.

Weights are whole numbers and every sum is one of whole numbers; what follows is exact or correctly rounded arithmetic element by
element, so that the result of a text is the same in every batch. Training: ``streams.evaluate.polarity_train``; data, figures and
limits: ``docs/polarity-model-card.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.enrich.polarity_features import CHAR_BITS, WORD_BITS, Batch, features
from streams.errors import BadInput

SHIPPED = Path(__file__).parent / "data" / "polarity.npz"
LABELS = ("negative", "neutral", "positive")
#: Longer texts are scaled down as their square root, so that length alone makes no certainty.
PLAIN_LENGTH = 140
#: Texts at once: more make arrays that leave the cache and are returned to the system after each step.
CHUNK = 512
#: Slots of the lexicon table, as a power of two.
SLOT_BITS = 16
#: Layout of the model file; a file of another layout is refused.
LAYOUT = 4

_STEPS = 256  # logits are rounded to 1/256
_REACH = 16 * _STEPS
_EXP = np.exp(np.arange(-2 * _REACH, 1) / _STEPS)
#: Bits of a negative weight in a packed one. Of 8-bit weights four meet at a place: below 2**20 for a text's 1,002 places in all, and
#: both together in 32 bits at each place.
_LOW, _LEXICON_LOW = 20, 32


def _pack(two: NDArray[Any], low: int) -> NDArray[np.int64]:
    """Put (negative, positive) weights, both relative to neutral, into one whole number, so that one gather fetches both.

    The negative ones, and every sum of them, must lie within ``low`` bits.
    """
    wide = two.astype(np.int64)
    return np.asarray(wide[..., 0] + (wide[..., 1] << low), dtype=np.int64)


def _unpack(sums: NDArray[np.int64], low: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    negative = (sums << (64 - low)) >> (64 - low)
    return negative, (sums - negative) >> low


class Polarity:
    """The model in memory: about 15 MB. ``version`` names the shipped weights; ``languages`` those it knows (ISO 639-1)."""

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take the arrays of a model file; see ``polarity_train.arrays_of`` for their names, shapes and units."""
        self.version = str(arrays["version"])
        self.languages: tuple[str, ...] = tuple(str(name) for name in arrays["languages"])
        self._index = {name: place for place, name in enumerate(self.languages)}
        self._chars = _pack(arrays["chars"], _LOW).astype(np.int32)
        self._words = _pack(arrays["words"], _LOW).astype(np.int32)
        self._scales: NDArray[np.float64] = arrays["scales"].astype(np.float64)
        self._bias: NDArray[np.float64] = arrays["bias"].astype(np.float64)
        self._abstain: NDArray[np.float64] = arrays["abstain"].astype(np.float64)
        #: Fingerprints of the texts that it learned from, so that an exam can say which it has seen.
        self.trained_on: NDArray[np.uint32] = arrays["trained_on"]
        self._slots, self._prints = _slots(arrays, len(self.languages))

    @classmethod
    def load(cls, path: Path | None = None) -> Polarity:
        """Read the shipped model or another file of the same layout. Raises BadInput where it cannot be read or does not fit."""
        try:
            with np.load(path or SHIPPED, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        except (OSError, ValueError) as failure:
            raise BadInput(f"polarity model cannot be read: {type(failure).__name__}") from None
        if int(arrays.get("layout", -1)) != LAYOUT:
            raise BadInput("polarity model has another layout than this program reads")
        return cls(arrays)

    def abstains_below(self, lang: str) -> float:
        """Return the probability of the best label below which ``lang`` gets no label; 1 for an unknown language."""
        place = self._index.get(lang)
        return 1.0 if place is None else float(self._abstain[place])

    def probabilities(self, texts: Sequence[str], langs: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return calibrated probabilities (texts, 3: negative, neutral, positive) and which texts are too doubtful to label.

        A language that the model does not know gives a row of zeros, and is doubtful.
        """
        index = self._index
        numbers = list(map(index.get, langs, repeat(-1)))
        places = np.array(numbers, dtype=np.int64)
        if numbers and min(numbers) >= 0:
            found = self._found(features(texts), places)
            return found, found.max(axis=1) < self._abstain[places]
        probabilities = np.zeros((len(texts), 3))
        doubtful = np.ones(len(texts), dtype=np.bool_)
        known = (places >= 0).nonzero()[0]
        if len(known):
            places = places[known]
            found = self._found(features([texts[place] for place in known.tolist()]), places)
            probabilities[known] = found
            doubtful[known] = found.max(axis=1) < self._abstain[places]
        return probabilities, doubtful

    def _found(self, batch: Batch, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the probabilities of texts in known languages."""
        steps = np.rint(self._logits(batch, places) * _STEPS)
        logits = np.zeros((3, len(places)), dtype=np.int64)
        logits[::2] = steps.clip(-_REACH, _REACH, out=steps)
        logits -= logits.max(axis=0) - 2 * _REACH
        weights = _EXP.take(logits, mode="clip")
        return np.asarray((weights / (weights[0] + weights[1] + weights[2])).T, dtype=np.float64)

    def score(self, texts: Sequence[str], langs: Sequence[str]) -> list[tuple[int, int, str]]:
        """Return (negative, positive) in thousandths and the label of each text.

        The label is "" and both numbers are 0 where the model abstains: doubt, or a language that it does not know.
        """
        found: list[tuple[int, int, str]] = []
        for start in range(0, len(texts), CHUNK):
            found += self._scored(texts[start : start + CHUNK], langs[start : start + CHUNK])
        return found

    def _scored(self, texts: Sequence[str], langs: Sequence[str]) -> list[tuple[int, int, str]]:
        probabilities, doubtful = self.probabilities(texts, langs)
        best = probabilities.argmax(axis=1)
        thousandths = np.rint(probabilities * 1000).astype(np.int64)
        thousandths[doubtful] = 0
        best[doubtful] = 3
        names = (*LABELS, "")
        labels = map(names.__getitem__, best.tolist())
        return list(zip(thousandths[:, 0].tolist(), thousandths[:, 2].tolist(), labels, strict=True))

    def _logits(self, batch: Batch, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """(2, texts): log-odds of negative and of positive over neutral."""
        first, texts = int(places[0]), len(places)
        alone = bool((places == first).all())
        spans = np.empty(2 * texts, dtype=np.int64)
        spans[::2], spans[1::2] = batch.char_starts, batch.char_ends
        chars = _gathered(self._chars, batch.chars, spans, batch.char_counts, places, alone)[::2]
        words = _gathered(self._words, batch.words, batch.word_starts, batch.word_counts, places, alone)
        slot: NDArray[Any] = batch.tokens >> np.uint32(32 - SLOT_BITS)
        slot = slot + (first << SLOT_BITS if alone else (places << SLOT_BITS).repeat(batch.word_counts))
        hits = (self._prints.take(slot, mode="clip") == batch.tokens).nonzero()[0]
        packed = np.zeros(len(slot), dtype=np.int64)
        packed[hits] = self._slots[batch.turned[hits].astype(np.int8), slot[hits]]
        lexicon = np.add.reduceat(packed, batch.word_starts)
        parts = _unpack(chars, _LOW), _unpack(words, _LOW), _unpack(lexicon, _LEXICON_LOW)
        scales, bias = self._scales[places], self._bias[places]
        shrink = np.sqrt(PLAIN_LENGTH / np.maximum(batch.lengths, PLAIN_LENGTH))
        found = np.empty((2, texts))
        for side in (0, 1):
            total = parts[0][side] * scales[:, 0] + parts[1][side] * scales[:, 1] + parts[2][side] * scales[:, 2]
            found[side] = total * shrink + bias[:, side]
        return found


@cache
def shipped() -> Polarity:
    """Return the shipped model, which all partitions of a process share: its weights then stay in the processor's cache."""
    return Polarity.load()


def _gathered(
    table: NDArray[np.int32],
    sorts: tuple[NDArray[np.uint32], ...],
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    places: NDArray[np.int64],
    alone: bool,
) -> NDArray[np.int64]:
    """Sum the packed weights of every feature of each text, ``table`` being (languages, buckets), ``counts`` the features of each text."""
    flat, size = table[int(places[0])] if alone else table.reshape(-1), len(sorts[0])
    offsets = None if alone else (places * table.shape[1]).astype(np.uint32).repeat(counts)
    sums = np.zeros(size + 1, dtype=np.int32)  # one more, so that a text may end where the batch ends
    whole, at, weights = sums[:-1], np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int32)
    for buckets in sorts:
        at[:] = buckets if offsets is None else buckets + offsets
        flat.take(at, out=weights, mode="clip")
        whole += weights
    return np.asarray(np.add.reduceat(sums, starts, dtype=np.int64))


def _slots(arrays: dict[str, NDArray[Any]], languages: int) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Spread lexicon and words with vectors over a table of slots: packed weights (plain or turned, slots), the full hash in each slot."""
    slots = np.zeros((2, languages << SLOT_BITS), dtype=np.int64)
    prints = np.zeros(languages << SLOT_BITS, dtype=np.uint32)

    def slots_of(kind: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        hashes, place = arrays[f"{kind}_hash"].astype(np.uint32), arrays[f"{kind}_language"].astype(np.int64)
        at = (hashes >> np.uint32(32 - SLOT_BITS)).astype(np.int64) + (place << SLOT_BITS)
        prints[at] = hashes
        return at, place

    at, place = slots_of("lexicon")
    valence = arrays["lexicon_valence"].astype(np.int64)
    effect = arrays["lexicon_effect"].astype(np.int64)  # (languages, 4: for, against, turned for, turned against; 2)
    against = (valence < 0).astype(np.int64)
    for turned in (0, 1):
        slots[turned, at] = _pack(effect[place, against + 2 * turned] * np.abs(valence)[:, None], _LEXICON_LOW)
    # What a word's vector is worth does not hang on a negator before it. No slot holds two words.
    at, _ = slots_of("vector")
    slots[:, at] += _pack(arrays["vector_weight"], _LEXICON_LOW)
    return slots, prints


__all__ = ["CHAR_BITS", "LABELS", "PLAIN_LENGTH", "SLOT_BITS", "WORD_BITS", "Polarity", "shipped"]
