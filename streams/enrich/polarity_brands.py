"""What one brand's people taught, put beside the shipped polarity: a small softmax over its log-odds and hashed tokens.

Weights are whole numbers that travel with a version of the watchlist (`schemas.brand.LearnedPolarity`). Everything is plain
arithmetic on one text, so that no batch decides a result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from schemas.brand import LearnedPolarity
from streams.enrich.polarity import LABELS, Polarity
from streams.enrich.polarity_features import features

Score = tuple[int, int, str]

#: Token buckets of a brand, as a power of two: bounds its memory to 3 x 512 weights.
TOKEN_BITS = 9
#: The learned answer may move the odds of two labels against each other by this much at most (natural log).
BOUND = 1.5
#: One weight of a record is this part of a log-odds.
UNIT = 1 / 4096
_FLOOR = 1e-3


def inputs_of(texts: Sequence[str], shipped: Sequence[Sequence[float]]) -> list[dict[str, float]]:
    """Return what the softmax sees of each text: log-odds over neutral, and the token buckets scaled by their number.

    ``shipped`` are the shipped model's probabilities (negative, neutral, positive) of the texts.
    """
    if not texts:
        return []
    batch = features(texts)
    buckets = (batch.tokens >> (32 - TOKEN_BITS)).tolist()
    starts = [*batch.word_starts.tolist(), len(buckets)]
    found = []
    for place, told in enumerate(shipped):
        negative, neutral, positive = (math.log(max(value, _FLOOR)) for value in told)
        seen = {"negative": negative - neutral, "positive": positive - neutral, "bias": 1.0}
        # The first token of a text only marks its start.
        own = sorted(set(buckets[starts[place] + 1 : starts[place + 1]]))
        for bucket in own:
            seen[f"token-{bucket}"] = 1.0 / math.sqrt(len(own))
        found.append(seen)
    return found


def bounded(shipped: Sequence[float], told: Sequence[float]) -> list[float]:
    """Return the learned probabilities, each log kept within half of BOUND of the shipped one before they are scaled to sum 1."""
    moved = []
    for base, wanted in zip(shipped, told, strict=True):
        low = math.log(max(base, _FLOOR))
        moved.append(math.exp(low + min(max(math.log(max(wanted, _FLOOR)) - low, -BOUND / 2), BOUND / 2)))
    total = math.fsum(moved)
    return [value / total for value in moved]


def softmax(weights: Mapping[str, tuple[int, int, int]], seen: Mapping[str, float]) -> list[float]:
    """Return probabilities of (negative, neutral, positive) from whole-number weights."""
    sums = [0.0, 0.0, 0.0]
    for name, value in seen.items():
        own = weights.get(name)
        if own is not None:
            for place in range(3):
                sums[place] += own[place] * value
    powers = [math.exp((one - max(sums)) * UNIT) for one in sums]
    total = math.fsum(powers)
    return [power / total for power in powers]


def learned_scores(shipped: Polarity, learned: LearnedPolarity, texts: Sequence[str], langs: Sequence[str]) -> list[Score]:
    """Return (negative, positive) in thousandths and label of each text of one brand.

    What was compared with another shipped model is not used: then the shipped answers stand.
    """
    if learned.shipped != shipped.version:
        return shipped.score(texts, langs)
    rows = shipped.probabilities(texts, langs)[0].tolist()
    found: list[Score] = []
    for row, seen, lang in zip(rows, inputs_of(texts, rows), langs, strict=True):
        if lang not in shipped.languages:
            found.append((0, 0, ""))
            continue
        told = bounded(row, softmax(learned.weights, seen))
        best = max(range(3), key=told.__getitem__)
        if told[best] < shipped.abstains_below(lang):
            found.append((0, 0, ""))
        else:
            found.append((round(told[0] * 1000), round(told[2] * 1000), LABELS[best]))
    return found
