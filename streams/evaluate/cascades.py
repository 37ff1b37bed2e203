"""The exam ``cascades``: who will end in the top tenth, and does the forecast's interval hold, by the code that runs live."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from streams.detect.forecast import forecast
from streams.detect.growth import Growth
from streams.errors import BadInput
from streams.evaluate.cascades_data import Cascade, read_cascades
from streams.evaluate.folders import Say, silent
from streams.evaluate.resample import Flags, Floats, Ints, bootstrap, grouped_auc, ranks
from streams.evaluate.seismic import final_size

EVENTS: Final = (10, 20, 50)
MINUTES: Final = (15, 60, 240)
_FOLDS: Final = 5
_ROUNDS: Final = 300
#: Fewer samples than this teach the offline learner nothing.
_LEARNABLE: Final = 40


class Moment(NamedTuple):
    """One cascade at one moment: its number, and what each contestant says; sizes count the root."""

    cascade: int
    so_far: int
    final: int
    forecast: tuple[float, float, float]
    velocity: float
    seismic: float
    r: float
    #: What the offline learner gets.
    known: tuple[float, ...]


def evaluate_cascades(folders: Sequence[str | Path], *, say: Say = silent) -> dict[str, Any]:
    """Return the object ``cascades``. Top tenths are those of each folder, and only cascades of one folder are compared.

    ``auc`` ranks by the forecast as a signal carries it, halfway (in logarithms) between its median and its upper bound: what
    ends in the top tenth is a matter of the upper part. ``ceiling_auc``: a ridge regression on counts, rates and
    shares at that moment, fitted on these very cascades in five folds: what an offline learner with the answers gets out of
    the same timing.
    """
    cascades = read_cascades(folders, say=say)
    if len(cascades) < 20:
        raise BadInput(f"{len(cascades)} cascades are too few to speak of a top tenth; 20 are needed")
    names = sorted({cascade.folder for cascade in cascades})
    group = np.array([names.index(cascade.folder) for cascade in cascades])
    sizes = np.array([cascade.size for cascade in cascades])
    top = np.zeros(len(cascades), dtype=bool)
    for number in range(len(names)):
        mine = group == number
        top[mine] = sizes[mine] >= np.quantile(sizes[mine], 0.9)
    say(f"{len(cascades)} cascades with {int(sizes.sum())} reactions are read through")
    found = judged(cascades)
    say("intervals are drawn")
    result: dict[str, Any] = {"cascades": len(cascades)}
    for name, points in (("events", EVENTS), ("minutes", MINUTES)):
        result[name] = {str(point): _point(found[name, point], top, group) for point in points}
    result |= _intervals([moment for moments in found.values() for moment in moments], len(cascades))
    return result


def judged(cascades: Sequence[Cascade]) -> dict[tuple[str, int], list[Moment]]:
    """Return all moments by ("events", count) and ("minutes", time)."""
    found: dict[tuple[str, int], list[Moment]] = {}
    for name in (*(("events", k) for k in EVENTS), *(("minutes", m) for m in MINUTES)):
        found[name] = []
    for number, cascade in enumerate(cascades):
        delays = cascade.delays_ms
        at = [(delays[k - 1], k, ("events", k)) for k in EVENTS if k <= cascade.size]
        at += [(m * 60_000, bisect_right(delays, m * 60_000), ("minutes", m)) for m in MINUTES]
        growth, done, indirect = Growth(), 0, 0
        growth.learn_one(0.0)
        authors: set[str] = {""}
        for ms, count, name in sorted(at):
            for place in range(done, count):
                growth.learn_one(float(delays[place]))
                authors.add(cascade.authors[place])
                indirect += cascade.parents[place] != ""
            done = max(done, count)
            found[name].append(_moment(number, cascade, growth, ms, count, len(authors), indirect))
    return found


def _moment(number: int, cascade: Cascade, growth: Growth, ms: int, count: int, authors: int, indirect: int) -> Moment:
    foreseen, _ = forecast(growth, float(ms), count + 1.0, float(authors), float(indirect), cascade.network)
    shape, rate = growth.posterior(float(ms))
    times = np.array(cascade.delays_ms[:count], dtype=np.float64) / 1000.0
    gaps = np.log1p(np.diff(times, prepend=0.0))
    parents = [parent for parent in cascade.parents[:count] if parent]
    age = ms / 1000.0
    known = (
        math.log1p(count), math.log(age + 30.0), *(math.log(each + 0.1) for each in growth.rates(float(ms))),
        authors / (count + 1.0), float(gaps.std()) if count else 0.0, math.log1p(indirect), math.log1p(len(set(parents))),
    )  # fmt: skip
    return Moment(
        number, count + 1, cascade.size + 1, (foreseen.low, foreseen.median, foreseen.high), (count + 1.0) / (age + 30.0),
        final_size(times, age), shape / rate, known,
    )  # fmt: skip


def ceiling(known: Floats, final: Floats, group: Ints) -> Floats:
    """Return an offline learner's scores, each by a fit on the other four folds of its own folder; nan where those are too few."""
    scores = np.zeros(len(final))
    for name in np.unique(group):
        mine = np.flatnonzero(group == name)
        if len(mine) < _LEARNABLE:
            scores[mine] = float("nan")
            continue
        x = known[mine]
        x = (x - x.mean(0)) / (x.std(0) + 1e-9)
        x = np.hstack([x, *(x[:, [i]] * x[:, i:] for i in range(x.shape[1]))])
        x = (x - x.mean(0)) / (x.std(0) + 1e-9)
        y = ranks(final[mine]) / (len(mine) + 1.0)
        y = np.log(y / (1.0 - y))
        fold = np.random.default_rng(1).integers(0, _FOLDS, len(mine))
        for number in range(_FOLDS):
            out = fold == number
            a, b = x[~out], y[~out]
            scores[mine[out]] = x[out] @ np.linalg.solve(a.T @ a + 50.0 * np.eye(x.shape[1]), a.T @ (b - b.mean()))
    return scores


