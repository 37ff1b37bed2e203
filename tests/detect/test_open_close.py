"""What opens, and what must not stay open or close too soon: brands that are large, hated, asleep, or have a new level."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest

from tests.detect.worlds import HOUR, START, World, burst, ordinary

MINUTE = 60_000


def talk(world: World, start: int, hours: int, per_hour: float, negative: float, seed: int, **more: Any) -> None:
    """Let strangers talk evenly, a share of it negative, nothing of it tied to anything else."""
    r = random.Random(seed)
    for hour in range(hours):
        for at in sorted(r.randrange(HOUR) for _ in range(round(r.gauss(per_hour, per_hour**0.5)))):
            angry = r.random() < negative
            world.say(
                start + hour * HOUR + at, f"t{r.randrange(90_000)}", polarity="negative" if angry else "neutral",
                negative_pm=700 if angry else 100, terms=(f"w{r.randrange(300)}", f"v{r.randrange(300)}"), **more,
            )  # fmt: skip
        world.until(start + (hour + 1) * HOUR)


def test_a_crisis_inside_the_noise_of_a_big_brand_opens_by_its_story() -> None:
    """Fifty angry mentions in an hour of eight hundred: the counts stay ordinary, the story rings."""
    world = World()
    world.watch()
    ordinary(world, 2, 1500.0)
    at = START + 48 * HOUR
    r, mixed = random.Random(8), []
    for i in range(800):
        mixed.append((at + r.randrange(HOUR), i, False))
    mixed += [(at + 60_000 * (i + 1), i, True) for i in range(55)]
    world.say(at, "first", polarity="negative", negative_pm=800, crisis_words=("safety:poison",))
    root = f"m{world._offset - 1}"
    for when, i, planted in sorted(mixed):
        if planted:
            world.say(
                when, f"b{i}", polarity="negative", negative_pm=800, crisis_words=("safety:poison",), root_id=root, parent_id=root,
                kind="reply",
            )  # fmt: skip
        else:
            world.say(when, f"a{r.randrange(5000)}", polarity="negative" if i % 6 == 0 else "neutral", terms=(f"w{i % 60}", f"v{i % 59}"))
    world.until(at + HOUR)
    (first, *_) = world.over()
    assert first.stories[0].originator is not None
    assert first.stories[0].originator.mention_id == root
    assert first.mentions < 60
    hour = next(window for window in first.windows if window.name == "1h")
    assert hour.count < 1.3 * hour.expected
    assert not any(c.name.startswith("volume.mentions") for c in first.contributions)


def _calls(world: World, start: int, hours: int, per_hour: float, word: str, seed: int) -> None:
    """Let people say, each in words of their own and tied to nothing, what ``word`` stands for, among forty mentions an hour.

    Of the others every fifth is negative.
    """
    r = random.Random(seed)
    for hour in range(hours):
        said = [(start + hour * HOUR + r.randrange(HOUR), i < round(per_hour + r.random() - 0.5)) for i in range(40)]
        for at, calls in sorted(said):
            more: dict[str, Any] = {"polarity": "negative", "negative_pm": 700} if calls or r.random() < 0.2 else {}
            more |= {"crisis_words": (word,)} if calls else {}
            world.say(at, f"p{r.randrange(90_000)}", terms=(f"w{r.randrange(900)}", f"v{r.randrange(900)}"), **more)
        world.until(start + (hour + 1) * HOUR)


@pytest.mark.parametrize("seed", [10, 11, 12])
def test_a_boycott_opens_by_its_calls(seed: int) -> None:
    """A dozen strangers in a day call for a boycott of a brand of forty mentions an hour: too few for any count, and one story."""
    world = World()
    world.watch()
    _calls(world, START, 72, 0.0, "boycott:boycott", seed)
    assert world.over() == []
    _calls(world, START + 72 * HOUR, 10, 1.3, "boycott:boycott", seed + 100)
    (first, *_) = world.over()
    assert (first.stories[0].by, first.stories[0].terms) == ("calls", ("boycott",))
    assert {"volume.calls", "tone.calls"} <= {c.name for c in first.contributions}


@pytest.mark.parametrize(("usual", "word"), [(1.3, "boycott:boycott"), (0.0, "leaving:never again")])
def test_calls_that_are_usual_and_customers_who_leave_open_nothing(usual: float, word: str) -> None:
    """Where people always call for it, as many calls are no news; who leaves calls on nobody: such brands ring no oftener than is asked."""
    rang = 0
    for seed in range(10, 16):
        world = World()
        world.watch()
        _calls(world, START, 96, usual, word, seed)
        _calls(world, START + 96 * HOUR, 10, 1.3, word, seed + 100)
        rang += bool(world.over())
    assert rang <= 2  # half an alarm a week, in six times 106 hours


def test_a_hated_brand_opens_by_its_count_of_negatives() -> None:
    """Seven of ten are negative every day; three times as many of them, tied to nothing, ring, and the count of negatives says so."""
    world = World()
    world.watch()
    talk(world, START, 96, 20.0, 0.7, 1)
    assert world.over() == []
    talk(world, START + 96 * HOUR, 6, 70.0, 0.75, 2)
    (first, *_) = world.over()
    assert "volume.negative" in [c.name for c in first.contributions]
    share = next((c for c in first.contributions if c.name == "tone.negative"), None)
    assert share is None or share.log_odds < 1.0


def test_a_dying_story_eases_while_the_brand_talks_on() -> None:
    """When its answers stop, the crisis eases within three hours though ordinary talk goes on, and not while answers still come."""
    world = World()
    world.watch()
    ordinary(world, 2, 10.0)
    at = START + 57 * HOUR
    burst(world, at, 240, minutes=180.0)
    growing = [s for s in world.signals if s.kind == "reading" and s.at_ms <= at + 180 * MINUTE]
    assert growing
    assert not any(s.eased for s in growing)
    ordinary(world, 1, 10.0, seed=9, start=at + 4 * HOUR)
    eased = [s.at_ms for s in world.signals if s.eased]
    assert eased
    assert eased[0] <= at + 6 * HOUR


def test_a_new_level_does_not_stay_a_crisis_for_ever() -> None:
    """Four times the talk from one day to the next, angrier: it rings, is the usual after 48 hours, and becomes quiet."""
    world = World()
    world.watch()
    talk(world, START, 120, 20.0, 0.25, 3)
    assert world.over() == []
    talk(world, START + 120 * HOUR, 24 * 6, 80.0, 0.45, 4)
    rang = world.over()[0].at_ms
    rebased = [s.at_ms for s in world.signals if s.kind == "rebased"]
    assert rebased
    assert len([s for s in world.signals if s.eased and s.at_ms < rebased[0]]) < 3
    assert 48 * HOUR <= rebased[0] - rang <= 49 * HOUR
    assert any(s.quiet for s in world.signals if rebased[0] <= s.at_ms)
    after = next(s for s in world.signals if s.kind == "reading" and s.at_ms > rebased[0])
    assert after.usual_negative_share == pytest.approx(0.45, abs=0.04)
    assert world.stage.brands["acme"].ring is None
    assert [s.at_ms for s in world.over() if s.at_ms > rebased[0] + 24 * HOUR] == []


@pytest.mark.parametrize(("zone", "night"), [("UTC", 22), ("Asia/Tokyo", 13), ("America/Los_Angeles", 6)])
def test_nothing_becomes_quiet_only_because_it_is_night(zone: str, night: int) -> None:
    """A crisis that falls silent at 22:00 local time is not over before the brand's own morning, in whatever time zone."""
    world = World()
    world.watch(timezone=zone)
    ordinary(world, 2, 10.0)
    at = START + 48 * HOUR + (night - 1) * HOUR
    burst(world, at, 80)
    world.until(at + 60 * HOUR)
    quiet = [s.at_ms for s in world.signals if s.quiet]
    assert quiet
    assert quiet[0] >= at + 11 * HOUR
    assert any(s.eased for s in world.signals if s.at_ms < at + 6 * HOUR)


