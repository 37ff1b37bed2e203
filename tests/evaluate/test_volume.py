"""The exams on counts: NAB's score on cases known by hand, and the shipped settings on public series."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.evaluate.counts_data import read_profiles, read_series
from streams.evaluate.nab import Series, Weights, false_alarms, hits, normalised, probation
from streams.evaluate.published import compare, published_alarms
from streams.evaluate.resample import poisson_interval
from streams.evaluate.volume import evaluate_budget

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "nab_realtweets"
STANDARD = Weights(1.0, 1.0, 0.11)
ONE = Series("one", [i * 300_000 for i in range(1000)], [1.0] * 1000, [(500, 599)])


def test_a_silent_detector_scores_nothing() -> None:
    """No alarm gives 0, an alarm at a window's first row 100."""
    assert normalised([ONE], [[]], STANDARD) == 0.0
    assert normalised([ONE], [[500]], STANDARD) == pytest.approx(100.0)


def test_false_alarms_cost() -> None:
    """Each alarm before any window takes 0.11 of a window; one just after a window costs less than one long after."""
    assert normalised([ONE], [[300, 500]], STANDARD) == pytest.approx(100.0 - 11.0 / 2.0)
    assert normalised([ONE], [[500, 601]], STANDARD) > normalised([ONE], [[500, 990]], STANDARD)


def test_probation_is_not_judged() -> None:
    """Alarms in the first 15 % count for nothing."""
    assert probation(ONE) == 150
    assert false_alarms(ONE, [10, 300]) == 1
    assert hits(ONE, [550]) == [True]


def test_poisson_interval_of_none() -> None:
    """No event in a period is compatible with a mean of up to three."""
    low, high = poisson_interval(0)
    assert low == 0.0
    assert high == pytest.approx(3.0, abs=0.01)


@pytest.mark.skipif(not DATA.exists(), reason="the public count series are not here")
def test_the_budget_is_a_ceiling_on_public_series() -> None:
    """Realised false alarms stay near or below what was asked for at one and four a week."""
    assert len(read_series([DATA])) == 5
    rows = {row["asked_per_week"]: row for row in evaluate_budget([DATA])["rows"]}
    assert rows[1.0]["ratio"] <= 1.5
    assert rows[4.0]["ratio"] <= 1.5
    assert rows[1.0]["windows_hit"] >= 10


@pytest.mark.skipif(not DATA.exists(), reason="the public count series are not here")
def test_a_detector_compared_with_itself_does_not_differ() -> None:
    """Paired differences to published detectors: none to oneself; the published score is the one that its authors give."""
    series, weights = read_series([DATA]), read_profiles([DATA])["standard"]
    others = published_alarms([DATA], series)
    ours = compare(series, others["htmjava"], others, weights)
    assert (ours["htmjava"]["difference"], ours["htmjava"]["difference_low"], ours["htmjava"]["difference_high"]) == (0.0, 0.0, 0.0)
    assert ours["ARTime"]["standard"] == pytest.approx(82.0, abs=0.5)