def _point(moments: Sequence[Moment], top: Flags, group: Ints) -> dict[str, Any]:
    """Return the figures of one moment; ``lead``: AUC over the best of velocity, count and R, resampled in pairs."""
    index = np.array([moment.cascade for moment in moments], dtype=np.int64)
    positive, groups = top[index], group[index]
    final = np.array([moment.final for moment in moments], dtype=np.float64)
    scores = {
        "auc": np.array([moment.forecast[1] * moment.forecast[2] for moment in moments]),
        "velocity_auc": np.array([moment.velocity for moment in moments]),
        "count_auc": np.array([float(moment.so_far) for moment in moments]),
        "seismic_auc": np.array([moment.seismic for moment in moments]),
        "r_auc": np.array([moment.r for moment in moments]),
        "ceiling_auc": ceiling(np.array([moment.known for moment in moments], dtype=np.float64), final, groups),
    }
    result: dict[str, Any] = {"n": len(moments)}
    for name, score in scores.items():
        result[name] = round(_ranked(score, positive, groups), 4)
    for name in ("auc", "ceiling_auc"):
        mine = scores[name]

        def drawn_auc(draw: Ints, mine: Floats = mine) -> float:
            return _ranked(mine[draw], positive[draw], groups[draw])

        low, high = bootstrap(len(moments), drawn_auc, rounds=_ROUNDS)
        result[f"{name}_low"], result[f"{name}_high"] = round(low, 4), round(high, 4)
    if math.isnan(result["auc"]):
        return result | {"best_other": None, "lead": None, "lead_low": None, "lead_high": None}
    best = max(("velocity_auc", "count_auc", "r_auc"), key=lambda name: float(result[name]))

    def lead(draw: Ints) -> float:
        yes, some = positive[draw], groups[draw]
        return grouped_auc(scores["auc"][draw], yes, some) - grouped_auc(scores[best][draw], yes, some)

    low, high = bootstrap(len(moments), lead, rounds=_ROUNDS)
    result |= {"best_other": best, "lead": round(result["auc"] - result[best], 4), "lead_low": round(low, 4), "lead_high": round(high, 4)}
    return result


def _ranked(score: Floats, positive: Flags, group: Ints) -> float:
    """Return the AUC within folders over those that have a score."""
    some = ~np.isnan(score)
    return grouped_auc(score[some], positive[some], group[some])


def _intervals(moments: Sequence[Moment], cascades: int) -> dict[str, Any]:
    """Return how often the 90 % interval holds, over all moments: by decile of the final size, and of the size foreseen.

    Who conditions on how large a story became looks at the surprises first: no forecast holds nine times in ten among those that
    grew most. By the size foreseen it should.
    """
    low, median, high = (np.array([moment.forecast[place] for moment in moments]) for place in range(3))
    final = np.array([moment.final for moment in moments], dtype=np.float64)
    inside = (low <= final * (1 + 1e-6)) & (final <= high * (1 + 1e-6))
    owner = np.array([moment.cascade for moment in moments], dtype=np.int64)
    held = np.bincount(owner, inside, cascades)
    asked = np.bincount(owner, minlength=cascades)
    cover_low, cover_high = bootstrap(cascades, lambda draw: float(held[draw].sum() / max(1, asked[draw].sum())), rounds=_ROUNDS)
    # Interval score (Gneiting and Raftery 2007) of ln size: width, and 20 times what lies outside.
    a, b, y = np.log(low), np.log(high), np.log(final)
    score = (b - a) + 20.0 * np.maximum(a - y, 0.0) + 20.0 * np.maximum(y - b, 0.0)
    return {
        "interval_90_coverage": round(float(inside.mean()), 4),
        "interval_90_coverage_low": round(cover_low, 4),
        "interval_90_coverage_high": round(cover_high, 4),
        "coverage_by_decile": _deciles(final, inside),
        "coverage_by_foreseen_decile": _deciles(median, inside),
        "interval_score": round(float(score.mean()), 4),
        "median_width_factor": round(float(np.median(high / low)), 3),
    }


def _deciles(size: Floats, inside: Flags) -> list[float | None]:
    place = np.searchsorted(np.quantile(size, np.arange(1, 10) / 10.0), size, side="right")
    return [round(float(inside[place == decile].mean()), 4) if (place == decile).any() else None for decile in range(10)]
