"""Folders of planted events that others made: figures that can be reckoned by hand, or a sentence that says what to mend."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streams.cli.evaluate import known
from streams.clock import rfc3339
from streams.crisis.severity import ranked_probability_score
from streams.errors import BadInput
from streams.evaluate.desk import evaluate_desk
from streams.evaluate.lead import evaluate_lead
from streams.evaluate.lead_data import AFTER_MS, DAY_MS, read_folder
from streams.evaluate.report import report
from streams.evaluate.resample import poisson_interval
from streams.settings import Settings

BEGIN = 1_740_960_000_000
HOUR = 3_600_000


def mention(number: int, ms: int, text: str) -> dict[str, Any]:
    """Return one mention."""
    return {"id": f"m{number}", "network": "x", "text": text, "published_at": rfc3339(ms), "author": {"id": f"a{number}"}}


def rows() -> list[dict[str, Any]]:
    """Return four days of Kestrane, six ordinary mentions an hour."""
    return [mention(n, BEGIN + n * HOUR // 6, f"number {n} at Kestrane, as ever in row {n % 7}") for n in range(4 * 24 * 6)]


def write(place: Path, mentions: list[dict[str, Any]], truth: Any) -> Path:
    """Write a folder of the exam."""
    place.mkdir(exist_ok=True)
    lines = "".join(json.dumps(row) + "\n" for row in mentions)
    (place / "mentions.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (place / "watchlist.yaml").write_text("brands: [{id: kestrane, names: [Kestrane], alarms_per_week: 1.4}]\n")
    (place / "truth.json").write_text(truth if isinstance(truth, str) else json.dumps(truth))
    return place


def event(first: int = 200, last: int = 203, **more: Any) -> dict[str, Any]:
    """Return an event of the truth over these mentions."""
    ids = [f"m{number}" for number in range(first, last)]
    return {"name": "e", "brand": "kestrane", "onset": rows()[first]["published_at"], "mention_ids": ids, "crisis": True, **more}


def settings() -> Settings:
    """Return the shipped settings."""
    return Settings(_env_file=None)


def test_brand_days_are_those_outside_crises(tmp_path: Path) -> None:
    """Four days less a crisis of twenty minutes and the half day after it; crises that overlap are taken out once, decoys not at all."""
    span = rows()[-1]["published_at"], rows()[0]["published_at"]
    assert span == (rfc3339(BEGIN + 4 * DAY_MS - HOUR // 6), rfc3339(BEGIN))
    whole = 4 * DAY_MS - HOUR // 6
    for truth, less in (
        ([], 0),
        ([event(crisis=False)], 0),
        ([event()], HOUR // 3 + AFTER_MS),
        ([event(), event(name="again")], HOUR // 3 + AFTER_MS),
        ([event(), event(206, 209)], HOUR + HOUR // 3 + AFTER_MS),
    ):
        folder = read_folder(write(tmp_path / "f", rows(), truth))
        folder.counts["kestrane"] = [0]
        assert folder.brand_days == pytest.approx((whole - less) / DAY_MS)
        assert folder.asked_per_day == pytest.approx(0.2)


@pytest.mark.parametrize("truth", [[], [event(crisis=False)]], ids=["nothing planted", "decoys alone"])
def test_ordinary_days_tell_false_alarms_alone(tmp_path: Path, truth: Any) -> None:
    """Nothing rings on days that are all alike; of openings nothing is said, and the report can be drawn."""
    said: list[str] = []
    found = known(evaluate_lead([write(tmp_path / "f", rows(), truth)], settings(), rates=(0.1,), say=said.append))
    row = found["shipped"]
    assert row["asked_per_brand_day"] == 0.2
    assert (row["false_alarms"], row["false_alarms_per_brand_day"]) == (0, 0.0)
    assert row["false_alarms_per_brand_day_high"] == pytest.approx(3.0 / found["brand_days"], rel=0.01)
    assert {row[name] for name in row if name.startswith(("opened", "median"))} == {None}
    assert found["crises"] == []
    assert any("no folder holds a planted crisis" in line for line in said)
    assert "<svg" in report("lead", found, ["f"])
    cards = known(evaluate_desk([tmp_path / "f"], settings()))
    assert (cards["events"], cards["crises_per_event"], cards["opening"]) == (0, None, {"n": 0})
    assert "<svg" in report("desk", cards, ["f"])


def test_the_order_of_rows_the_name_and_plain_files_change_nothing(tmp_path: Path) -> None:
    """A burst of complaints opens one crisis, the same however the folder is written."""
    burst = [
        mention(5000 + n, BEGIN + 60 * HOUR + n * 20_000, f"Kestrane cancelled order {n}, a scandal, I want my money back")
        for n in range(200)
    ]
    truth = [event(mention_ids=[row["id"] for row in burst], onset=burst[0]["published_at"])]
    place = write(tmp_path / "f", rows() + burst, truth)
    before = evaluate_lead([place], settings(), rates=(0.1,))
    (crisis,) = before["crises"]
    assert crisis["opened_at"] is not None
    assert crisis["mentions"] == 200
    assert before["shipped"]["false_alarms"] == 0
    assert before["shipped"]["median_minutes_low"] is None, "one crisis has no interval"
    other = write(tmp_path / "other name", [*reversed(rows()), *burst], truth)
    (other / "mentions.jsonl").write_bytes(gzip.decompress((other / "mentions.jsonl.gz").read_bytes()))
    (other / "mentions.jsonl.gz").unlink()
    assert evaluate_lead([other], settings(), rates=(0.1,)) == before


def test_the_truth_does_not_reach_the_stages(tmp_path: Path) -> None:
    """Told that the crisis is a decoy, the same alarm rings at the same time and is a false one."""
    burst = [
        mention(5000 + n, BEGIN + 60 * HOUR + n * 20_000, f"Kestrane cancelled order {n}, a scandal, I want my money back")
        for n in range(200)
    ]
    truth = event(mention_ids=[row["id"] for row in burst], onset=burst[0]["published_at"])
    crisis = evaluate_lead([write(tmp_path / "f", rows() + burst, [truth])], settings(), rates=(0.1,))
    decoy = evaluate_lead([write(tmp_path / "f", rows() + burst, [{**truth, "crisis": False}])], settings(), rates=(0.1,))
    assert crisis["shipped"]["opened_share"] == 1
    assert (crisis["shipped"]["false_alarms"], decoy["shipped"]["false_alarms"]) == (0, 1)


Change = Callable[[dict[str, Any]], Any]
WRONG: dict[str, tuple[Change, str]] = {
    "no list": (lambda one: one, "must be a list of events"),
    "no JSON": (lambda one: "[\n{", "line 2: no JSON"),
    "a field too few": (lambda one: [{"name": "x"}], "entry 1: an event needs name, brand, onset, mention_ids and crisis"),
    "a word for a yes": (lambda one: [one, {**one, "crisis": "false"}], "entry 2: crisis must be true"),
    "a brand of nobody": (lambda one: [{**one, "brand": "acme"}], "no such brand"),
    "an onset that is none": (lambda one: [{**one, "onset": "soon"}], "onset is no date"),
    "mentions of nobody": (lambda one: [{**one, "mention_ids": ["x", "y"]}], "none of its 2 mention_ids"),
    "a word for ids": (lambda one: [{**one, "mention_ids": "m1"}], "must be a list of ids"),
}


@pytest.mark.parametrize("what", list(WRONG))
def test_a_truth_that_does_not_fit_is_told(tmp_path: Path, what: str) -> None:
    """An event that cannot be judged is never left out in silence: that would flatter."""
    change, words = WRONG[what]
    with pytest.raises(BadInput, match=words):
        read_folder(write(tmp_path / "f", rows(), change(event())))


@pytest.mark.parametrize("odd", ["9999-12-31T23:59:59Z", "2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
def test_a_broken_date_is_told(tmp_path: Path, odd: str) -> None:
    """A mention of another century would make each minute until then a step."""
    place = write(tmp_path / "f", [*rows(), {**mention(9000, BEGIN, "Kestrane"), "published_at": odd}], [])
    with pytest.raises(BadInput, match=f"more than a year lies between two mentions, of .*{odd[:4]}"):
        read_folder(place)


def test_what_differs_is_said(tmp_path: Path) -> None:
    """Ids that are not there and an onset that is not the first mention are pointed out."""
    said: list[str] = []
    truth = [event(mention_ids=["m200", "m201", "gone"], onset=rows()[100]["published_at"])]
    read_folder(write(tmp_path / "f", rows(), truth), said.append)
    assert any("1 of its 3 mention_ids are not in the mentions" in line for line in said)
    assert any("its onset is not its first mention" in line for line in said)


def test_mentions_that_count_for_no_brand_are_told(tmp_path: Path) -> None:
    """Of a folder with a mention of another, one twice, and a broken line, each is counted apart."""
    said: list[str] = []
    odd = [mention(9000, BEGIN + HOUR, "Acme is not on the list"), rows()[0], {"id": "m9001", "published_at": rfc3339(BEGIN)}]
    evaluate_lead([write(tmp_path / "f", rows() + odd, [])], settings(), rates=(), say=said.append)
    assert "f: 579 mentions read: 576 of brands of the watchlist, 1 of none, 1 double, 1 refused (bad_network 1)" in said


def test_a_watchlist_of_another_brand_is_told(tmp_path: Path) -> None:
    """Where no mention names a brand there is no brand-day to count in."""
    place = write(tmp_path / "f", rows(), [])
    (place / "watchlist.yaml").write_text("brands: [{id: acme, names: [Acme]}]\n")
    with pytest.raises(BadInput, match="no mention in f names a brand"):
        evaluate_lead([place], settings(), rates=(0.1,))


def test_intervals_and_scores_by_another_reckoning() -> None:
    """The Poisson interval is that of tables of the chi-squared distribution, the ranked probability score that of its definition."""
    exact = {0: (0.0, 2.9957323), 1: (0.0512933, 4.7438645), 7: (3.2853157, 13.1481138), 40: (30.1957392, 52.0693691)}
    for count, bounds in exact.items():
        assert poisson_interval(count) == pytest.approx(bounds, abs=1e-6)
    random = np.random.default_rng(1)
    for _ in range(20):
        said = random.dirichlet(np.ones(5))
        for true in range(1, 6):
            came = np.cumsum(np.arange(1, 6) == true)
            mean = float(((np.cumsum(said) - came)[:4] ** 2).mean())
            assert ranked_probability_score(tuple(said), true) == pytest.approx(mean, abs=1e-6)
