"""The spike rules that vendors describe, on plain counts: what a detector has to beat.

``hour_over_12h``: the last hour against the mean hour of the 12 h before it. ``day_sigma``: the mean hour of the last 24 h above the
mean of the 7 days before it by so many standard deviations of hours. Both are checked at each full hour, and ring once until they were
silent for a check.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Final

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True)
class Rule:
    """``factors`` are the settings that are tried, the most sensitive first; ``history``: full hours that it needs before it rings."""

    factors: tuple[float, ...]
    history: int


RULES: Final = {
    "hour_over_12h": Rule((1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 25.0, 50.0), 12),
    "day_sigma": Rule((0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0), 48),
}


def alarms(name: str, times: Sequence[int], factor: float) -> list[int]:
    """Return when (ms) the rule rings over mentions at ``times`` (ms, ascending)."""
    if not times:
        return []
    begin = times[0] // _HOUR_MS
    hours = times[-1] // _HOUR_MS - begin + 1
    counts = [bisect_left(times, (begin + hour + 1) * _HOUR_MS) - bisect_left(times, (begin + hour) * _HOUR_MS) for hour in range(hours)]
    found = []
    ringing = False
    for hour in range(RULES[name].history, hours):
        over = _hour_over_12h(counts, hour, factor) if name == "hour_over_12h" else _day_sigma(counts, hour, factor)
        if over and not ringing:
            found.append((begin + hour + 1) * _HOUR_MS)
        ringing = over
    return found


def _hour_over_12h(counts: Sequence[int], hour: int, factor: float) -> bool:
    """Below 5 mentions an hour nothing rings, as vendors set a least volume."""
    return counts[hour] >= 5 and counts[hour] > factor * max(fmean(counts[hour - 12 : hour]), 0.5)


def _day_sigma(counts: Sequence[int], hour: int, factor: float) -> bool:
    before = counts[max(0, hour - 24 - 167) : hour - 23]
    return fmean(counts[hour - 23 : hour + 1]) > fmean(before) + factor * max(pstdev(before), 0.5)
