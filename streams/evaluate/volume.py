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
from streams.evaluate.counts_data import read_profiles, read_series
from streams.evaluate.folders import Say, silent
from streams.evaluate.nab import Series, Weights, false_alarms, hits, judged_days, normalised, probation, step_ms
from streams.evaluate.published import compare, published_alarms
from streams.evaluate.resample import poisson_interval

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
    step = round(step_ms(series))
    brand.begin(series.times_ms[0])
    found = []
    for start_ms, count in zip(series.times_ms, series.counts, strict=True):
        brand.advance(start_ms)
        brand.counts.add(start_ms, (count, count, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
        end_ms = start_ms + step
        found.append(0.0 if brand.base.cold else surprises(brand, end_ms).loud[0])
    return found


def ring(series: Series, found: Sequence[float], budget: Budget, *, confirm: bool) -> list[int]:
    """Return the rows at which an alarm rings under ``budget``; ``confirm``: a person confirms each that lies in a labelled window."""
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
    return ring(series, found, Budget(asked=168.0 / 10.0**threshold, gain=0.0), confirm=False)


def _interval(series: Sequence[Series], alarms: Sequence[list[int]], weights: Weights, draws: Sequence[list[int]]) -> tuple[float, float]:
    """Return the score's interval over drawn series; draws without any window say nothing, and one series has no interval."""
    scores = (normalised([series[i] for i in draw], [alarms[i] for i in draw], weights) for draw in draws if len(series) > 1)
    ranked = sorted(score for score in scores if not math.isnan(score))
    if not ranked:
        return float("nan"), float("nan")
    return ranked[int(0.05 * len(ranked))], ranked[min(len(ranked) - 1, int(0.95 * len(ranked)))]


def _rate(count: float, time: float, digits: int) -> float | None:
    """Return a rate, or None where no time was judged."""
    return round(count / time, digits) if time else None


def evaluate_volume(folders: Sequence[str | Path], *, seed: int = 7, say: Say = silent) -> dict[str, Any]:
    """Return the object ``volume``: NAB scores at the shipped settings, with 90 % intervals over bootstrapped series.

    Nothing is fitted here, but the shipped pooled tail was read off `nab_realtweets`: figures on that folder are optimistic.
    ``best_threshold`` is chosen with the labels, as the thresholds of ``published`` were (where the folder has published scores).
    No label reaches the run: nobody confirms an alarm, so each raises the threshold for a while. ``with_verdicts``: the same with a desk
    that confirms every alarm inside a window within the day. Scores are nan where no window is judged; then only the false alarms
    say something.
    """
    series, profiles = read_series(folders, say), read_profiles(folders)
    found = []
    for one in series:
        say(f"{one.name}: {len(one.counts)} counts, {len(one.windows)} windows")
        found.append(numbers(one))
    alarms = [ring(one, scores, Budget(asked=SHIPPED_PER_WEEK), confirm=False) for one, scores in zip(series, found, strict=True)]
    told = [ring(one, scores, Budget(asked=SHIPPED_PER_WEEK), confirm=True) for one, scores in zip(series, found, strict=True)]
    random = Random(seed)
    draws = [[random.randrange(len(series)) for _ in series] for _ in range(_ROUNDS)]
    result: dict[str, Any] = {}
    for name, weights in profiles.items():
        result[name] = round(normalised(series, alarms, weights), 2)
        low, high = _interval(series, alarms, weights, draws)
        result[f"{name}_low"], result[f"{name}_high"] = round(low, 2), round(high, 2)
    hit = [hits(one, rang) for one, rang in zip(series, alarms, strict=True)]
    wrong = [false_alarms(one, rang) for one, rang in zip(series, alarms, strict=True)]
    days = math.fsum(judged_days(one) for one in series)
    low, high = poisson_interval(sum(wrong))
    standard = profiles["standard"]
    result |= {
        "windows": {"total": sum(map(len, hit)), "hit": sum(map(sum, hit))},
        "false_alarms_per_brand_day": _rate(sum(wrong), days, 4),
        "false_alarms_per_brand_day_low": _rate(low, days, 4),
        "false_alarms_per_brand_day_high": _rate(high, days, 4),
        "brand_days": round(days, 2),
        "with_verdicts": {
            "standard": round(normalised(series, told, standard), 2),
            "hit": sum(sum(hits(one, rang)) for one, rang in zip(series, told, strict=True)),
            "false_alarms_per_brand_day": _rate(sum(false_alarms(one, rang) for one, rang in zip(series, told, strict=True)), days, 4),
        },
        "best_threshold": _best_threshold(series, found, standard),
        "published": compare(series, alarms, published_alarms(folders, series, say), standard),
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


def _best_threshold(series: Sequence[Series], found: Sequence[Sequence[float]], weights: Weights) -> dict[str, float | None]:
    """Return the best score of a fixed threshold, the lowest of equals."""
    scores = []
    for threshold in sorted({round(0.5 + 0.1 * i, 2) for i in range(41)}):
        score = normalised(series, [fixed(one, mine, threshold) for one, mine in zip(series, found, strict=True)], weights)
        if math.isnan(score):
            return {"standard": None, "value": None}
        scores.append((score, -threshold))
    best = max(scores)
    return {"standard": round(best[0], 2), "value": -best[1]}


def evaluate_budget(folders: Sequence[str | Path], *, say: Say = silent) -> dict[str, Any]:
    """Return the object ``budget``: false alarms asked for against realised, a brand-week, outside labelled windows.

    The budget spends false alarms only, so someone has to say which were: the exam plays a desk that confirms within the day what
    rang inside a window. That is the one place where labels reach a run; ``without_verdicts`` is the same where nobody says anything.
    """
    series = read_series(folders, say)
    found = []
    for one in series:
        say(f"{one.name}: {len(one.counts)} counts, {len(one.windows)} windows")
        found.append(numbers(one))
    weeks = math.fsum(judged_days(one) for one in series) / 7.0
    thresholds = [round(0.5 + 0.05 * i, 2) for i in range(101)]
    steady = []
    for threshold in thresholds:
        rang = [fixed(one, scores, threshold) for one, scores in zip(series, found, strict=True)]
        wrong = sum(false_alarms(one, alarms) for one, alarms in zip(series, rang, strict=True))
        steady.append((wrong, sum(sum(hits(one, alarms)) for one, alarms in zip(series, rang, strict=True))))
    rows = []
    for asked in ASKED:
        told, silently = (
            [ring(one, scores, Budget(asked=asked), confirm=confirm) for one, scores in zip(series, found, strict=True)]
            for confirm in (True, False)
        )
        wrong, alone = (
            sum(false_alarms(one, alarms) for one, alarms in zip(series, rang, strict=True)) for rang in (told, silently)
        )  # fmt: skip
        low, high = poisson_interval(wrong)
        rows.append(
            {
                "asked_per_week": asked,
                "realised_per_week": _rate(wrong, weeks, 4),
                "ratio": _rate(wrong / asked, weeks, 3),
                "low": _rate(low / asked, weeks, 3),
                "high": _rate(high / asked, weeks, 3),
                "windows_hit": sum(sum(hits(one, alarms)) for one, alarms in zip(series, told, strict=True)),
                "windows_hit_fixed": max((windows for false, windows in steady if false <= wrong), default=0),
                "without_verdicts": {
                    "ratio": _rate(alone / asked, weeks, 3),
                    "windows_hit": sum(sum(hits(one, alarms)) for one, alarms in zip(series, silently, strict=True)),
                },
            }
        )
    total = sum(len(hits(one, [])) for one in series)
    return {"rows": rows, "windows": total, "brand_weeks": round(weeks, 2)}
