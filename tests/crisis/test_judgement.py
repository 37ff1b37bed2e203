"""Kinds, severity and words."""

from __future__ import annotations

import pytest

from schemas.signal import Contribution, Forecast
from streams.crisis import kinds, severity
from streams.crisis.words import clean, reason
from tests.crisis.make import story


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "snowball"),
        ({"cues": {"first_person": 20}}, "snowball"),
        ({"cues": {"hearsay": 12, "denial": 5, "question": 8}}, "rumour"),
        ({"press": 6, "press_first": True}, "corporate"),
        ({"own_post": True, "replies": 35, "reshares": 4}, "own_post"),
    ],
)
def test_kinds(more: dict[str, object], kind: str) -> None:
    """Each family is told by its marks, with probabilities that sum to one and reasons."""
    found = kinds.assess([story(**more)], 0.8, 0.3)
    assert found.best == kind
    assert sum(found.probabilities.values()) == pytest.approx(1.0, abs=1e-3)
    assert found.reasons


def test_own_post_that_pleases_is_none() -> None:
    """A post of the brand that is shared and liked is no crisis of its own post."""
    assert kinds.assess([story(own_post=True, negative_share=0.1, replies=2, reshares=38)], 0.1, 0.3).best != "own_post"


@pytest.mark.parametrize(("median", "level"), [(5, 1), (30, 2), (100, 3), (300, 4), (900, 5)])
def test_severity_by_usual_days(median: float, level: int) -> None:
    """The five classes lie at a quarter, one, three and ten usual days of authors."""
    found = severity.assess(Forecast(median=median, low=median / 2, high=median * 2), 5, 50.0, [story()], 5.0)
    assert found.level == level
    assert sum(found.probabilities) == pytest.approx(1.0, abs=1e-3)


def test_severity_shifts() -> None:
    """Press or a second kind of network adds one, professional networks alone take one off."""
    forecast = Forecast(median=100, low=50, high=200)
    assert severity.assess(forecast, 5, 50.0, [story(press=2)], 5.0).level == 4
    assert severity.assess(forecast, 5, 50.0, [story(network_classes={"a": 1, "b": 2})], 5.0).level == 4
    assert severity.assess(forecast, 5, 50.0, [story(network_classes={"professional": 9})], 5.0).level == 2


def test_words() -> None:
    """Reasons come in both languages; control and direction characters never pass."""
    contribution = Contribution(name="tone.negative", log_odds=1.0, text="80 % negative", values={"share": 80, "usual": 12.5})
    assert reason(contribution) == "80 % negative"
    assert reason(contribution, "fr") == "80 % de négatives, 12,5 % d'habitude"
    assert reason(Contribution(name="new_thing", log_odds=1.0, values={"n": 3.0})) == "new thing: n 3"
    assert clean("a\u202eb\x00c\nd" + "e" * 20, 10) == "abc deeee…"
