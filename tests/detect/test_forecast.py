"""The forecast of a story's size by behaviour."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detect.forecast import forecast, kind_of, outlook, references, shape, terms
from streams.detect.growth import HOUR, MINUTE, Growth


def burst(count: int, over_ms: float) -> Growth:
    """Return the growth of ``count`` events spread evenly over ``over_ms``."""
    growth = Growth()
    for place in range(count):
        growth.learn_one(over_ms * place / max(1, count - 1))
    return growth


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.floats(0, 3 * HOUR), min_size=1, max_size=60),
    later=st.floats(0, 400 * HOUR),
    kind=st.sampled_from(["x", "weibo", "posts"]),
)
def test_bounds_are_in_order_and_never_below_what_is_there(gaps: list[float], later: float, kind: str) -> None:
    """Whatever came when: so far <= low <= median <= high, the quantile lies in 0 to 1, and asking changes nothing."""
    growth, at = Growth(), 0.0
    for gap in gaps:
        at += gap
        growth.learn_one(at)
    before = repr(growth)
    foreseen, quantile = forecast(growth, at + later, float(len(gaps)), float(len(gaps)), 0.0, kind)
    assert len(gaps) * 0.99999 <= foreseen.low <= foreseen.median <= foreseen.high
    assert 0.0 <= quantile <= 1.0
    assert repr(growth) == before


@pytest.mark.parametrize("kind", ["x", "weibo", "posts"])
def test_faster_at_the_same_count_is_larger(kind: str) -> None:
    """Thirty reactions within ten minutes are foreseen to become more than thirty within ten hours."""
    fast, _ = forecast(burst(31, 10 * MINUTE), 10 * MINUTE, 31.0, 31.0, 0.0, kind)
    slow, _ = forecast(burst(31, 10 * HOUR), 10 * HOUR, 31.0, 31.0, 0.0, kind)
    assert fast.median > slow.median


@pytest.mark.parametrize("kind", ["x", "weibo", "posts"])
def test_silence_ends_a_story(kind: str) -> None:
    """Four days after its last mention hardly anything is still to come of a story of twenty."""
    foreseen, _ = forecast(burst(20, HOUR), 97 * HOUR, 20.0, 20.0, 0.0, kind)
    assert foreseen.high < 23.0


def test_growth_that_goes_on_ranks_above_growth_that_stopped() -> None:
    """Of two stories with the same age and count the one whose mentions came late has the higher quantile."""
    early, late = Growth(), Growth()
    for growth, spread in ((early, range(40)), (late, range(200, 240))):
        growth.learn_one(0.0)
        for minute in spread:
            growth.learn_one(minute * MINUTE)
    ranks = [forecast(growth, 240 * MINUTE, 41.0, 41.0, 0.0, "x")[1] for growth in (early, late)]
    assert ranks[0] < 0.3 < 0.7 < ranks[1]


def test_a_story_has_the_reference_of_its_kind() -> None:
    """Cascades have that of their network or X's, stories of independent posts one of their own; each says where it was measured."""
    assert [kind_of("cascade", "weibo"), kind_of("cascade", "mastodon"), kind_of("terms", "x")] == ["weibo", "x", "posts"]
    known = references()
    point = shape(burst(12, HOUR), HOUR, 12.0, 3.0)
    for name in ("x", "weibo", "posts"):
        assert known[name].measured_on
        assert len(known[name].growth) == len(terms(point)) == len(known[name].spread)
    far = tuple(value * 100 for value in point)
    assert outlook(far, known["x"]).growth < 8.0
