"""What the detect stage makes of small worlds: what rings, what does not, and how it ends."""

from __future__ import annotations

import math

from schemas.enriched import Enriched, SourceState
from streams.engine.stage import InputRecord
from tests.detect.worlds import HOUR, START, World, burst, ordinary


def test_no_data_says_nothing() -> None:
    """A brand without a single mention gives no signal and has no timer."""
    world = World()
    world.watch()
    world.until(START + 1000 * HOUR)
    assert world.signals == []


def test_ordinary_days_ring_never() -> None:
    """Four Poisson days with a strong morning pass no threshold."""
    world = World()
    world.watch()
    ordinary(world, 4, 30.0)
    assert world.over() == []


def test_a_cascade_rings_early_and_ends() -> None:
    """An angry cascade rings before a quarter of it is there, eases, and becomes quiet after a local morning."""
    world = World()
    world.watch()
    ordinary(world, 2, 10.0)
    at = START + 58 * HOUR
    burst(world, at, 80)
    assert world.over()
    assert world.over()[0].at_ms <= at + 15 * 60_000
    assert world.over()[0].stories[0].originator is not None
    world.until(at + 60 * HOUR)
    readings = [signal for signal in world.signals if signal.kind == "reading"]
    assert any(signal.eased for signal in readings)
    assert readings[-1].quiet
    quiet_hour = (readings[-1].at_ms - START) // HOUR % 24
    assert quiet_hour >= 7
    assert [signal.seq for signal in world.signals] == list(range(1, len(world.signals) + 1))


def test_the_first_hour_rings_by_its_words() -> None:
    """A brand added while it burns rings on its first day, and says that there is no baseline."""
    world = World()
    world.watch()
    burst(world, START + 5 * 60_000, 60)
    assert world.over()
    assert "no baseline: judged by growth and words alone" in world.over()[0].caveats


def test_volume_alone_is_silent_on_the_first_day() -> None:
    """Four hundred neutral mentions in an hour ring nobody while there is no baseline."""
    world = World()
    world.watch()
    for i in range(400):
        world.say(START + i * 9000, f"a{i}", terms=(f"w{i % 90}",))
    world.until(START + 2 * HOUR)
    assert world.over() == []


def test_praise_rings_nobody() -> None:
    """A giveaway that goes viral, all praise, passes no threshold."""
    world = World()
    world.watch()
    ordinary(world, 2, 10.0)
    burst(world, START + 58 * HOUR, 300, polarity="positive", negative_pm=20, positive_pm=900, crisis_words=())
    assert world.over() == []


def test_bots_ring_nobody() -> None:
    """Three hundred near copies by doubtful accounts pass no threshold, however angry."""
    world = World()
    world.watch()
    ordinary(world, 2, 10.0)
    at = START + 58 * HOUR
    for i in range(300):
        world.say(
            at + i * 20_000, f"bot{i}", polarity="negative", negative_pm=900, crisis_words=("boycott:boycott",),
            copy_key=f"1d6a055ddab9f3d{i % 10}", organic_pm=200 + i % 300, organic_reasons=("new_account",),
        )  # fmt: skip
    world.until(at + 3 * HOUR)
    assert world.over() == []


def test_a_silent_source_is_said() -> None:
    """When a brand's source falls silent and comes back the brand says so, with since when."""
    world = World()
    world.watch()
    ordinary(world, 1, 10.0)
    at = START + 25 * HOUR
    world.send(SourceState(source_id="feed", up=False, partition=0, offset=9_000_000, applies_ms=at, last_ms=at - 400_000))
    world.send(SourceState(source_id="feed", up=True, partition=0, offset=9_000_001, applies_ms=at + HOUR, last_ms=at + HOUR))
    world.until(at + 2 * HOUR)
    told = [(signal.kind, signal.blind) for signal in world.signals if signal.kind in ("blind", "sighted")]
    assert told == [("blind", {"feed": at - 400_000}), ("sighted", {})]


def test_new_aliases_rebase() -> None:
    """When what matches changes, the brand starts a new baseline and says so."""
    world = World()
    world.watch(match_hash="one")
    ordinary(world, 2, 10.0)
    world.watch(match_hash="two", version=2, at=START + 49 * HOUR)
    world.until(START + 50 * HOUR)
    assert [signal.kind for signal in world.signals if signal.kind != "near_miss"] == ["rebased"]


def test_an_idle_brand_is_not_visited() -> None:
    """Between its mentions a brand has no timer: a year of silence is one step."""
    world = World()
    world.watch()
    world.say(START, "a")
    world.until(START + HOUR)
    assert world.stage._timers == []
    world.until(START + 365 * 24 * HOUR)
    assert world.stage.checkpoint(99).states[0].progress == START + 365 * 24 * HOUR


def test_records_of_other_kinds_are_passed_over() -> None:
    """Records without headers or value, or of an unknown type, change nothing."""
    stage = World().stage
    strange = [
        InputRecord(0, 0, None, b"{}", ()),
        InputRecord(1, 0, None, None, (("ce_type", b"veille.enriched"),)),
        InputRecord(2, 0, b"k", b"x", (("ce_type", b"another"),)),
    ]
    assert list(stage.process(strange)) == []
    assert stage.checkpoint(3).commit == 3


def test_saved_and_loaded_goes_on_alike() -> None:
    """A stage restored from a full checkpoint sends what the old one would have sent."""
    one, two = World(), World()
    for world in (one, two):
        world.watch(timezone="Europe/Paris")
        ordinary(world, 1, 10.0)
    saved = two.stage.checkpoint(two._offset, full=True)
    fresh = World()
    fresh.stage.restore({state.key: state.value for state in saved.states if state.value}, saved.cut)
    fresh._offset = two._offset
    for world in (one, fresh):
        burst(world, START + 30 * HOUR, 60)
        world.until(START + 60 * HOUR)
    assert one.signals[-len(fresh.signals) :] == fresh.signals
    assert fresh.over()


def test_a_planned_giveaway_raises_the_expectation_of_its_own_terms_only() -> None:
    """Talk with a calendar entry's term counts a fifth while it lasts; other talk, and angry talk with the term, counts whole."""
    world = World()
    world.watch(calendar=((START, START + 10 * HOUR, ("giveaway",), 5.0),))
    for i in range(10):
        world.say(START + HOUR + i, f"a{i}", terms=("giveaway",))
        world.say(START + HOUR + i, f"b{i}", terms=("soup",))
        world.say(START + HOUR + i, f"c{i}", terms=("giveaway",), polarity="negative")
    world.until(START + HOUR + 60_000)
    votes = world.stage.brands["acme"].counts.read(START + HOUR + 60_000)[0][0][1]
    assert math.isclose(votes, 2.0 + 10.0 + 10.0)


def test_news_of_reactions_raises_the_reach_and_counts_nobody() -> None:
    """An engagement update of a known mention raises its story's reach; mentions and votes stay as they are."""
    world = World()
    world.watch()
    burst(world, START + 5 * 60_000, 60)
    before = world.stage.brands["acme"].book
    (story,) = before.stories.values()
    reach, mentions = story.reach, story.mentions
    world.send(
        Enriched(
            brand="acme", id=story.mention_id, network="x", partition=0, offset=9_000_000, applies_ms=START + 2 * HOUR,
            published_ms=START, author="first", likes=5_000, update=True,
        )
    )  # fmt: skip
    world.until(START + 3 * HOUR)
    assert (story.reach, story.mentions) == (reach + 5_000, mentions)
