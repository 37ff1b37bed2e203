"""A brand whose past is told to detect need not wait a day until its volume means something."""

from __future__ import annotations

import msgspec
import pytest

from schemas.cloudevents import header_maker
from schemas.enriched import LearnedBaseline
from streams.detect.warming import tell_baseline
from streams.engine.stage import InputRecord, Output
from tests.detect.worlds import HOUR, START, World, ordinary

DAY = 24 * HOUR
#: The brand is put on the watchlist three weeks after the export begins, one week after its end.
ADDED = START + 21 * DAY


@pytest.fixture(scope="module")
def told() -> LearnedBaseline:
    """What two weeks of an ordinary brand teach."""
    world = World()
    world.watch(match_hash="m")
    ordinary(world, 14, 20.0)
    return tell_baseline(world.stage.brands["acme"])


def _warm(world: World, told: LearnedBaseline) -> list[Output]:
    headers = header_maker("veille.baseline")("id", told.brand, "time")
    record = InputRecord(world._offset, 0, told.brand.encode(), msgspec.json.encode(told), headers)
    world._offset += 1
    return list(world.stage.process([record]))


def _new(told: LearnedBaseline | None) -> World:
    """A brand put on the watchlist just now; what is usual was told or not."""
    world = World()
    world.until(ADDED)
    if told is not None:
        assert _warm(world, told) == []
    world.watch(at=ADDED, match_hash="m")
    world.until(ADDED + 1)
    return world


def _surge(world: World) -> None:
    """Three ordinary hours, then one with fifteen times as many people, a third of them displeased, no two about the same."""
    for hour, many in ((9, 22), (10, 24), (11, 26), (12, 400)):
        for i in range(many):
            at = ADDED + hour * HOUR + i * HOUR // many
            tone = "negative" if i % 3 == 0 else "neutral"
            world.say(at, f"p{hour}-{i}", polarity=tone, negative_pm=700 if tone == "negative" else 100, terms=(f"w{hour}-{i}",))
        world.until(ADDED + (hour + 1) * HOUR)


def test_a_warmed_brand_rings_on_volume_on_its_first_day(told: LearnedBaseline) -> None:
    """Within the hour, with what is usual beside it; a brand of which nothing was told does not."""
    warmed, cold = _new(told), _new(None)
    for world in (warmed, cold):
        _surge(world)
    assert cold.over() == []
    first = warmed.over()[0]
    assert ADDED + 12 * HOUR < first.at_ms <= ADDED + 13 * HOUR
    assert first.contributions[0].name.startswith("volume.")
    assert "no baseline: judged by growth and words alone" not in first.caveats
    assert 300 < first.usual_day_mentions < 700


def test_ordinary_weeks_of_a_warmed_brand_ring_about_as_often_as_asked(told: LearnedBaseline) -> None:
    """Half an alarm a week is asked for: of ten weeks (five) it is one or more, and at most ten."""
    rings = 0
    for seed in range(10, 20):
        world = _new(told)
        ordinary(world, 7, 20.0, seed=seed, start=ADDED)
        rings += len({signal.onset_ms for signal in world.over()})
    assert 1 <= rings <= 10


def test_a_second_time_changes_nothing(told: LearnedBaseline) -> None:
    """The same record again, at once and after a day, leaves every byte of the state as it was."""
    world, other = _new(told), _new(told)
    for one in (world, other):
        ordinary(one, 1, 20.0, seed=5, start=ADDED)
        if one is other:
            _warm(one, told)
            one._offset -= 1
        ordinary(one, 1, 20.0, seed=6, start=ADDED + DAY)
    states = [one.stage.checkpoint(0, full=True).states for one in (world, other)]
    assert states[0] == states[1]


def test_a_brand_that_knows_more_by_itself_is_left_alone(told: LearnedBaseline) -> None:
    """An export of two weeks does not replace sixteen days of watching."""
    world = World()
    world.watch(match_hash="m")
    ordinary(world, 16, 3.0)
    rate = world.stage.brands["acme"].base.rate
    _warm(world, told)
    assert world.stage.brands["acme"].base.rate == rate


def test_what_other_names_taught_is_not_taken(told: LearnedBaseline) -> None:
    """A baseline that was learned with other aliases says nothing of these."""
    world = World()
    world.watch(at=ADDED, match_hash="other")
    world.until(ADDED + 1)
    _warm(world, told)
    assert world.stage.brands["acme"].base.cold
    early = World()
    early.until(ADDED)
    _warm(early, told)
    early.watch(at=ADDED, match_hash="other")
    early.until(ADDED + 1)
    assert early.stage.brands["acme"].base.cold


def test_what_was_told_is_what_was_learned(told: LearnedBaseline) -> None:
    """Told again by the brand that took it: the same numbers."""
    world = World()
    world.until(ADDED)
    _warm(world, told)
    again = tell_baseline(world.stage.brands["acme"])
    assert again.numbers == told.numbers
    assert again.hours == told.hours
    assert again.sources == told.sources


@pytest.mark.parametrize(
    "change",
    [
        {"rate": (1.0, 0.0, 1.0, 1.0)}, {"rate": (1.0,)}, {"dispersion": (0.0, 1.0, 1.0, 1.0)}, {"votes": (-1.0, 2.0)},
        {"season.cells": (1.0, 2.0)}, {"score.tail": ()}, {"season.hours": (1e300,) * 48}, {"surprise.tail": (1.0,) * 90},
    ],
)  # fmt: skip
def test_numbers_that_no_brand_has_are_refused_whole(told: LearnedBaseline, change: dict[str, tuple[float, ...]]) -> None:
    """The record goes to the rejected ones, and nothing changes."""
    world = World()
    world.until(ADDED)
    (output,) = _warm(world, msgspec.structs.replace(told, numbers={**told.numbers, **change}))
    assert output.topic == "mentions.rejected"
    assert not world.stage.brands
