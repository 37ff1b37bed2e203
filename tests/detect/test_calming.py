"""What eased stays eased until it grows again; what rang and is over rings again only where it rises anew."""

from __future__ import annotations

from typing import Any

import pytest

from tests.detect.worlds import HOUR, START, World, burst, ordinary

MINUTE = 60_000
_ANGRY: dict[str, Any] = {"polarity": "negative", "negative_pm": 800, "crisis_words": ("safety:poison",)}


def _burnt(seed: int = 3) -> tuple[World, str, int]:
    """Return a world whose crisis has eased, the root of it, and when that was."""
    world = World()
    world.watch()
    ordinary(world, 2, 10.0, seed=seed)
    at = START + 57 * HOUR
    root = f"m{world._offset}"
    burst(world, at, 240, minutes=180.0)
    at += 3 * HOUR
    while not world.signals[-1].eased:
        at += 5 * MINUTE
        world.until(at)
    return world, root, at


def _over(world: World) -> bool:
    return next(signal for signal in reversed(world.signals) if signal.kind == "reading").over


def _answer(world: World, root: str, at: int, count: int, every: int) -> int:
    """Let strangers answer ``root`` one by one; return after how many of them the crisis is over the threshold (0: never)."""
    for i in range(count):
        world.say(at + i * every, f"late{at}-{i}", root_id=root, parent_id=root, kind="reply", **_ANGRY)
        world.until(at + (i + 1) * every)
        if _over(world):
            return i + 1
    return 0


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_last_answers_do_not_let_it_grow_again(seed: int) -> None:
    """The number of what was told is still high; an answer now and then to what dies down leaves it eased, and says so each time."""
    world, root, at = _burnt(seed)
    high = [signal.score >= signal.threshold for signal in world.signals if signal.kind == "reading"]
    assert high[-1]
    assert _answer(world, root, at + 10 * MINUTE, 8, 45 * MINUTE) == 0
    told = [signal for signal in world.signals if signal.kind == "reading" and signal.at_ms > at]
    assert told
    assert all(signal.eased for signal in told)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_second_wave_is_told_at_once(seed: int) -> None:
    """As strong a wave as the first, two hours after that had eased: it is told as growing again within half an hour."""
    world, root, at = _burnt(seed)
    world.until(at + 2 * HOUR)
    assert not _over(world)
    assert 1 < _answer(world, root, at + 2 * HOUR, 80, 45_000) <= 40


def test_another_story_lets_it_grow_again() -> None:
    """While one story dies down another one rings: that is told as soon as it passes the threshold."""
    world, _, at = _burnt()
    world.until(at + 2 * HOUR)
    assert not _over(world)
    before = len(world.signals)
    burst(world, at + 2 * HOUR, 40)
    first = next(signal for signal in world.signals[before:] if signal.over)
    assert first.at_ms <= at + 2 * HOUR + 30 * MINUTE
    assert at + 2 * HOUR in [story.onset_ms for story in first.stories]


def test_what_is_over_rings_again_only_where_it_rises_anew() -> None:
    """After a crisis is quiet, one more answer to it is no news; a wave of them is, within the first few."""
    world, root, at = _burnt()
    while not world.signals[-1].quiet:
        at += 30 * MINUTE
        world.until(at)
    assert world.stage.brands["acme"].ring is None
    ordinary(world, 1, 10.0, seed=9, start=at)
    before = len(world.signals)
    at += 24 * HOUR
    assert _answer(world, root, at, 1, HOUR) == 0
    world.until(at + HOUR)
    assert not any(signal.over for signal in world.signals[before:])
    assert 1 < _answer(world, root, at + HOUR, 30, 2 * MINUTE) <= 10
