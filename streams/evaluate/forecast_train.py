"""Learn the references of the forecast: ``python -m streams.evaluate.forecast_train --data DIR --out streams/detect/data/forecast.json``.

Finished cascades are replayed through `streams.detect.growth` up to fixed counts and fixed times; ridge regressions over the shape
and its products learn the growth still to come, the size of its error, and what is usual at that age and count. The interval
is conformal: quantiles of errors that were made on cascades left out of the fit (five folds over cascades). Each kind of story has
a fit of its own. The same files, settings and seed give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.detect.forecast import SHAPE, Reference, References, shape
from streams.detect.growth import Growth
from streams.evaluate.cascades_data import Cascade, read_cascades
from streams.rounding import six
from streams.sources.tables import read_rows

Floats = NDArray[np.float64]

#: Kind of story -> folder of the data, and what was in it when it was collected.
SOURCES = {
    "x": ("twitter15_cascades", "cascades, selected for having 55 reshares or more"),
    "weibo": ("weibo_cascades", "cascades, selected for having less than 1,000 reposts"),
    "posts": ("politifact_stories", "stories told by independent posts, their first week"),
}

SEED = 20_240_601
FOLDS = 5
#: Groups by the size foreseen, each with its own bounds: 2,000 moments each for cascades, 200 for independent posts.
GROUPS = 8
PENALTY = 3e-4
#: The interval holds for stories up to this age, where a forecast helps; later it is wider than it need be.
YOUNG_SECONDS = 4 * 3600
#: Parts of the reactions that thinned copies keep, and what a row of theirs counts.
THINNED = (0.3, 0.1, 0.03)
THIN_WEIGHT = 0.1
COUNTS = (3, 5, 10, 20, 50, 100, 200)
MINUTES = (5, 15, 30, 60, 120, 240, 480, 960, 1920, 3840)
MINUTE_MS = 60_000
#: Independent posts have no end of their own: their story is its first week.
WEEK_MS = 7 * 86_400_000


@dataclass(frozen=True)
class Rows:
    """One row a judged moment: ``x`` shapes, ``y`` ln((1 + final) / (1 + reactions)), ``cascade`` its number."""

    x: Floats
    y: Floats
    cascade: NDArray[np.int64]
    weight: Floats


def moments(cascade: Cascade, counts: Sequence[int], minutes: Sequence[int]) -> Iterator[tuple[int, int, tuple[float, ...]]]:
    """Yield (reactions so far, ms since the root, shape) at each count that is reached and at each time, by time."""
    delays = cascade.delays_ms
    at = [(delays[count - 1], count) for count in counts if count <= cascade.size]
    at += [(minute * MINUTE_MS, bisect_right(delays, minute * MINUTE_MS)) for minute in minutes]
    growth, done, indirect = Growth(), 0, 0
    growth.learn_one(0.0)
    authors: set[str] = {""}
    for ms, count in sorted(at):
        for place in range(done, count):
            growth.learn_one(float(delays[place]))
            authors.add(cascade.authors[place])
            indirect += cascade.parents[place] != ""
        done = max(done, count)
        yield count, ms, shape(growth, float(ms), float(len(authors)), float(indirect))


def read_stories(folder: Path) -> list[Cascade]:
    """Read the first week of stories of which only the times are known; each tweet counts as an author of its own.

    The file is ``tweets.csv.gz`` with ``story_id,tweet_id,t_utc_ms``.
    """
    times: dict[str, list[int]] = defaultdict(list)
    for row in read_rows(folder / "tweets.csv.gz"):
        times[row["story_id"]].append(int(row["t_utc_ms"]))
    made = []
    for name in sorted(times):
        first, *later = sorted(times[name])
        rest = [ms for ms in later if ms - first <= WEEK_MS]
        if rest:
            delays = tuple(ms - first for ms in rest)
            made.append(Cascade(name, folder.name, "", "", "", delays, tuple(map(str, range(len(rest)))), ("",) * len(rest)))
    return made


def thinned(cascade: Cascade, part: float, rng: Random) -> Cascade:
    """Return the cascade as who sees ``part`` of its reactions sees it."""
    kept = [place for place in range(cascade.size) if rng.random() < part]
    return replace(
        cascade,
        delays_ms=tuple(cascade.delays_ms[place] for place in kept),
        authors=tuple(cascade.authors[place] for place in kept),
        parents=tuple(cascade.parents[place] for place in kept),
    )


def rows_of(cascades: Sequence[Cascade]) -> Rows:
    """Return the rows of all cascades and of thinned copies, which stand for stories that stay small; nobody yet teaches nothing."""
    found: list[tuple[tuple[float, ...], float, int, float]] = []
    rng = Random(SEED)
    for number, cascade in enumerate(cascades):
        copies = [(cascade, 1.0), *((thinned(cascade, part, rng), THIN_WEIGHT) for part in THINNED)]
        for copy, weight in copies:
            for count, _, point in moments(copy, COUNTS, MINUTES):
                if count:
                    found.append((point, math.log((1 + copy.size) / (1 + count)), number, weight))
    points, growths, numbers, weights = zip(*found, strict=True)
    return Rows(np.array(points), np.array(growths), np.array(numbers), np.array(weights))


def products(x: Floats) -> Floats:
    """Return an intercept, the columns and all their products of two, as `streams.detect.forecast.terms` does."""
    width = x.shape[1]
    pairs = [x[:, [i]] * x[:, i:] for i in range(width)]
    return np.hstack([np.ones((len(x), 1)), x, *pairs])


def ridge(x: Floats, y: Floats, weight: Floats) -> Floats:
    """Return weighted ridge coefficients; the intercept (first column) is not penalised."""
    penalty: Floats = PENALTY * float(weight.sum()) * np.eye(x.shape[1], dtype=np.float64)
    penalty[0, 0] = 0.0
    heavy = (x * weight[:, None]).T
    return np.asarray(np.linalg.solve(heavy @ x + penalty, heavy @ y), dtype=np.float64)


def fit(rows: Rows, measured_on: str) -> Reference:
    """Learn a reference from ``rows``; the interval's quantiles come from errors on left-out, whole, young cascades."""
    least, most = np.quantile(rows.x, [0.002, 0.998], axis=0)
    x = np.clip(rows.x, least, most)
    x0 = x[:, 0]
    mean, deviation = x.mean(0), x.std(0) + 1e-9
    x = (x - mean) / deviation
    full, plain, weight = products(x), products(x[:, :2]), rows.weight
    fold = np.random.default_rng(SEED).integers(0, FOLDS, int(rows.cascade.max()) + 1)[rows.cascade]

    def left_out(y: Floats) -> Floats:
        found = np.empty(len(y))
        for number in range(FOLDS):
            out = fold == number
            found[out] = full[out] @ ridge(full[~out], y[~out], weight[~out])
        return found

    foreseen = left_out(rows.y)
    error = rows.y - foreseen
    size = np.log(np.abs(error) + 0.05)
    ratio = error / np.exp(left_out(size))
    young = (weight == 1.0) & (rows.x[:, 1] <= math.log(YOUNG_SECONDS + 31.0))
    low, median, high = np.quantile(ratio[young], [0.05, 0.5, 0.95]).tolist()
    places, lows, highs = by_place((foreseen + x0)[young], ratio[young])
    growth, spread = ridge(full, rows.y, weight), ridge(full, size, weight)
    reach = full @ growth + 0.5 * (median + high) * np.exp(full @ spread)
    usual = ridge(plain, reach, weight)
    return Reference(
        measured_on=measured_on,
        least=_list(least), most=_list(most), mean=_list(mean), deviation=_list(deviation),
        growth=_list(growth), spread=_list(spread), usual=_list(usual),
        usual_deviation=six(float(np.std(reach - plain @ usual))), low=six(low), median=six(median), high=six(high),
        places=places, lows=lows, highs=highs,
    )  # fmt: skip


