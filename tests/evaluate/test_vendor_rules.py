"""The vendors' rules."""

from __future__ import annotations

import pytest

from streams.evaluate.vendor_rules import RULES, alarms

HOUR = 3_600_000


def steady(hours: int, each: int) -> list[int]:
    """Return ``each`` mentions in every hour."""
    return [hour * HOUR + i * HOUR // each for hour in range(hours) for i in range(each)]


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_steady_stream_stays_silent(name: str) -> None:
    """Without any change no setting of a rule rings."""
    times = steady(24 * 10, 20)
    assert all(alarms(name, times, factor) == [] for factor in RULES[name].factors)


def test_a_jump_rings_once_at_the_end_of_its_hour() -> None:
    """An hour of three times the usual rings when it is over, once."""
    times = sorted(steady(48, 10) + [40 * HOUR + i for i in range(25)])
    assert alarms("hour_over_12h", times, 2.0) == [41 * HOUR]
    assert alarms("hour_over_12h", times, 5.0) == []


def test_a_higher_day_rings() -> None:
    """A day well above the week before it rings under the second rule."""
    times = sorted(steady(24 * 8, 10) + [hour * HOUR + i for hour in range(170, 192) for i in range(20)])
    found = alarms("day_sigma", times, 2.0)
    assert len(found) == 1
    assert 170 * HOUR < found[0] < 176 * HOUR


def test_no_mentions_give_no_alarm() -> None:
    """An empty brand rings under no rule."""
    assert alarms("hour_over_12h", [], 1.2) == []