def test_a_finished_cascade_that_is_delivered_late_rings_once_and_ends() -> None:
    """A thousand answers of two days ago, delivered within five minutes: one alarm, dated back to the root that comes last, and it ends."""
    world = World()
    world.watch()
    ordinary(world, 3, 10.0)
    at, old = START + 82 * HOUR, START + 30 * HOUR
    root = f"m{world._offset}"
    for i in range(1000):
        tied = {"root_id": root, "parent_id": root, "kind": "reply"} if i else {}
        world.late(at + (999 - i) * 300, old + i * 20_000, f"c{i}", polarity="negative", negative_pm=800, **tied)
    world.until(at + 72 * HOUR)
    assert world.stage.brands["acme"].ring is None
    starts = [s for before, s in pairwise([None, *world.signals]) if s is not None and s.over and (before is None or not before.over)]
    assert len(starts) == 1
    readings = [s for s in world.signals if s.kind == "reading"]
    assert readings[-1].onset_ms == old
    assert readings[-1].quiet


def test_a_morning_stronger_than_any_before_rings_nobody() -> None:
    """A Poisson day whose morning is twice as strong as usual, same tone as ever, passes no threshold."""
    world = World()
    world.watch()
    ordinary(world, 5, 20.0)
    talk(world, START + (5 * 24 + 7) * HOUR, 4, 40.0, 1 / 6, 6)
    assert world.over() == []