def by_place(place: Floats, ratio: Floats) -> tuple[list[float], list[float], list[float]]:
    """Return the middles of `GROUPS` groups of equal size by ``place``, and the 5 % and 95 % quantiles of each group's ratios."""
    edges = np.quantile(place, np.arange(1, GROUPS) / GROUPS)
    group = np.searchsorted(edges, place, side="right")
    found = [(np.median(place[group == one]), *np.quantile(ratio[group == one], [0.05, 0.95])) for one in range(GROUPS)]
    places, lows, highs = zip(*found, strict=True)
    return _list(np.array(places)), _list(np.array(lows)), _list(np.array(highs))


def _list(values: Floats) -> list[float]:
    return [six(float(value)) for value in values]


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the data, learn, write the file and say what it rests on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with twitter15_cascades, weibo_cascades, politifact_stories")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    given = parser.parse_args(arguments)
    made: dict[str, Reference] = {}
    for kind, (folder, what) in SOURCES.items():
        cascades = read_stories(given.data / folder) if kind == "posts" else read_cascades([given.data / folder])
        made[kind] = fit(rows_of(cascades), f"{folder}: {len(cascades)} {what}")
        print(f"{kind}: {made[kind].measured_on}")
    told: dict[str, Any] = msgspec.to_builtins(References(1, list(SHAPE), made))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
