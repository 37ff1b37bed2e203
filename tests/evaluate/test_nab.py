"""NAB's score held against a plain row-by-row reckoning, written from the published description and apart from the code."""

from __future__ import annotations

import json
import math
from pathlib import Path
from random import Random

import pytest

from streams.evaluate.counts_data import PROFILES, read_profiles, read_series
from streams.evaluate.nab import Series, Weights, judged_days, normalised, probation
from streams.evaluate.published import published_alarms

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "nab_realtweets"


def curve(y: float) -> float:
    """The scaled sigmoid of the paper: near 1 at a window's left edge (-1), 0 at its right edge, -1 from three widths on."""
    return -1.0 if y >= 3 else 2.0 / (1.0 + math.exp(5.0 * y)) - 1.0


def reckoned(series: list[Series], alarms: list[list[int]], weights: Weights) -> float:
    """Walk through the rows once, as the benchmark does, and normalise between a silent and a perfect detector."""
    total, windows = 0.0, 0
    for one, rang in zip(series, alarms, strict=True):
        unjudged = min(int(0.15 * len(one.counts)), 750)
        best: dict[tuple[int, int], float] = {}
        past: tuple[int, int] | None = None
        for row in range(len(one.counts)):
            inside = next((window for window in one.windows if window[0] <= row <= window[1]), None)
            if inside and row >= unjudged:
                best.setdefault(inside, -weights.miss)
            if row in rang and row >= unjudged:
                if inside:
                    place = -(inside[1] - row + 1) / (inside[1] - inside[0] + 1)
                    best[inside] = max(best[inside], weights.hit * curve(place) / curve(-1.0))
                else:
                    total += weights.false_alarm * curve((row - past[1]) / (past[1] - past[0]) if past else 3.0)
            if inside and row == inside[1]:
                past = inside
        total += sum(best.values())
        windows += len(best)
    worst = -weights.miss * windows
    return 100.0 * (total - worst) / (weights.hit * windows - worst)


def drawn(random: Random, rows: int) -> tuple[Series, list[int]]:
    """Return a random series with windows, some of them in the rows that are not judged, and alarms."""
    edges = sorted(random.sample(range(5, rows), 8))
    windows = [(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True) if last > first + 1]
    return Series("s", [300_000 * i for i in range(rows)], [1.0] * rows, windows), sorted(random.sample(range(rows), 12))


@pytest.mark.parametrize("profile", list(PROFILES))
def test_score_is_that_of_a_row_by_row_reckoning(profile: str) -> None:
    """Over random windows and alarms of series of odd lengths both give the same, for each profile."""
    random = Random(4)
    for _ in range(60):
        pairs = [drawn(random, random.choice((97, 203, 610))) for _ in range(3)]
        series, alarms = [one for one, _ in pairs], [rang for _, rang in pairs]
        assert normalised(series, alarms, PROFILES[profile]) == pytest.approx(reckoned(series, alarms, PROFILES[profile]))


def test_the_rows_that_are_not_judged_are_rounded_down() -> None:
    """Of 110 rows 16.5 are 15 %: sixteen are not judged."""
    assert probation(Series("s", [], [1.0] * 110, [])) == 16


def test_a_window_without_judged_rows_still_softens_what_comes_right_after_it() -> None:
    """An alarm just after a window counts as a late one, also where the window itself lies before the judged rows."""
    one = Series("s", [300_000 * i for i in range(1000)], [1.0] * 1000, [(100, 148), (500, 599)])
    late, far = normalised([one], [[151, 500]], PROFILES["standard"]), normalised([one], [[450, 500]], PROFILES["standard"])
    assert far < late < 100.0


def test_without_windows_there_is_no_score() -> None:
    """A series without labels has no score, and does not pull the score of others to nothing."""
    bare = Series("b", [0, 1], [1.0, 1.0], [])
    one = Series("s", [300_000 * i for i in range(1000)], [1.0] * 1000, [(500, 599)])
    assert math.isnan(normalised([bare], [[]], PROFILES["standard"]))
    assert normalised([bare, one], [[], [500]], PROFILES["standard"]) == pytest.approx(100.0)


def test_judged_days_leave_gaps_out() -> None:
    """A hole of a month in the rows is no month without a false alarm."""
    times = [300_000 * i + (30 * 86_400_000 if i >= 500 else 0) for i in range(1000)]
    assert judged_days(Series("s", times, [1.0] * 1000, [(500, 599)])) == pytest.approx(750 * 300 / 86_400)


@pytest.mark.skipif(not DATA.exists(), reason="the public count series are not here")
def test_published_detectors_get_their_published_scores() -> None:
    """Three detectors' anomaly scores, at their thresholds, score what was published for these five series."""
    series, weights = read_series([DATA]), read_profiles([DATA])["standard"]
    published = json.loads((DATA / "published_scores_these_five.json").read_text())
    for name, alarms in published_alarms([DATA], series).items():
        assert normalised(series, alarms, weights) == pytest.approx(published[name], abs=0.01)
        assert reckoned(series, alarms, weights) == pytest.approx(published[name], abs=0.01)
