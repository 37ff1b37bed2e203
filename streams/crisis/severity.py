"""How bad it is: five classes with probabilities, and what CAP 1.2 calls urgency, severity and certainty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from schemas.signal import Forecast, StoryReading
from streams import gravity
from streams.crisis.words import Said, say

CAP_SEVERITY = ("Unknown", "Minor", "Minor", "Moderate", "Severe", "Extreme")


class Severity(NamedTuple):
    """``level`` 1 to 5, the probabilities of the five levels, and why."""

    level: int
    probabilities: tuple[float, ...]
    reasons: tuple[Said, ...]


def assess(forecast: Forecast | None, authors: int, usual_day_authors: float, stories: Sequence[StoryReading]) -> Severity:
    """Judge a crisis by `streams.gravity`, with its reasons in words."""
    found = gravity.assess(forecast, authors, usual_day_authors, stories)
    return Severity(found.level, found.probabilities, tuple(say(name, **values) for name, values in found.reasons))


def urgency(phase: str, severity: int, p_growing: float, doubling_minutes: float | None) -> str:
    """Return CAP's urgency: how soon someone must act."""
    if phase in ("resolved", "cancelled", "merged"):
        return "Past"
    if phase == "suspected":
        return "Future"
    if phase == "eased":
        return "Expected"
    if severity >= 4 or (p_growing > 0.5 and doubling_minutes is not None and doubling_minutes <= 60):
        return "Immediate"
    return "Expected"


def certainty(phase: str, declared: bool, acknowledged: bool) -> str:
    """Return CAP's certainty: a person's word is an observation; a machine's is likely at best."""
    if declared or acknowledged:
        return "Observed"
    if phase == "cancelled":
        return "Unlikely"
    return "Possible" if phase == "suspected" else "Likely"


def ranked_probability_score(probabilities: Sequence[float], level: int) -> float:
    """Score a forecast of the five levels against the true one: 0 is perfect (Epstein 1969, divided by 4).

    >>> ranked_probability_score((0, 0, 1, 0, 0), 3), ranked_probability_score((1, 0, 0, 0, 0), 5)
    (0.0, 1.0)
    """
    score = 0.0
    total = 0.0
    for i in range(4):
        total += probabilities[i]
        score += (total - (1.0 if level <= i + 1 else 0.0)) ** 2
    return score / 4.0
