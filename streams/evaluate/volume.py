"""The exams ``volume`` and ``budget``: the shipped baseline, recalibration and alarm budget on counts alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from streams.detect.brand import Brand
from streams.detect.budget import Budget
from streams.detect.volume import surprises
from streams.evaluate.nab import (
    Series,
    false_alarms,
    hits,
    judged_days,
    normalised,
    probation,
    read_profiles,
    read_series,
)
from streams.evaluate.published import compare, published_alarms

#: An alarm lasts until nothing passed its threshold for so long; it rings once.
EPISODE_MS = 6 * 3_600_000
SHIPPED_PER_WEEK = 0.5
ASKED = (0.25, 0.5, 1.0, 4.0)
_ROUNDS = 1000


def numbers(series: Series) -> list[float]:
    """Return the brand's number, -log10 of an hour's probability, at the end of each step of counts.

    The counts go through the same `Brand` as live mentions, each count as that many votes: windows of 5 min to 24 h, expected
    counts, tails, recalibration on the brand's own hours. Cold hours give 0.
    """
    brand = Brand(id=series.name)
    step = round((series.times_ms[-1] - series.times_ms[0]) / max(1, len(series.times_ms) - 1))
    brand.begin(series.times_ms[0])
    found = []
    for start_ms, count in zip(series.times_ms, series.counts, strict=True):
        brand.advance(start_ms)
        brand.counts.add(start_ms, (count, count, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
        end_ms = start_ms + step
        found.append(0.0 if brand.base.cold else surprises(brand, end_ms).loud[0])
    return found


def ring(series: Series, found: Sequence[float], budget: Budget, *, confirm: bool = True) -> list[int]:
    """Return the rows at which an alarm rings under ``budget``; an alarm inside a labelled window is confirmed."""
    alarms: list[int] = []
    last_over = -EPISODE_MS
    start = probation(series)
    for row, (time, number) in enumerate(zip(series.times_ms, found, strict=True)):
        budget.settle(time)
        if number < budget.threshold() or row < start:
            continue
        if time - last_over >= EPISODE_MS:
            alarms.append(row)
            budget.alarm(time)
            if confirm and any(first <= row <= last for first, last in series.windows):
                budget.confirm(time)
        last_over = time
    return alarms


def fixed(series: Series, found: Sequence[float], threshold: float) -> list[int]:
    """Return the rows at which a fixed threshold rings."""
    return ring(series, found, Budget(asked=168.0 / 10.0**threshold, gain=0.0))


def _interval(values: Sequence[float]) -> tuple[float, float]:
    ranked = sorted(values)
    return ranked[int(0.05 * len(ranked))], ranked[min(len(ranked) - 1, int(0.95 * len(ranked)))]


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


def evaluate_volume(folders: Sequence[str | Path], *, seed: int = 7) -> dict[str, Any]:
    """Return the object ``volume``: NAB scores at the shipped settings, with 90 % intervals over bootstrapped series.

    Nothing is fitted here, but the shipped pooled tail was read off `nab_realtweets`: figures on that folder are optimistic.
    ``best_threshold`` is chosen with the labels, as the thresholds of ``published`` were (where the folder has published scores).
    """
    series, profiles = read_series(folders), read_profiles(folders)
    found = [numbers(one) for one in series]
    alarms = [ring(one, scores, Budget(asked=SHIPPED_PER_WEEK)) for one, scores in zip(series, found, strict=True)]
    random = Random(seed)
    draws = [[random.randrange(len(series)) for _ in series] for _ in range(_ROUNDS)]
    result: dict[str, Any] = {}
    for name, weights in profiles.items():
        result[name] = round(normalised(series, alarms, weights), 2)
        low, high = _interval([normalised([series[i] for i in draw], [alarms[i] for i in draw], weights) for draw in draws])
        result[f"{name}_low"], result[f"{name}_high"] = round(low, 2), round(high, 2)
    hit = [hits(one, rang) for one, rang in zip(series, alarms, strict=True)]
    wrong = [false_alarms(one, rang) for one, rang in zip(series, alarms, strict=True)]
    days = math.fsum(judged_days(one) for one in series)
    low, high = poisson_interval(sum(wrong))
    standard = profiles.get("standard", next(iter(profiles.values())))
    candidates = sorted({round(0.5 + 0.1 * i, 2) for i in range(41)})
    best = max(
        ((normalised(series, [fixed(o, s, t) for o, s in zip(series, found, strict=True)], standard), -t) for t in candidates),
    )
    result |= {
        "windows": {"total": sum(map(len, hit)), "hit": sum(map(sum, hit))},
        "false_alarms_per_brand_day": round(sum(wrong) / days, 4),
        "false_alarms_per_brand_day_low": round(low / days, 4),
        "false_alarms_per_brand_day_high": round(high / days, 4),
        "best_threshold": {"standard": round(best[0], 2), "value": -best[1]},
        "published": compare(series, alarms, published_alarms(folders, series), standard),
        "series": [
            {
                "name": one.name,
                "rows": len(one.counts),
                "windows": len(flags),
                "hit": sum(flags),
                "false_alarms": bad,
                "standard": round(normalised([one], [rang], standard), 2),
            }
            for one, rang, flags, bad in zip(series, alarms, hit, wrong, strict=True)
        ],
    }
    return result


def evaluate_budget(folders: Sequence[str | Path]) -> dict[str, Any]:
    """Return the object ``budget``: false alarms asked for against realised, a brand-week, outside labelled windows."""
    series = read_series(folders)
    found = [numbers(one) for one in series]
    weeks = math.fsum(judged_days(one) for one in series) / 7.0
    thresholds = [round(0.5 + 0.05 * i, 2) for i in range(101)]
    steady = []
    for threshold in thresholds:
        rang = [fixed(one, scores, threshold) for one, scores in zip(series, found, strict=True)]
        wrong = sum(false_alarms(one, alarms) for one, alarms in zip(series, rang, strict=True))
        steady.append((wrong, sum(sum(hits(one, alarms)) for one, alarms in zip(series, rang, strict=True))))
    rows = []
    for asked in ASKED:
        rang = [ring(one, scores, Budget(asked=asked)) for one, scores in zip(series, found, strict=True)]
        wrong = sum(false_alarms(one, alarms) for one, alarms in zip(series, rang, strict=True))
        low, high = poisson_interval(wrong)
        rows.append(
            {
                "asked_per_week": asked,
                "realised_per_week": round(wrong / weeks, 4),
                "ratio": round(wrong / weeks / asked, 3),
                "low": round(low / weeks / asked, 3),
                "high": round(high / weeks / asked, 3),
                "windows_hit": sum(sum(hits(one, alarms)) for one, alarms in zip(series, rang, strict=True)),
                "windows_hit_fixed": max((windows for false, windows in steady if false <= wrong), default=0),
            }
        )
    total = sum(len(hits(one, [])) for one in series)
    return {"rows": rows, "windows": total}
