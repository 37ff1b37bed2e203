"""A brand that is added while it burns, declared, renamed; sources that come, go and halve; clocks that change; limits of memory."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from schemas.cloudevents import header_maker
from schemas.command import Command, ForwardedCommand
from schemas.enriched import SourceState
from schemas.signal import Signal
from streams.crisis.settings import CrisisSettings
from streams.crisis.stage import CrisisPartition
from streams.detect.season import PRIOR_HOURS
from streams.detect.settings import DetectSettings
from streams.detect.stage import DetectPartition
from streams.engine.stage import InputRecord
from tests.crisis.make import events
from tests.detect.worlds import HOUR, START, World, ordinary

MINUTE = 60_000


def crises(signals: list[Signal]) -> list[tuple[str, int]]:
    """Let the crisis stage read the signals; return what it tells, and when (ms of event time)."""
    stage, told = CrisisPartition(0, CrisisSettings()), []
    stage.restore({}, None)
    headers = header_maker("veille.signal")("x", "acme", "")
    for offset, signal in enumerate(signals):
        found = events(list(stage.process([InputRecord(offset, 0, b"acme", msgspec.json.encode(signal), headers)])))
        told += [(name, signal.at_ms) for name, _ in found]
    return told


def test_added_at_the_peak_it_opens_within_ten_minutes_and_resolves() -> None:
    """Ten answers a minute when the brand is put on the watchlist: open ten minutes later at most, and resolved after it is over."""
    world = World()
    added = START + 14 * HOUR
    world.watch(at=added)
    for i in range(600):
        world.say(
            added + i * 6_000, f"b{i}", polarity="negative", negative_pm=800, crisis_words=("safety:poison",), root_id="before",
            parent_id="before", kind="reply",
        )  # fmt: skip
    world.until(added + 60 * HOUR)
    told = crises(world.signals)
    opened = [at for name, at in told if name == "opened"]
    assert opened
    assert opened[0] <= added + 10 * MINUTE
    assert told[-1][0] == "resolved"
    assert told[-1][1] >= added + 6 * HOUR


def test_the_first_broken_hour_teaches_nothing() -> None:
    """Half an hour of shouting before the first full hour leaves the baseline as it was born."""
    world = World()
    world.watch(at=START + 30 * MINUTE)
    for i in range(900):
        world.say(START + 30 * MINUTE + i * 1_900, f"a{i}")
    world.until(START + HOUR + 1)
    base = world.stage.brands["acme"].base
    assert (base.hours, base.rate) == (0.0, 1.0)
    world.until(START + 3 * HOUR)
    world.say(START + 3 * HOUR, "late")
    world.until(START + 4 * HOUR)
    assert world.stage.brands["acme"].base.rate < 2.0


@pytest.mark.parametrize("known", [False, True])
def test_a_declaration_of_a_brand_nobody_spoke_of_is_kept(known: bool) -> None:
    """A crisis declared before the first mention, even before the brand's settings came, collects the mentions when they come."""
    world = World()
    if known:
        world.watch()
        world.until(START + 1)
    command = Command(id="c1", command="open", brand="acme", by="ada", at_ms=START, args={"headline": "Fire", "terms": ["fire"]})
    value = msgspec.json.encode(ForwardedCommand(command=command, partition=0, offset=0))
    record = InputRecord(world._offset, 0, b"acme", value, header_maker("veille.command.forwarded")("x", "", ""))
    world._offset += 1
    assert list(world.stage.process([record])) == []
    if not known:
        world.watch()
    saved = world.stage.checkpoint(world._offset)
    assert [state.key for state in saved.states] == [b"acme"]
    fresh = World()
    fresh.stage.restore({state.key: state.value for state in saved.states if state.value}, saved.cut)
    fresh._offset = world._offset
    fresh.watch()
    fresh.say(START + 3 * HOUR, "a")
    fresh.until(START + 4 * HOUR)
    assert fresh.signals == []
    fresh.fire(START + 5 * HOUR, "b")
    fresh.until(START + 6 * HOUR)
    assert [(signal.kind, signal.mentions) for signal in fresh.signals] == [("declared", 1)]


def test_a_command_on_a_brand_nobody_knows_leaves_nothing() -> None:
    """Any other command on an unknown brand makes no state."""
    stage = DetectPartition(0, DetectSettings(), 1)
    stage.restore({}, None)
    command = Command(id="c1", command="ack", brand="nobody", by="ada", at_ms=START)
    value = msgspec.json.encode(ForwardedCommand(command=command, partition=0, offset=0))
    assert list(stage.process([InputRecord(0, 0, b"nobody", value, header_maker("veille.command.forwarded")("x", "", ""))])) == []
    assert not stage.brands


