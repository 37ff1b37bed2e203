"""The estimators by behaviour: scoring is pure, constants stay silent, tails and thresholds mean what they say."""

from __future__ import annotations

import copy
import math
import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detect.authors import Authors
from streams.detect.baseline import Baseline
from streams.detect.budget import DAY_MS, Budget
from streams.detect.copies import Copies
from streams.detect.forecast import forecast
from streams.detect.formulas import count_tail
from streams.detect.growth import HOUR, Growth
from streams.detect.season import Season
from streams.detect.tail import Tail
from streams.detect.terms import Terms


def test_counts_tail_is_close_to_the_exact_poisson() -> None:
    """The deviance approximation lies within a quarter of a decade of the exact Poisson tail."""
    for mean, count in ((0.5, 4), (5.0, 15), (50.0, 80), (500.0, 600)):
        exact = math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count, count + 400))
        assert count_tail(count, mean, mean) == pytest.approx(-math.log10(exact), abs=0.25)


def test_a_constant_stream_stays_silent() -> None:
    """Two weeks of the same count an hour surprise nobody at any hour."""
    base = Baseline()
    for hour in range(336):
        base.learn_one(hour, 20.0, "UTC")
    assert all(base.score_one(20.0, base.expected(h, h + 1.0, "UTC"), 1) < 1.0 for h in range(336, 360))


def test_a_level_shift_becomes_usual_by_the_shadow() -> None:
    """After 48 h at three times the level the capped rate still lags, the shadow has most of it."""
    base = Baseline()
    for hour in range(240):
        base.learn_one(hour, 10.0, "UTC")
    for hour in range(240, 288):
        base.learn_one(hour, 30.0, "UTC")
    before = base.rate
    base.rebase()
    assert base.rate > max(before, 18.0)


@pytest.mark.parametrize("past", [0, 1, 48, 400])
@pytest.mark.parametrize("live", [1.0, 0.4])
def test_skipping_empty_hours_is_learning_zeros(past: int, live: float) -> None:
    """A run of empty hours leaves, to the last bit, the state that learning each of them leaves: cold, known, with cells of its own."""
    one, two = Baseline(), Baseline()
    for base in (one, two):
        for hour in range(past):
            base.learn_one(hour, 5.3 * (hour % 3), "Europe/Paris", live)
    one.skip(past, 100, "Europe/Paris", live)
    for hour in range(past, past + 100):
        two.learn_one(hour, 0.0, "Europe/Paris", live)
    assert one == two


def test_brands_of_one_watchlist_share_nothing_but_their_beginning() -> None:
    """Two brands that nobody spoke of for a day are alike; what one learns then the other does not, nor one that begins later."""
    one, two, late = Baseline(), Baseline(), Baseline()
    one.skip(0, 30, "UTC")
    two.skip(0, 30, "UTC")
    before = copy.deepcopy(two)
    assert one == two
    for hour in range(30, 400):
        one.learn_one(hour, 9.0, "UTC")
    late.skip(0, 30, "UTC")
    assert two == late == before != one


def test_empty_hours_of_a_rate_of_nothing_are_skipped() -> None:
    """Where nothing at all is expected, empty hours teach no season, and do no harm."""
    one, two = Baseline(a=0.0), Baseline(a=0.0)
    one.skip(0, 30, "UTC")
    for hour in range(30):
        two.learn_one(hour, 0.0, "UTC")
    assert one == two


def test_a_dead_source_is_no_zero() -> None:
    """Hours in which no source was up teach nothing."""
    base = Baseline()
    for hour in range(48):
        base.learn_one(hour, 12.0, "UTC")
    before = copy.deepcopy(base)
    base.skip(48, 24, "UTC", live=0.0)
    assert base == before


def test_season_finds_the_night() -> None:
    """A brand that is loud at night gets its own rhythm within two weeks."""
    season = Season()
    for hour in range(336):
        season.learn_one(hour, "UTC", 40.0 if hour % 24 < 6 else 10.0, 17.5)
    assert season.factor(336 + 2, "UTC") > 1.5 * season.factor(336 + 14, "UTC")


def test_scoring_changes_nothing() -> None:
    """Asking an estimator leaves it as it was, and packing brings it back."""
    tail, growth, budget = Tail(), Growth(), Budget()
    for i in range(100):
        tail.learn_one(i % 13 / 3.0)
        growth.learn_one(i * 60_000.0)
    for estimator, ask in ((tail, lambda: tail.score_one(3.0)), (growth, lambda: growth.interval(7e6)), (budget, budget.threshold)):
        before = msgspec.msgpack.encode(estimator)
        ask()
        assert msgspec.msgpack.encode(estimator) == before
        assert msgspec.msgpack.decode(before, type=type(estimator)) == estimator


