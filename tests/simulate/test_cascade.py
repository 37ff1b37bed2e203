"""How planted events spread, and when people write."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from streams.simulate.cascade import Spread, spread, spread_of_size
from streams.simulate.rhythm import DAY_MS, HOUR_MS, activity, poisson, weekday, when_awake

NOON = 1_740_960_000_000 + 12 * HOUR_MS


@given(st.integers(min_value=0, max_value=1000))
def test_a_parent_comes_before_its_children(seed: int) -> None:
    """A course is by time, and every node but the root answers one that came before."""
    nodes = spread(Random(seed), NOON, NOON + DAY_MS, Spread(60), 0)
    seen = set()
    for position, node in enumerate(nodes):
        assert (node.parent is None) == (position == 0)
        assert node.parent is None or (id(node.parent) in seen and node.parent.ms < node.ms)
        assert node.ms < NOON + DAY_MS
        seen.add(id(node))


def test_a_wished_size_is_reached() -> None:
    """A course is drawn again until its size is between the limits."""
    nodes = spread_of_size("a", NOON, NOON + 2 * DAY_MS, Spread(300), 0, 100, 280)
    assert 100 <= len(nodes) <= 280
    assert [node.ms for node in nodes] == [node.ms for node in spread_of_size("a", NOON, NOON + 2 * DAY_MS, Spread(300), 0, 100, 280)]


@given(st.integers(min_value=0, max_value=10**6), st.integers(min_value=-11, max_value=12))
def test_sleepers_answer_in_the_morning(minute: int, offset: int) -> None:
    """Who would be asleep writes later, never earlier, and by the next day."""
    ms = NOON + minute * 60_000
    later = when_awake(Random(minute), ms, offset)
    assert ms <= later < ms + 2 * DAY_MS


def test_poisson_has_its_mean() -> None:
    """Drawn numbers have the mean and variance of their law, small and large."""
    for mean in (0.3, 8.0, 95.0):
        rng = Random(1)
        drawn = [poisson(rng, mean) for _ in range(4000)]
        average = sum(drawn) / 4000
        assert abs(average - mean) < 5 * (mean / 4000) ** 0.5
        assert 0.85 < sum((x - average) ** 2 for x in drawn) / 4000 / mean < 1.15


def test_a_day_has_activity_one_on_average() -> None:
    """Activity is relative to the day's mean, and 3 March 2025 is a Monday."""
    mean = sum(activity(NOON + minute * 60_000, 1) for minute in range(1440)) / 1440
    assert abs(mean - 1) < 0.01
    assert weekday(NOON, 0) == 0
