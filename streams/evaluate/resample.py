"""Bootstrap intervals and ranks, as all exams use them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def bootstrap(count: int, figure: Callable[[Ints], float], *, seed: int = 1, rounds: int = 400) -> tuple[float, float]:
    """Return the 90 % percentile interval of ``figure`` over resampled row numbers (Efron 1979).

    Rounds without a figure (nan) are left out; (nan, nan) where none is left, or where one row cannot tell how far it may be off.
    """
    if count < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    drawn = np.array([figure(rng.integers(0, count, count)) for _ in range(rounds)])
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return float("nan"), float("nan")
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(low), float(high)


def poisson_interval(count: int) -> tuple[float, float]:
    """Return the exact 90 % interval of a Poisson mean, by bisection (Garwood 1936)."""

    def at_most(k: int, mean: float) -> float:
        return math.fsum(math.exp(i * math.log(mean) - mean - math.lgamma(i + 1)) for i in range(k + 1))

    def solve(k: int, target: float) -> float:
        low, high = 1e-9, 10.0 * (k + 3)
        for _ in range(80):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if at_most(k, middle) > target else (low, middle)
        return low

    return (0.0 if count == 0 else solve(count - 1, 0.95)), solve(count, 0.05)


def ranks(values: Floats) -> Floats:
    """Return ranks from 1 on, ties at their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - 0.5 * (counts - 1))[inverse], dtype=np.float64)


def auc(scores: Floats, positive: Flags) -> float:
    """Return the probability that a positive scores above a negative, ties as a half; nan where one of them is missing.

    >>> auc(np.array([1.0, 2.0, 3.0, 3.0]), np.array([False, False, True, False]))
    0.8333333333333334
    """
    wins, pairs = _wins(scores, positive)
    return wins / pairs if pairs else float("nan")


def grouped_auc(scores: Floats, positive: Flags, group: Ints) -> float:
    """Return the AUC over pairs of the same group only, so that sets of other sizes are never compared."""
    total, pairs = 0.0, 0.0
    for name in np.unique(group):
        mine = group == name
        wins, some = _wins(scores[mine], positive[mine])
        total, pairs = total + wins, pairs + some
    return total / pairs if pairs else float("nan")


def _wins(scores: Floats, positive: Flags) -> tuple[float, float]:
    yes = int(positive.sum())
    return float(ranks(scores)[positive].sum()) - yes * (yes + 1) / 2, float(yes * (len(scores) - yes))