@settings(max_examples=30, deadline=None)
@given(scores=st.lists(st.floats(-5, 30), min_size=1, max_size=300))
def test_tail_is_monotone(scores: list[float]) -> None:
    """A greater score is never less rare, whatever was learned."""
    tail = Tail()
    for score in scores:
        tail.learn_one(score)
    asked = [tail.score_one(x / 2.0) for x in range(-10, 40)]
    assert all(low <= high + 1e-9 for low, high in pairwise(asked))


def test_budget_moves_up_and_comes_back() -> None:
    """Unconfirmed alarms raise the threshold, confirmed ones do not, and time brings it back to its base, never below."""
    base = Budget().threshold()
    budget = Budget()
    for day in range(5):
        budget.alarm(day * DAY_MS + 1)
        budget.settle((day + 1) * DAY_MS + 2)
    assert budget.threshold() > base + 0.5
    budget.settle(1000 * DAY_MS)
    assert budget.threshold() == base
    confirmed = Budget()
    confirmed.alarm(1)
    confirmed.confirm(DAY_MS // 2)
    confirmed.settle(3 * DAY_MS)
    assert confirmed.threshold() == base


def test_effective_authors_tell_a_flood() -> None:
    """A thousand mentions by five accounts are five effective authors; by a thousand people about a thousand."""
    few, many = Authors(), Authors()
    for i in range(1000):
        few.learn_one(f"bot{i % 5}")
        many.learn_one(f"person{i}")
    assert few.effective() == pytest.approx(5.0)
    assert 850 <= many.distinct() <= 1000
    assert many.effective() > 500


def test_merged_authors_are_those_of_both() -> None:
    """Merging adds the other's authors without counting one twice."""
    one, two = Authors(), Authors()
    for i in range(40):
        one.learn_one(f"a{i}")
        two.learn_one(f"a{i + 20}")
    one.merge(two)
    assert one.total == 80
    assert 50 <= one.distinct() <= 70


def test_a_finished_cascade_is_forecast_as_finished() -> None:
    """A cascade of 1,000 that ended two days ago is forecast to stay near 1,000, and its growth is low."""
    growth = Growth()
    for i in range(1000):
        growth.learn_one(HOUR * 6 * i / 1000)
    foreseen, _ = forecast(growth, 54 * HOUR, 1000.0, 990.0, 0.0, "x")
    assert 1000 <= foreseen.low <= foreseen.median <= foreseen.high < 1200
    assert growth.median(54 * HOUR) < 0.8


def test_doubling_time_of_an_exponential() -> None:
    """Events that double every hour give a doubling time within a factor of two of an hour."""
    growth = Growth()
    for i in range(1, 400):
        growth.learn_one(math.log2(i) * HOUR)
    doubling = growth.doubling_minutes(math.log2(400) * HOUR)
    assert doubling is not None
    assert 30 < doubling < 120


def test_usual_terms_make_no_pair() -> None:
    """Words that always stand together are nobody's emerging story; a new pair among them is."""
    terms, r = Terms(), random.Random(5)
    found: list[str] = []
    for i in range(3000):
        words = tuple(f"w{r.randrange(30)}" for _ in range(4))
        found += terms.learn_one(i * 120_000, words, f"a{i}", 1.0)
    late = [pair for pair in found if pair]
    assert len(late) < 60
    new: list[str] = []
    for i in range(8):
        new += terms.learn_one((3000 + i) * 120_000, ("glass", "soup", "w1"), f"b{i}", 1.0)
    assert "glass|soup" in new


def test_near_copies_share_a_signature() -> None:
    """Signatures that differ in three bits stand for one text, far ones do not."""
    copies = Copies()
    first = copies.find("00000000ffffffff")
    assert copies.find("00000000fffffff8") == first
    assert copies.find("ffffffff00000000") != first


def test_a_tail_whose_hours_all_lie_above_the_pooled_start_still_learns() -> None:
    """Hours that are never below the pooled start teach the brand's own tail: the same surprise is rare for one, usual for another."""
    rng = random.Random(4)
    calm, wild = Tail(start=-4.0, scale=1.5, own_start=True), Tail(start=-4.0, scale=1.5, own_start=True)
    for _ in range(1000):
        calm.learn_one(rng.expovariate(2.0))
        wild.learn_one(rng.expovariate(0.4))
    assert len(calm.top) > 20
    assert calm.score_one(6.0) > 2.5 > wild.score_one(6.0)


def test_a_recalibrated_number_is_as_rare_as_it_says() -> None:
    """Of 3,000 further ordinary hours about one in a hundred passes 2, whatever the scale of the scores."""
    rng = random.Random(5)
    for scale in (0.5, 3.0):
        tail = Tail(start=-4.0, scale=1.5, own_start=True)
        for _ in range(2000):
            tail.learn_one(scale * rng.expovariate(1.0))
        passed = sum(tail.score_one(scale * rng.expovariate(1.0)) >= 2.0 for _ in range(3000))
        assert 8 <= passed <= 75
