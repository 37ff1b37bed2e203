"""Subscribing, and holding what opened against the truth."""

from __future__ import annotations

from streams.cli.crises import Once
from streams.cli.truth import Score, lead_words
from streams.simulate import simulate


def test_a_second_delivery_is_dropped() -> None:
    """An id is new once, within what is remembered."""
    once = Once(capacity=2)
    assert [once.new(name) for name in ("a", "a", "b", "c", "a")] == [True, False, True, True, True]


def test_openings_are_matched_with_what_was_planted() -> None:
    """An opening inside a planted event has a lead time; one elsewhere is a false alarm; a decoy says so."""
    made = simulate(7)
    score = Score(made)
    crisis = next(event for event in made.truth if event.crisis)
    lead = score.opened(crisis.brand, crisis.onset_ms + 600_000)
    assert lead is not None
    assert lead.event is crisis
    assert round(lead.minutes) == 10
    assert 0 < lead.share < 1
    assert score.opened(crisis.brand, crisis.onset_ms - 48 * 3_600_000) is None
    decoy = next(event for event in made.truth if not event.crisis)
    from streams.clock import rfc3339

    words = lead_words(score, {"data": {"brand": decoy.brand}, "time": rfc3339(decoy.onset_ms + 60_000)})
    assert "decoy" in words
    lines = score.lines()
    assert lines[0] == "1 of 5 planted crises opened, 1 of 3 decoys, 1 other alarms"
    assert "missed:" in lines[-1]
