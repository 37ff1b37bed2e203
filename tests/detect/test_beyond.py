"""Severity 4 and 5 may exceed the alarm budget once a day, and say so."""

from __future__ import annotations

import msgspec
import pytest

from schemas.signal import Signal
from streams.caveats import beyond_budget, caveat_in
from tests.crisis.make import events, fresh
from tests.crisis.make import log as numbered
from tests.detect.worlds import HOUR, START, World, burst, ordinary

DAY = 24 * HOUR
MINUTE = 60_000


def _calm() -> World:
    """Six calm days of a brand that asks for half an alarm a week under a ceiling for all that leaves it next to nothing."""
    world = World()
    world.watch(alarms_per_week=0.5, share_per_week=0.000_01)
    ordinary(world, 6, 4.0)
    return world


def _rings(world: World) -> list[Signal]:
    """Return the readings in which something begins to ring."""
    found, before = [], False
    for signal in world.signals:
        if signal.kind == "reading":
            if signal.over and not before:
                found.append(signal)
            before = signal.over
    return found


def test_a_grave_alarm_rings_beyond_the_budget_and_says_so_in_both_languages() -> None:
    """The number passes what the brand asks and not what is left; severity decides, and signal and card tell it."""
    world = _calm()
    burst(world, START + 6 * DAY + 10 * HOUR, 400, 60.0)
    (first, *_) = _rings(world)
    assert first.beyond_budget
    assert first.threshold == pytest.approx(2.526, abs=0.001)
    assert first.alarms_per_week == 0.000_01
    (caveat,) = [caveat for caveat in first.caveats if caveat.startswith("beyond")]
    level = int(caveat.split("severity ")[1][0])
    assert level >= 4
    assert caveat == beyond_budget(level)
    assert "au-delà du budget d'alertes" in caveat_in(caveat, "fr")
    stage = fresh()
    records = numbered(*(world.record(signal) for signal in world.signals))
    opened = [card for name, card in events(list(stage.process(records))) if name == "opened"]
    assert caveat in opened[0].caveats


def test_a_small_alarm_stays_within_the_budget() -> None:
    """What a few say is no reason to exceed it; without the ceiling it would ring."""
    world, free = _calm(), World()
    free.watch(alarms_per_week=0.5)
    ordinary(free, 6, 4.0)
    for one in (world, free):
        burst(one, START + 6 * DAY + 10 * HOUR, 12, 60.0)
    assert _rings(world) == []
    assert _rings(free)


def test_it_happens_once_a_day() -> None:
    """The second one of a day is kept to the budget; that of the next day rings."""
    world = _calm()
    rings = []
    for start, settle in ((6 * DAY, 9), (6 * DAY + 21 * HOUR, 0), (8 * DAY, 0)):
        before = len(_rings(world))
        brand = world.stage.brands["acme"]
        if before:
            brand.fall_silent()
        burst(world, START + start + 2 * HOUR, 400, 60.0, crisis_words=(f"safety:{start}",))
        world.until(START + start + settle * HOUR + 4 * HOUR)
        rings.append(len(_rings(world)) - before)
    assert rings == [1, 0, 1]


def test_a_reading_from_before_was_not_beyond_the_budget() -> None:
    """Readings of a log that was written before there was such a mark lack it."""
    assert msgspec.json.decode(msgspec.json.encode(Signal(brand="a", seq=1, at_ms=0)), type=Signal).beyond_budget is False