def test_the_root_of_a_crisis_is_remembered_in_a_big_brands_talk() -> None:
    """Seventy lone neutral mentions between an angry post and its first answer: the story still begins with the post."""
    world = World()
    world.watch()
    at = START + HOUR
    world.say(at, "first", polarity="negative", negative_pm=800)
    root = f"m{world._offset - 1}"
    for i in range(70):
        world.say(at + 100 * (i + 1), f"a{i}")
    world.say(at + 10_000, "second", root_id=root, parent_id=root, kind="reply")
    world.until(at + MINUTE)
    (story,) = world.stage.brands["acme"].book.stories.values()
    assert (story.mention_id, story.mentions) == (root, 2)


def _say(world: World, said: list[tuple[int, bool]], r: random.Random) -> None:
    """Let strangers say, at those times, something that is tied to nothing, and negative or not."""
    for at, angry in sorted(said):
        tone: dict[str, Any] = {"polarity": "negative", "negative_pm": 700} if angry else {}
        world.say(at, f"p{r.randrange(90_000)}", terms=(f"w{r.randrange(900)}", f"v{r.randrange(900)}"), **tone)


@pytest.mark.parametrize("polarity", ["negative", "neutral"])
def test_what_is_usual_of_mentions_says_nothing_of_negative_ones(polarity: str) -> None:
    """A brand that is loud for five minutes every evening: as many who complain ring, as many who do not are one more evening."""
    world, r = World(), random.Random(7)
    world.watch()
    for hour in range(24 * 5 + 19):
        start = START + hour * HOUR
        said = [(start + r.randrange(HOUR), r.random() < 0.2) for _ in range(20)]
        if hour % 24 == 18:
            angry = polarity == "negative" and hour == 24 * 5 + 18
            said += [(start + HOUR // 2 + r.randrange(HOUR // 12), angry) for _ in range(40)]
        _say(world, said, r)
        world.until(start + HOUR)
    over = world.over()
    if polarity == "neutral":
        assert len(over) == 0
    else:
        assert over[0].at_ms <= START + (24 * 5 + 18) * HOUR + HOUR // 2 + HOUR // 12
        assert over[0].contributions[0].name == "volume.negative"


def test_what_rang_and_is_over_does_not_ring_again_from_the_longest_window() -> None:
    """Three loud hours stay in the window of 24 h: told once; a little more talk than usual afterwards is no news, a loud hour is."""
    world, r = World(), random.Random(3)
    world.watch()

    def hours(first: int, count: int, more: int) -> None:
        for hour in range(first, first + count):
            start = START + hour * HOUR
            said = [(start + r.randrange(HOUR), r.random() < 0.2) for _ in range(20)]
            said += [(start + r.randrange(HOUR), True) for _ in range(more)]
            _say(world, said, r)
            world.until(start + HOUR)

    hours(0, 96, 0)
    hours(96, 3, 400)
    hours(99, 21, 3)
    over = world.over()
    assert over
    silent = next(signal.at_ms for signal in world.signals if signal.quiet)
    assert all(signal.at_ms < silent < START + 120 * HOUR for signal in over)
    hours(120, 1, 150)
    assert world.over()[-1].at_ms > START + 120 * HOUR
