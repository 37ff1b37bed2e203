"""What a reason says is what was scored: the numbers of its words are those of the windows that the score was made of."""

from __future__ import annotations

import random
import string
from typing import Any

import pytest

from schemas.signal import Signal, StoryReading
from streams.backtest.explain import Explained
from streams.cli.explain_words import lines
from streams.crisis import words as told
from streams.detect import score
from streams.plurals import counted
from tests.detect.worlds import HOUR, START, World

_LOUD, _AGAIN = 400, 25


def _hours(world: World, r: random.Random, first: int, count: int, more: int, copies: int = 0) -> None:
    """Let strangers say twenty things an hour, every fifth negative, and ``more`` negative ones; one more speaks ``copies`` times."""
    for hour in range(first, first + count):
        start = START + hour * HOUR
        said = [(start + r.randrange(HOUR), f"p{r.randrange(90_000)}", r.random() < 0.2) for _ in range(20)]
        said += [(start + r.randrange(HOUR), f"p{r.randrange(90_000)}", True) for _ in range(more)]
        said += [(start + r.randrange(HOUR), "often", False) for _ in range(copies)]
        for at, author, angry in sorted(said):
            tone: dict[str, Any] = {"polarity": "negative", "negative_pm": 700} if angry else {}
            world.say(at, author, terms=(f"w{r.randrange(900)}", f"v{r.randrange(900)}"), **tone)
        world.until(start + HOUR)


@pytest.fixture(scope="module")
def twice() -> list[Signal]:
    """The signals of a brand that rings for three hours, falls silent by the morning, and rings again before noon."""
    world, r = World(), random.Random(3)
    world.watch()
    _hours(world, r, 0, 96, 0)
    _hours(world, r, 96, 3, _LOUD, copies=60)
    _hours(world, r, 99, 9, 0)
    _hours(world, r, 108, 10, _AGAIN)
    return world.signals


def _second(signals: list[Signal]) -> list[Signal]:
    return [signal for signal in signals if signal.over and signal.at_ms > START + 108 * HOUR]


def test_a_reason_counts_what_was_scored(twice: list[Signal]) -> None:
    """Of each signal: the count and the expectation of its volume reasons are those that its windows say were scored."""
    checked = 0
    for signal in twice:
        windows = dict(zip(("5 min", "1 h", "6 h", "24 h"), signal.windows, strict=False))
        for one in signal.contributions:
            window = windows.get(str(one.values.get("window")))
            if window is None:
                continue
            checked += 1
            if one.name == "volume.negative":
                want = (window.negatives, window.expected_negatives, window.negatives_before)
            else:
                want = (window.votes, window.expected_votes, window.before)
                assert one.values.get("all", window.votes) == max(window.count, window.votes)
            assert (one.values["count"], one.values.get("before", 0)) == (want[0], want[2])
            assert one.values["expected"] == pytest.approx(want[1], abs=0.0051)
    assert checked > 20


def test_what_rang_before_is_in_no_reason_of_what_rings_now(twice: list[Signal]) -> None:
    """The second alarm's signals count what came since, from the first to the last, and name what they leave out."""
    signals, left_out = _second(twice), 0
    assert len(signals) > 3
    for signal in signals:
        day = next(window for window in signal.windows if window.name == "24h")
        assert day.negatives < 10 * _AGAIN + 24 * 20 < _LOUD + _LOUD < day.negatives_before
        for one in signal.contributions:
            if one.name == "volume.negative" and one.values["window"] == "24 h":
                left_out += 1
                assert f"(not counting {day.negatives_before} of a past alarm)" in one.text
                assert f"(sans compter {day.negatives_before} d'une alerte passée)" in told.reason(one, "fr")
    assert left_out


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_explained_signal_says_both(twice: list[Signal], language: str) -> None:
    """Each window as it is explained: what was scored against what was expected, and what came in all."""
    signal = _second(twice)[0]
    said = list(lines(Explained("acme-1", signal, signal, "same"), language, "x"))
    for window in signal.windows:
        line = next(line for line in said if line.strip().startswith(f"{window.name}:" if language == "en" else f"{window.name} :"))
        assert (
            f" {counted(window.votes, 'mention', language)}, {window.expected_votes:.1f}".replace(".", "," if language == "fr" else ".")
            in line
        )
        assert f"({window.count} " in line
        assert (f"{window.before} of a past alarm" in line or f"{window.before} d'une alerte passée" in line) == (window.before > 0)


def test_french_and_english_say_the_same_numbers() -> None:
    """Every reason has its words in both languages, with the same numbers in them."""

    def numbers(text: str) -> set[str]:
        return {field for _, field, _, _ in string.Formatter().parse(text) if field}

    assert {name: numbers(text) for name, text in score._TEXTS.items()} == {name: numbers(text) for name, text in told._FRENCH.items()}


def test_every_kind_of_signal_and_of_story_has_its_french() -> None:
    """A first line and a story in French say no word of the English."""
    stories = tuple(StoryReading(story_id=f"s{at}", by=by) for at, by in enumerate(("cascade", "link", "copy", "terms", "calls")))

    def one(kind: str, stories: tuple[StoryReading, ...] = ()) -> Explained:
        signal = Signal(brand="acme", seq=1, at_ms=0, kind=kind, stories=stories)
        return Explained("acme-1", signal, signal, "same")

    for kind in ("reading", "declared", "rebased", "blind", "sighted", "suspect_feed", "near_miss"):
        shown = list(lines(one(kind, stories), "fr", ""))
        assert kind not in shown[0].split()
        for by in ("link", "copy", "terms", "calls"):
            assert f"par {by}" not in "\n".join(shown)
        said = "\n".join(lines(one(kind, (StoryReading(story_id="s", by="terms", mentions=1, authors=1),)), "en", ""))
        assert "1 mention by 1 author, score" in said
        assert kind in next(iter(lines(one(kind), "en", "")))