@pytest.mark.parametrize("day", ["2025-03-30", "2025-10-26"])
def test_the_season_follows_local_hours_over_a_clock_change(day: str) -> None:
    """A brand of Paris that speaks from 9 to 18 local time: after either change nothing rings, and 9 o'clock stays 9 o'clock."""
    change = round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000
    paris, r, world = ZoneInfo("Europe/Paris"), random.Random(5), World()
    world.watch(timezone="Europe/Paris", at=change - 15 * 24 * HOUR)
    for hour in range(-15 * 24, 3 * 24):
        start = change + hour * HOUR
        busy = 9 <= datetime.fromtimestamp(start / 1000, paris).hour < 18
        for at in sorted(r.randrange(HOUR) for _ in range(round(r.gauss(60, 6)) if busy else 2)):
            world.say(start + at, f"a{r.randrange(9000)}", terms=(f"w{r.randrange(90)}",))
        world.until(start + HOUR)
    assert world.over() == []
    brand = world.stage.brands["acme"]
    nine = [
        change // HOUR + hour for hour in range(-7 * 24, 3 * 24) if datetime.fromtimestamp((change + hour * HOUR) / 1000, paris).hour == 9
    ]
    assert len({hour % 24 for hour in nine}) == 2
    expected = [brand.base.expected(float(hour), hour + 1.0, "Europe/Paris") for hour in nine]
    assert max(expected) < 1.6 * min(expected)
    eight = [brand.base.expected(hour - 1.0, float(hour), "Europe/Paris") for hour in nine]
    assert max(eight) < 0.5 * min(expected)


def test_half_of_the_sources_dead_is_neither_learned_nor_surprising() -> None:
    """Of two sources one is silent for a day: half is expected while it is, the level stays, and its return rings nobody."""
    world, r = World(), random.Random(6)
    world.watch()

    def both(first: int, last: int, dead: bool) -> None:
        for hour in range(first, last):
            mean = 40.0 * PRIOR_HOURS[hour % 24]
            for at in sorted(r.randrange(HOUR) for _ in range(max(0, round(r.gauss(mean, mean**0.5))))):
                half = r.random() < 0.5
                if not (dead and half):
                    world.say(START + hour * HOUR + at, f"a{r.randrange(9000)}", source="other" if half else "feed")
            world.until(START + (hour + 1) * HOUR)

    both(0, 120, False)
    brand, at = world.stage.brands["acme"], START + 120 * HOUR
    before = brand.base.rate
    world.send(SourceState(source_id="other", up=False, partition=0, offset=9_000_000, applies_ms=at, last_ms=at))
    world.until(at + 1)
    assert 0.35 < brand.live < 0.65
    both(120, 144, True)
    assert abs(brand.base.rate / before - 1.0) < 0.2
    world.send(SourceState(source_id="other", up=True, partition=0, offset=9_000_001, applies_ms=at + 24 * HOUR, last_ms=at + 24 * HOUR))
    both(144, 156, False)
    assert brand.live == 1.0
    assert world.over() == []


def test_a_source_that_delivers_half_for_a_day_rings_nobody_when_it_recovers() -> None:
    """Its clock runs, half of its mentions are missing: nothing tells, nothing is over, then or when all of them are back."""
    world = World()
    world.watch()
    ordinary(world, 4, 30.0)
    ordinary(world, 1, 15.0, seed=7, start=START + 96 * HOUR)
    ordinary(world, 1, 30.0, seed=8, start=START + 120 * HOUR)
    assert world.over() == []
    assert world.stage.brands["acme"].base.rate > 18.0


@pytest.mark.parametrize(("told", "times"), [(True, 2), (True, 8), (False, 8)])
def test_a_new_alias_that_multiplies_the_talk_is_no_crisis(told: bool, times: int) -> None:
    """From a new version of the watchlist on more matches: the baseline starts anew at once, says so, and only untold it rings."""
    world = World()
    world.watch(match_hash="one")
    ordinary(world, 5, 15.0)
    if told:
        world.watch(match_hash="two", version=2, at=START + 120 * HOUR)
    ordinary(world, 1, 15.0 * times, seed=4, start=START + 120 * HOUR)
    assert [signal.kind for signal in world.signals if signal.kind == "rebased"] == ["rebased"] * told
    assert bool(world.over()) is not told


def test_order_of_delivery_within_the_watermark_changes_nothing() -> None:
    """Mentions that arrive shuffled, before the watermark passes them, leave the signals that they leave in order."""
    found = []
    for seed in (None, 1, 2):
        world = World()
        world.watch()
        at = START + 5 * MINUTE
        rows = [(at + i * 300, i) for i in range(90)]
        if seed is not None:
            random.Random(seed).shuffle(rows)
        for when, i in rows:
            world.numbered(
                i, when, f"b{i}", polarity="negative", negative_pm=800, crisis_words=("safety:poison",), root_id="r", kind="reply"
            )
        world.until(START + 30 * HOUR)
        found.append([msgspec.json.encode(signal) for signal in world.signals])
    assert found[0]
    assert found[0] == found[1] == found[2]


