"""The NAB score of alarms over counts with labelled windows (Lavin and Ahmad 2015, "Evaluating real-time anomaly detection").

`tests/evaluate/test_nab.py` holds it against a plain row-by-row reckoning, and against the published scores of other detectors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple


class Series(NamedTuple):
    """Counts per step, by time. ``windows`` are (first, last) row numbers of labelled windows, both inclusive, in order."""

    name: str
    times_ms: list[int]
    counts: list[float]
    windows: list[tuple[int, int]]
    folder: str = ""


class Weights(NamedTuple):
    """One scoring profile."""

    hit: float
    miss: float
    false_alarm: float


def probation(series: Series) -> int:
    """Return the number of first rows that are not judged: 15 %, rounded down, at most 750."""
    return min(math.floor(0.15 * len(series.counts)), 750)


def _sigmoid(position: float) -> float:
    return -1.0 if position >= 3.0 else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def raw_score(series: Series, alarms: Sequence[int], weights: Weights) -> float:
    """Return NAB's unnormalised score of alarms at these row numbers.

    The first alarm of a window counts by how early it is, a window without one costs ``miss``, an alarm outside up to
    ``false_alarm``, less just after a window (also one of the rows that are not judged).
    """
    start, total = probation(series), 0.0
    windows = [window for window in series.windows if window[1] >= start]
    alarms = [alarm for alarm in alarms if alarm >= start]
    for first, last in windows:
        inside = [alarm for alarm in alarms if first <= alarm <= last]
        if inside:
            width = last - first + 1
            total += weights.hit * _sigmoid(-(last - inside[0] + 1) / width) / _sigmoid(-1.0)
        else:
            total -= weights.miss
    for alarm in alarms:
        if any(first <= alarm <= last for first, last in windows):
            continue
        before = [window for window in series.windows if window[1] < alarm]
        if before:
            first, last = before[-1]
            total += weights.false_alarm * _sigmoid((alarm - last) / max(1, last - first))
        else:
            total -= weights.false_alarm
    return total


def normalised(series: Sequence[Series], alarms: Sequence[Sequence[int]], weights: Weights) -> float:
    """Return the NAB score over several series: 0 for a silent detector, 100 for a perfect one; nan without any judged window."""
    windows = sum(window[1] >= probation(one) for one in series for window in one.windows)
    if not windows:
        return float("nan")
    raw = math.fsum(raw_score(one, rang, weights) for one, rang in zip(series, alarms, strict=True))
    worst, best = -weights.miss * windows, weights.hit * windows
    return 100.0 * (raw - worst) / (best - worst)


def false_alarms(series: Series, alarms: Sequence[int]) -> int:
    """Return how many alarms after probation lie outside every window."""
    start = probation(series)
    return sum(alarm >= start and not any(first <= alarm <= last for first, last in series.windows) for alarm in alarms)


def hits(series: Series, alarms: Sequence[int]) -> list[bool]:
    """Return for each judged window whether an alarm lies in it."""
    start = probation(series)
    return [
        any(max(first, start) <= alarm <= last for alarm in alarms) for first, last in series.windows if last >= start
    ]  # fmt: skip


def step_ms(series: Series) -> float:
    """Return the usual time between two rows, whatever gaps there are."""
    return float(median(later - earlier for earlier, later in pairwise(series.times_ms)))


def judged_days(series: Series) -> float:
    """Return the days outside windows and probation: what false alarms are counted over. 0 where all rows lie in them."""
    start = probation(series)
    inside = sum(max(0, last - max(first, start) + 1) for first, last in series.windows)
    return max(0, len(series.counts) - start - inside) * step_ms(series) / 86_400_000
