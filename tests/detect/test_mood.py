"""What comes beyond the usual: a crowd that complains, one that praises, and what a text counts that is passed on."""

from __future__ import annotations

import random
from typing import Any

import pytest

from schemas.enriched import Enriched
from streams.detect.evidence import weigh
from streams.detect.mood import COMPLAINS, PRAISES, Mood
from streams.detect.score import score_story
from tests.detect.worlds import HOUR, START, World, ordinary

MINUTE = 60_000

WORDS = ("negative", "positive", "neutral")
USUAL = {"negative": 0.2, "positive": 0.2, "neutral": 0.6}


def _mood() -> Mood:
    """Return a mood that knows a brand of 20 texts an hour, a fifth of them negative, a fifth positive."""
    mood = Mood()
    for hour in range(100):
        for i in range(20):
            mood.learn_one(hour * HOUR + i * 3 * MINUTE, WORDS[i % 5] if i % 5 < 2 else "neutral", 1.0)
        mood.end_hour(20.0, True)
    return mood


def _crowd(negative: int, positive: int, neutral: int, minutes: int = 10) -> float:
    mood, at = _mood(), 101 * HOUR
    said = ["negative"] * negative + ["positive"] * positive + ["neutral"] * neutral
    random.Random(1).shuffle(said)
    for place, polarity in enumerate(said):
        mood.learn_one(at + place * minutes * MINUTE // len(said), polarity, 1.0)
    return mood.score_one(at + minutes * MINUTE, 20.0)


def test_a_surge_of_complaint_counts_for_and_one_of_praise_against() -> None:
    """Thirty texts in ten minutes, where three are usual: complaint and praise reach the bound, and more of either moves it its way."""
    assert _crowd(15, 3, 12) == COMPLAINS
    assert _crowd(3, 20, 7) == PRAISES
    assert _crowd(4, 1, 5) > 0.0 > _crowd(1, 6, 3)
    by_share = [_crowd(n, 10 - n, 2) for n in range(11)]
    assert by_share == sorted(by_share)


def test_without_a_surge_nothing_is_said() -> None:
    """As many texts as usual, and fewer, say nothing whatever they are."""
    for negative, positive in ((4, 0), (0, 4), (2, 2)):
        assert _crowd(negative, positive, 0, minutes=60) == 0.0


def test_talk_that_swells_as_it_is_speaks_hardly_for_a_crisis() -> None:
    """Ten times the usual with the usual shares: over fifty draws never above one in log-odds on average, and below 1 in most."""
    found = []
    for seed in range(50):
        drawn = random.Random(seed).choices(list(USUAL), list(USUAL.values()), k=50)
        found.append(_crowd(drawn.count("negative"), drawn.count("positive"), drawn.count("neutral"), minutes=15))
    assert sum(found) / len(found) < 0.5
    assert sum(one < 1.0 for one in found) >= 45


def _cascade(world: World, at: int, times: int) -> None:
    """A post with a word of crisis that others pass on, two of them in three minutes."""
    world.say(at, "root", polarity="neutral", crisis_words=("fraud:scam",))
    root = f"m{world._offset - 1}"
    again: dict[str, Any] = {"kind": "reshare", "root_id": root, "parent_id": root, "polarity": "neutral"}
    for i in range(times):
        world.say(at + (i + 1) * 90_000, f"r{i}", crisis_words=("fraud:scam",), **again)


def test_a_text_that_is_passed_on_is_read_once() -> None:
    """Thirty reshares make a story larger and what its text says no surer: the tone stays that of one text, the trouble grows."""
    world = World()
    world.watch()
    ordinary(world, 6, 20.0)
    at = START + 144 * HOUR + 10 * HOUR
    _cascade(world, at, 30)
    world.until(at + 46 * MINUTE)
    brand = world.stage.brands["acme"]
    (story,) = [one for one in brand.book.stories.values() if one.mentions == 31]
    assert story.told == pytest.approx(1.0)
    assert story.trouble > 20.0
    tone = {name: odds for name, odds, _ in score_story(story, at + 46 * MINUTE, brand.usual()).parts if name.startswith("tone.")}
    assert 1.5 < tone["tone.crisis"] < 2.5


@pytest.mark.parametrize(("around", "rings"), [("positive", False), ("negative", True)])
def test_praise_around_it_keeps_a_text_from_ringing(around: str, rings: bool) -> None:
    """The same cascade amid forty texts of praise and amid forty complaints."""
    world = World()
    world.watch()
    ordinary(world, 6, 20.0)
    at = START + 144 * HOUR + 10 * HOUR
    begun = len(world.over())
    for i in range(40):
        world.say(at - 10 * MINUTE + i * 15_000, f"p{i}", polarity=around, negative_pm=700 if around == "negative" else 50)
    _cascade(world, at, 10)
    world.until(at + 16 * MINUTE)
    new = world.over()[begun:]
    assert bool(new) == rings
    names = {c.name for s in new for c in s.contributions}
    assert ("tone.complaint" in names) == rings


@pytest.mark.parametrize(
    ("polarity", "word", "counts"),
    [
        ("negative", "outage:cancelled", True), ("neutral", "outage:cancelled", False), ("positive", "outage:cancelled", False),
        ("neutral", "fraud:scam", True), ("positive", "boycott:boycott", True),
    ],
)  # fmt: skip
def test_what_went_wrong_for_a_customer_is_a_word_of_crisis_where_he_is_angry(polarity: str, word: str, counts: bool) -> None:
    """Who thanks for help with a cancelled flight says the same word; it stays trouble either way."""
    told = Enriched(
        "acme", "m", "x", 0, 0, START, START, text="so", polarity=polarity, crisis_words=(word,), negative_pm=400, positive_pm=300
    )
    _, _, trouble, _, crisis, _ = weigh(told, 0)
    assert crisis == counts
    assert trouble > 0.25
