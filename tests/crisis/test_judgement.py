"""Kinds, severity and words."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.signal import Contribution, Forecast, Signal
from streams.crisis import kinds, severity
from streams.crisis.words import clean, reason
from streams.gravity import USUAL_AUTHORS_FLOOR
from tests.crisis.make import story

SIGNAL = Signal(brand="acme", seq=1, at_ms=0)


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "snowball"),
        ({"cues": {"customer": 20}}, "snowball"),
        ({"cues": {"first_person": 20, "hearsay": 1}}, "snowball"),
        ({"cues": {"hearsay": 12, "denial": 5, "question": 8}}, "rumour"),
        ({"press": 6, "press_first": True}, "corporate"),
        ({"own_answers": 35, "own_negative": 28, "own_reshares": 4}, "own_post"),
    ],
)
def test_kinds(more: dict[str, Any], kind: str) -> None:
    """Each family is told by its marks, with probabilities that sum to one and reasons in both languages."""
    found = kinds.assess([story(**more)], SIGNAL)
    assert found.best == kind
    assert sum(found.probabilities.values()) == pytest.approx(1.0, abs=1e-3)
    assert all(said.en and said.fr and said.en != said.fr for said in found.reasons)


@pytest.mark.parametrize(
    "more",
    [
        {"own_answers": 2, "own_negative": 2, "own_reshares": 38},  # shared, not answered
        {"own_answers": 35, "own_negative": 5, "own_reshares": 4},  # answered with praise
        {"own_answers": 5, "own_negative": 5, "own_reshares": 0},  # most of it hangs on something else
        {"own_answers": 30, "own_negative": 24, "own_reshares": 4, "own_likes": 4000},  # far more like it
        {"replies": 40},  # addressed to the brand, under no post of its own
    ],
)
def test_own_post_needs_angry_answers_that_outweigh(more: dict[str, Any]) -> None:
    """A post of the brand that is shared, liked or praised, or being addressed, is no crisis of its own post."""
    assert kinds.assess([story(**more)], SIGNAL).best != "own_post"


def test_own_post_is_compared_with_the_account_s_usual() -> None:
    """Where the account is always answered like this, the same answers say less."""
    answered = [story(own_answers=30, own_negative=24, own_reshares=6)]
    usual = Signal(brand="acme", seq=1, at_ms=0, usual_own_ratio=20.0, usual_own_negative=0.75)
    assert kinds.assess(answered, usual).probabilities["own_post"] < 0.2 < 0.8 < kinds.assess(answered, SIGNAL).probabilities["own_post"]


def far(days: float, spread: float = 1.2) -> Forecast:
    """A forecast of authors, so many usual days (of 50) more than the 5 so far."""
    return Forecast(median=5 + 50 * days, low=5 + 50 * days / spread, high=5 + 50 * days * spread)


@pytest.mark.parametrize(("days", "level"), [(0.1, 1), (0.6, 2), (1.8, 3), (6.0, 4), (18.0, 5)])
def test_severity_by_usual_days(days: float, level: int) -> None:
    """The five classes lie at a quarter, one, three and ten usual days of authors still to come."""
    found = severity.assess(far(days), 5, 50.0, [story(press=1)])
    assert found.level == min(level + 1, 5)
    assert sum(found.probabilities) == pytest.approx(1.0, abs=1e-3)


def test_what_is_over_is_not_severe() -> None:
    """It is what is still to come that counts, not how many have spoken."""
    over = Forecast(median=1005, low=1001, high=1010)
    assert severity.assess(over, 1000, 50.0, [story()]).level == 1


def test_severity_shifts() -> None:
    """Press or a second kind of network adds one, an own post altered too; professional networks alone take one off."""
    base = [story(network_classes={"professional": 9})]
    level = severity.assess(far(0.6), 5, 50.0, base).level
    assert severity.assess(far(0.6), 5, 50.0, [story(press=2)]).level == level + 2
    assert severity.assess(far(0.6), 5, 50.0, [story(network_classes={"a": 1, "b": 2})]).level == level + 2
    assert severity.assess(far(0.6), 5, 50.0, [story(press=2, own_altered=True)]).level == level + 3


def test_a_usual_day_has_some_authors() -> None:
    """A brand of which hardly anybody speaks is measured as one with a small usual day, so that few people are no catastrophe."""
    few = Forecast(median=11, low=9, high=14)
    quiet, small = (severity.assess(few, 5, usual, [story()]) for usual in (0.1, USUAL_AUTHORS_FLOOR))
    assert quiet == small
    assert quiet.level <= 3


def test_little_known_leaves_all_classes_open() -> None:
    """Without a forecast no class has more than three fifths of the probability and none is out, and the reasons say what it rests on."""
    found = severity.assess(None, 30, 50.0, [story()])
    assert max(found.probabilities) < 0.6
    assert min(found.probabilities) > 0.001
    assert found.reasons[0].fr.startswith("0,6 jours habituels")


def test_words() -> None:
    """Reasons come in both languages; control and direction characters never pass."""
    contribution = Contribution(name="tone.negative", log_odds=1.0, text="80 % negative", values={"share": 80, "usual": 12.5})
    assert reason(contribution) == "80 % negative"
    assert reason(contribution, "fr") == "80 % de négatives, 12,5 % d'habitude"
    assert reason(Contribution(name="new_thing", log_odds=1.0, values={"n": 3.0})) == "new thing: n 3"
    assert reason(Contribution(name="volume.searched", log_odds=-1.0), "fr").startswith("une paire de mots")
    assert clean("a\u202eb\x00c\nd" + "e" * 20, 10) == "abc deeee…"
