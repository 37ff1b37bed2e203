"""How the lead exam counts."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from schemas.brand import Brand, Watchlist
from streams.errors import BadInput
from streams.evaluate.lead import curve_row, judge
from streams.evaluate.lead_data import Folder, Planted, read_folder

HOUR = 3_600_000
DAY = 24 * HOUR


def folder() -> Folder:
    """Ten days of one brand with a crisis on day 5 and a decoy on day 8."""
    crisis = Planted("fire", "a", True, tuple(5 * DAY + i * 60_000 for i in range(100)))
    decoy = Planted("prize", "a", False, tuple(8 * DAY + i * 60_000 for i in range(100)))
    watchlist = Watchlist(brands=(Brand(id="a", names=("A",)),))
    return Folder("f", [(0, b"", "x"), (10 * DAY, b"", "y")], watchlist, [crisis, decoy], {"a": [0]})


def test_an_opening_in_the_crisis_counts_with_its_share() -> None:
    """The first opening after the onset counts, with the share of mentions that were out."""
    (outcome,), wrong = judge(folder(), [("a", 5 * DAY + 10 * 60_000), ("a", 5 * DAY + 2 * HOUR)])
    assert (outcome.opened_ms, outcome.share, wrong) == (5 * DAY + 10 * 60_000, 0.1, 0)


def test_alarms_elsewhere_and_on_decoys_are_false() -> None:
    """An opening before the onset, of another brand, or on a decoy is a false alarm."""
    (outcome,), wrong = judge(folder(), [("a", 4 * DAY), ("b", 5 * DAY + 60_000), ("a", 8 * DAY + HOUR)])
    assert outcome.opened_ms is None
    assert wrong == 3


def test_a_curve_row_holds_rates_and_intervals() -> None:
    """A row of the curve has the false alarms a brand-day and each figure with its interval."""
    made = folder()
    outcomes, wrong = judge(made, [("a", 5 * DAY + 5 * 60_000), ("a", 2 * DAY)])
    row = curve_row(0.1, outcomes * 4, wrong, made.brand_days)
    assert row["false_alarms_per_brand_day"] == pytest.approx(1 / made.brand_days, abs=1e-3)
    assert row["opened_share"] == row["opened_share_low"] == row["opened_share_high"] == 1
    assert row["median_minutes"] == 5
    assert row["opened_before_tenth_share"] == 1


def test_nothing_opened_gives_no_minutes() -> None:
    """Where nothing opened there is no median, and the shares are 0."""
    outcomes, _ = judge(folder(), [])
    row = curve_row(0.1, outcomes, 0, 1.0)
    assert (row["median_minutes"], row["opened_share"]) == (None, 0)


def test_a_folder_with_a_wrong_truth_is_refused(tmp_path: Path) -> None:
    """A truth without the fields of the format ends with exit code 4."""
    line = {"id": "a", "network": "x", "text": "A", "published_at": "2025-03-03T00:00:00Z"}
    (tmp_path / "mentions.jsonl.gz").write_bytes(gzip.compress(json.dumps(line).encode()))
    (tmp_path / "watchlist.yaml").write_text("brands: [{id: a, names: [A]}]\n")
    (tmp_path / "truth.json").write_text('[{"name": "x"}]')
    with pytest.raises(BadInput, match="mention_ids"):
        read_folder(tmp_path)