def test_a_very_loud_brand_keeps_unbiased_counts_and_says_that_it_samples() -> None:
    """50,000 mentions within one second: a few thousand are looked at, the counts of negatives and authors' votes stay within a tenth."""
    world = World()
    world.watch()
    r = random.Random(3)
    for i in range(50_000):
        world.say(
            START + HOUR + i // 50,
            f"a{i}",
            polarity="negative" if r.random() < 0.3 else "neutral",
            root_id="r",
            parent_id="r",
            kind="reply",
        )
    world.until(START + HOUR + MINUTE)
    brand = world.stage.brands["acme"]
    sums = brand.counts.read(START + HOUR + MINUTE)[1][0]
    assert sums[0] == 50_000
    assert sums[1] == pytest.approx(50_000, rel=0.1)
    assert sums[2] == pytest.approx(15_000, rel=0.1)
    (story,) = brand.book.stories.values()
    assert story.mentions == pytest.approx(50_000, rel=0.1)
    assert story.authors.total < 5_000
    assert any("sampling: at the busiest one mention in" in caveat for signal in world.signals for caveat in signal.caveats)


def test_live_stories_are_bounded_and_the_least_interesting_go_first() -> None:
    """Three hundred small stories beside one with trouble: at most N live, the troubled one among them, and ids survive a restart."""
    world = World()
    world.watch()
    most = DetectSettings().max_stories
    for i in range(300):
        at = START + HOUR + i * 30_000
        for k in range(3):
            world.say(at + k, f"s{i}-{k}", root_id=f"root{i}", kind="reply")
        if i < 12:
            world.say(at + 9, f"angry{i}", root_id="trouble", kind="reply", polarity="negative", negative_pm=900)
        world.until(at + 30_000)
    stories = world.stage.brands["acme"].book.stories
    assert len(stories) <= most
    assert "r:trouble" in world.stage.brands["acme"].book.index
    assert "r:root299" in world.stage.brands["acme"].book.index
    assert "r:root0" not in world.stage.brands["acme"].book.index
    saved = world.stage.checkpoint(world._offset, full=True)
    fresh = World()
    fresh.stage.restore({state.key: state.value for state in saved.states if state.value}, saved.cut)
    assert list(fresh.stage.brands["acme"].book.stories) == list(stories)
    assert all(len(story.keys) <= 32 for story in stories.values())
    assert max(len(state.value or b"") for state in saved.states) < 200_000


def test_who_started_it_and_who_made_it_grow() -> None:
    """The signal names the earliest mention seen and the sources, the relay that most reshares came through, and growth without it."""
    world = World()
    world.watch()
    at = START + HOUR
    world.say(at, "first", polarity="negative", negative_pm=800, crisis_words=("safety:poison",))
    root = f"m{world._offset - 1}"
    said: dict[str, Any] = {"polarity": "negative", "negative_pm": 800, "crisis_words": ("safety:poison",)}
    world.say(at + 1000, "big", root_id=root, parent_id=root, kind="quote", **said)
    relay = f"m{world._offset - 1}"
    for i in range(90):
        parent = relay if i % 3 else root
        world.say(
            at + 2000 + i * 20_000, f"b{i}", root_id=root, parent_id=parent, kind="reshare", polarity="", network="x" if i % 2 else "forum"
        )
    world.until(at + HOUR)
    story = world.over()[-1].stories[0]
    assert story.originator is not None
    assert (story.originator.mention_id, story.originator.sources) == (root, ("feed",))
    assert story.relays[0][0] == relay
    assert story.relays[0][1] == pytest.approx(60 / 92, abs=0.02)
    without = dict(story.relay_growth)[relay]
    assert story.growth is not None
    assert without < 0.7 * story.growth.mean
    assert set(story.networks) == {"x", "forum"}
    assert (story.reshares, story.mentions) == (90, 92)


def test_copies_are_told_and_weigh_little() -> None:
    """Forty posts of one text by forty people: the signal's numbers tell forty mentions, and their votes sum to a few."""
    world = World()
    world.watch()
    for i in range(40):
        world.say(START + HOUR + i * 10_000, f"a{i}", copy_key="00ff00ff00ff00ff", polarity="negative", negative_pm=800)
    world.until(START + 2 * HOUR)
    (story,) = world.stage.brands["acme"].book.stories.values()
    assert (story.by, story.mentions, story.copies) == ("copy", 40, 39)
    assert story.votes < 6.0
