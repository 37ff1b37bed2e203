"""Sources that a known brand has not met before."""

from __future__ import annotations

import random

import pytest

from streams.caveats import caveat_in, new_source
from streams.detect.season import PRIOR_HOURS
from tests.detect.worlds import HOUR, START, World, burst, ordinary

DAY = 24 * HOUR
#: When the new feed is switched on: ten in the morning of the sixth day.
ON = START + 5 * DAY + 10 * HOUR


def _days(world: World, hours: int, times: float, new: str = "vendor", first: int = 0) -> None:
    """Go on with ten mentions an hour of the old feed; from `ON` on a new one brings so many ``times`` more. Sends from ``first`` on."""
    r = random.Random(9)
    for hour in range(hours):
        start, times_said = START + 5 * DAY + hour * HOUR, []
        for source, rate in (("feed", 10.0), (new, 10.0 * times)):
            mean = rate * PRIOR_HOURS[hour % 24] if source == "feed" or start >= ON else 0.0
            times_said += [(start + r.randrange(HOUR), source) for _ in range(max(0, round(r.gauss(mean, mean**0.5))))]
        said = [(at, source, f"{source}{r.randrange(5000)}", r.choice(["negative", *["neutral"] * 4])) for at, source in sorted(times_said)]
        if hour < first:
            continue
        for at, source, author, tone in said:
            world.say(at, author, source=source, polarity=tone, negative_pm=300, terms=(f"w{at % 60}", f"v{at % 59}"))
        world.until(start + HOUR)


def _known(*, others: bool = False) -> World:
    """Five ordinary days of one feed; with ``others`` a second brand is spoken of on ``vendor`` for as long."""
    world = World()
    world.watch(match_hash="m")
    if others:
        world.watch("other", match_hash="m")
        for hour in range(5 * 24):
            world.say(START + hour * HOUR, f"o{hour}", brand="other", source="vendor")
    ordinary(world, 5, 10.0)
    return world


@pytest.mark.parametrize("times", [2.0, 8.0])
def test_a_vendor_feed_that_is_switched_on_rings_nobody_and_is_usual_after_a_day(times: float) -> None:
    """Three or nine times as many mentions from one hour to the next: no alarm then, or when its day is over; it says when it counts."""
    world = _known()
    before = world.stage.brands["acme"].base.rate
    _days(world, 72, times)
    assert world.over() == []
    (rebased,) = [signal for signal in world.signals if signal.kind == "rebased"]
    assert ON + DAY <= rebased.at_ms <= ON + DAY + 2 * HOUR
    assert 0.75 * times < world.stage.brands["acme"].base.rate / before - 1.0 < 1.25 * times


def test_the_same_mentions_of_the_known_feed_would_ring() -> None:
    """The test above does not hold by itself."""
    world = _known()
    _days(world, 24, 8.0, new="feed")
    assert world.over()


def test_a_crisis_on_a_new_feed_opens_by_its_story_and_says_that_the_source_is_new() -> None:
    """What is said counts from the first mention on, only how many say it does not."""
    world = _known()
    _days(world, 12, 1.0)
    burst(world, ON + 3 * HOUR, 60, 30.0, source="vendor")
    first = world.over()[0]
    assert first.at_ms < ON + 3 * HOUR + 30 * 60_000
    assert new_source("vendor") in first.caveats
    assert caveat_in(new_source("vendor"), "fr").startswith("nouvelle source vendor : ")


def test_a_known_source_that_first_speaks_of_a_brand_does_not_teach_in_that_hour() -> None:
    """Its broken hour counts for alarms, and what is usual is learned as if nobody had spoken on it; from the next hour on it teaches."""
    learned = []
    for many in (0, 12):
        world = _known(others=True)
        for i in range(many):
            world.say(ON + 40 * 60_000 + i * 60_000, f"late{i}", source="vendor")
        world.until(ON + HOUR + 1)
        for i in range(6):
            world.say(ON + HOUR + i * 60_000 + 2, f"next{i}", source="vendor" if many else "feed")
        world.until(ON + 2 * HOUR + 1)
        base = world.stage.brands["acme"].base
        learned.append((base.a, base.b, base.shadow_a, base.phi[0]))
        assert world.over() == []
    assert learned[0][:3] == learned[1][:3]
    plain = _known(others=True)
    for i in range(12):
        plain.say(ON + 40 * 60_000 + i * 60_000, f"late{i}", source="feed")
    plain.until(ON + 2 * HOUR + 1)
    assert plain.stage.brands["acme"].base.a > learned[0][0] + 3.0


def test_saved_and_loaded_while_a_feed_is_new_goes_on_alike() -> None:
    """Since when a source is known at all is saved with the rest."""
    world, fresh = _known(), World()
    _days(world, 14, 4.0)
    saved, before = world.stage.checkpoint(world._offset, full=True), len(world.signals)
    fresh.stage.restore({state.key: state.value for state in saved.states if state.value}, saved.cut)
    fresh._offset = world._offset
    for each in (world, fresh):
        _days(each, 48, 4.0, first=14)
    one, two = (each.stage.checkpoint(each._offset, full=True) for each in (world, fresh))
    assert one == two
    assert fresh.signals == world.signals[before:]
    assert any(signal.kind == "rebased" for signal in fresh.signals)
