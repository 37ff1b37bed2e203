"""The exam on cascades: ranks known by hand, refusals, and the shipped forecast on simulated and real cascades."""

from __future__ import annotations

import csv
import gzip
import math
from pathlib import Path
from random import Random

import numpy as np
import pytest

from streams.errors import BadInput
from streams.evaluate.cascades import evaluate_cascades
from streams.evaluate.cascades_data import read_cascades
from streams.evaluate.forecast_train import GROUPS, SOURCES, by_place, fit, rows_of
from streams.evaluate.resample import auc, bootstrap, grouped_auc
from streams.evaluate.seismic import final_size

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def write(folder: Path, name: str, rows: list[list[object]]) -> None:
    """Write a CSV, gzipped where its name says so."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with gzip.open(path, "wt", newline="") if path.suffix == ".gz" else path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Sixty cascades: the larger a cascade gets, the faster it is from the start."""
    rng = Random(3)
    place = tmp_path / "made"
    events: list[list[object]] = [["cascade_id", "delay_min", "user", "tweet", "parent_user", "parent_tweet"]]
    for number in range(60):
        size = 30 + 5 * number
        for event in range(size):
            minute = 600.0 / size * -math.log(1.0 - rng.random()) * (1 + event / size)
            parent = str(number) if rng.random() < 0.8 else f"{number}-0"
            events.append([number, minute, f"u{rng.randrange(4000)}", f"{number}-{event}", "u", parent])
        events.append([number, -5.0, "early", "e", "u", number])
    write(place, "cascades.csv", [["cascade_id", "label"], *([number, "true"] for number in range(60))])
    write(place, "reshares.csv.gz", events)
    return place


def test_auc_counts_ties_as_a_half_and_only_within_groups() -> None:
    """A tie is half a win; pairs across groups are not compared."""
    scores, yes = np.array([1.0, 2.0, 3.0, 3.0]), np.array([False, False, True, False])
    assert auc(scores, yes) == pytest.approx(2.5 / 3)
    assert grouped_auc(scores, yes, np.array([0, 1, 1, 1])) == pytest.approx(0.75)
    assert math.isnan(auc(scores, np.zeros(4, dtype=bool)))


def test_bootstrap_covers_the_mean() -> None:
    """The interval of a mean has about the width that theory gives."""
    values = np.random.default_rng(0).normal(size=400)
    low, high = bootstrap(400, lambda draw: float(values[draw].mean()))
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.645 / 20, rel=0.2)


def test_seismic_foresees_more_of_a_faster_cascade() -> None:
    """With the same count, the denser cascade gets the larger prediction, and none is below what is there."""
    fast, slow = np.linspace(1, 600, 30), np.linspace(1, 36_000, 30)
    assert final_size(fast, 600.0) > final_size(slow, 36_000.0) >= math.log1p(30)


def test_a_made_folder_is_judged(folder: Path) -> None:
    """Speed that tells size is found, every figure has its interval, and rows from before the root are left out."""
    assert all(cascade.delays_ms[0] >= 0 for cascade in read_cascades([folder]))
    found = evaluate_cascades([folder])
    ten = found["events"]["10"]
    assert ten["n"] == 60
    assert ten["auc"] > 0.75
    assert ten["auc_low"] <= ten["auc"] <= ten["auc_high"]
    assert set(found["minutes"]) == {"15", "60", "240"}
    assert ten["count_auc"] == 0.5
    assert len(found["coverage_by_decile"]) == 10
    assert 0.0 <= found["interval_90_coverage_low"] <= found["interval_90_coverage"] <= found["interval_90_coverage_high"] <= 1.0


def test_pooled_folders_are_compared_within_each(folder: Path) -> None:
    """The same folder twice gives the same AUC with more cascades."""
    one, two = evaluate_cascades([folder]), evaluate_cascades([folder, folder])
    assert two["cascades"] == 2 * one["cascades"]
    assert two["events"]["10"]["auc"] == pytest.approx(one["events"]["10"]["auc"], abs=1e-3)


def test_other_folders_are_refused(tmp_path: Path, folder: Path) -> None:
    """A missing file, a missing column and too few cascades each get a clear word."""
    with pytest.raises(BadInput, match="missing"):
        read_cascades([tmp_path])
    write(tmp_path / "odd", "cascades.csv", [["cascade_id"], ["a"]])
    write(tmp_path / "odd", "reposts.csv.gz", [["cascade_id", "t_s", "mid", "parent_mid", "user_hash"], ["a", 1, "m", "", "u"]])
    with pytest.raises(BadInput, match="label"):
        read_cascades([tmp_path / "odd"])
    write(tmp_path / "odd", "cascades.csv", [["cascade_id", "label"], ["a", "rumor"]])
    with pytest.raises(BadInput, match="too few"):
        evaluate_cascades([tmp_path / "odd"])


def test_training_is_a_function_of_data_and_seed(folder: Path) -> None:
    """Learning twice from the same cascades gives the same reference."""
    cascades = read_cascades([folder])
    assert fit(rows_of(cascades), "made") == fit(rows_of(cascades), "made")


@pytest.mark.skipif(not DATA.exists(), reason="the public cascades are not here")
def test_on_real_cascades_the_forecast_ranks_better_than_the_count() -> None:
    """At an hour the forecast beats the plain count on Twitter15, and its interval holds about as often as it says."""
    found = evaluate_cascades([DATA / SOURCES["x"][0]])
    assert found["minutes"]["60"]["lead_low"] > 0.0
    assert 0.85 <= found["interval_90_coverage"] <= 0.95


def test_bounds_follow_the_size_foreseen() -> None:
    """Errors that are wide where little is foreseen get wide bounds there and narrow ones elsewhere; each group holds nine times in ten."""
    rng = np.random.default_rng(5)
    place = rng.uniform(0.0, 8.0, 8000)
    ratio = rng.normal(size=8000) * np.where(place < 2.0, 4.0, 1.0)
    places, lows, highs = by_place(place, ratio)
    assert len(places) == GROUPS
    assert places == sorted(places)
    assert min(highs[:2]) > 3.0 * max(highs[3:])
    assert max(lows[:2]) < 3.0 * min(lows[3:])
    low, high = np.interp(place, places, lows), np.interp(place, places, highs)
    for first in range(0, 8, 2):
        mine = (place >= first) & (place < first + 2)
        assert 0.85 < ((low <= ratio) & (ratio <= high))[mine].mean() < 0.95
