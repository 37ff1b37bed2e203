"""Learning from verdicts: bounded, per brand, never below the shipped model."""

from __future__ import annotations

import math

import pytest

from streams.enrich import polarity_learn
from streams.enrich.polarity import Polarity
from streams.enrich.polarity_learn import LEAST, BrandPolarity

SHIPPED = Polarity.load()
#: A brand of whose products people say "sick" and "wicked" in praise.
PRAISE = ["sick sound", "these are wicked", "wicked bass, sick build", "so sick", "wicked wicked", "sick, just sick"]
PLAIN = ["the shop opens on monday", "box arrived", "on the train", "new colour listed"]


def _taught(rounds: int) -> BrandPolarity:
    learner = BrandPolarity(SHIPPED)
    for turn in range(rounds):
        learner.learn("acme", PRAISE[turn % len(PRAISE)], "en", "positive")
        learner.learn("acme", PLAIN[turn % len(PLAIN)], "en", "neutral")
    return learner


def test_before_enough_verdicts_the_shipped_model_answers() -> None:
    """With fewer verdicts than needed the answers and the version are the shipped model's."""
    learner = _taught(LEAST // 2 - 1)
    assert learner.score("acme", PRAISE, ["en"] * len(PRAISE)) == SHIPPED.score(PRAISE, ["en"] * len(PRAISE))
    assert learner.version("acme") == SHIPPED.version


def test_it_learns_a_brand_s_own_words() -> None:
    """After enough verdicts the brand's words are read better than by the shipped model, under a version of its own."""
    learner = _taught(80)
    assert learner.version("acme") != SHIPPED.version
    before = sum(positive for _, positive, _ in SHIPPED.score(PRAISE, ["en"] * len(PRAISE)))
    after = sum(positive for _, positive, _ in learner.score("acme", PRAISE, ["en"] * len(PRAISE)))
    assert after > before


def test_other_brands_are_untouched() -> None:
    """What one brand's people teach changes no answer for another brand."""
    learner = _taught(80)
    assert learner.score("other", PRAISE, ["en"] * len(PRAISE)) == SHIPPED.score(PRAISE, ["en"] * len(PRAISE))


def test_when_it_stops_being_better_the_shipped_model_answers_again() -> None:
    """Once its losses over the window are no lower than the shipped model's, the learned answer is out of force."""
    learner = _taught(80)
    state = learner.brands["acme"]
    assert state.leads
    state.learned_losses.extend(state.shipped_losses)
    assert not state.leads
    assert learner.version("acme") == SHIPPED.version
    assert learner.score("acme", PRAISE, ["en"] * len(PRAISE)) == SHIPPED.score(PRAISE, ["en"] * len(PRAISE))


def test_the_same_verdicts_give_the_same_version() -> None:
    """Version and answers depend on the verdicts and their order alone."""
    one, two = _taught(60), _taught(60)
    assert one.version("acme") == two.version("acme")
    assert one.score("acme", PRAISE, ["en"] * len(PRAISE)) == two.score("acme", PRAISE, ["en"] * len(PRAISE))


def test_a_change_is_bounded() -> None:
    """However often it is told, it moves no odds beyond the bound."""
    shipped = SHIPPED.probabilities(["I hate this awful thing"], ["en"])[0][0]
    moved = polarity_learn._bounded(shipped, {"positive": 1.0, "neutral": 0.0, "negative": 0.0})
    change = math.log(moved[2] / moved[0]) - math.log(shipped[2] / shipped[0])
    assert 0 < change <= polarity_learn.BOUND + 0.01


def test_what_cannot_be_used_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown label, an unknown language and a brand beyond the limit are passed over."""
    learner = BrandPolarity(SHIPPED)
    learner.learn("acme", "x", "en", "splendid")
    learner.learn("acme", "x", "xx", "positive")
    monkeypatch.setattr(polarity_learn, "BRANDS", 0)
    learner.learn("acme", "x", "en", "positive")
    assert learner.brands == {}
    assert learner.score("acme", ["x"], ["xx"]) == [(0, 0, "")]
