"""How bad it is: five classes with probabilities, and what CAP 1.2 calls urgency, severity and certainty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from schemas.signal import Forecast, StoryReading
from streams.crisis.words import Said, say
from streams.networks import classes

#: Borders between the classes 1 to 5, in usual days of the brand.
BORDERS = (0.25, 1.0, 3.0, 10.0)
#: Log usual days (mean, spread) of a crisis of which no forecast is known: about even over the five classes (assumed).
PRIOR = (0.5, 1.6)
#: Chance of each further author to be the first on another kind of network, or of the press (assumed).
_ELSEWHERE = 0.01
#: Least spread of the forecast, in log units (assumed).
_LEAST_SPREAD = 0.35
#: What the log spread is without a forecast: a factor of 5 either way at 90 % (assumed).
_BLIND_SPREAD = math.log(5.0) / 1.645

CAP_SEVERITY = ("Unknown", "Minor", "Minor", "Moderate", "Severe", "Extreme")


class Severity(NamedTuple):
    """``level`` 1 to 5, the probabilities of the five levels, and why."""

    level: int
    probabilities: tuple[float, ...]
    reasons: tuple[Said, ...]


def assess(forecast: Forecast | None, authors: int, usual_day_authors: float, stories: Sequence[StoryReading], floor: float) -> Severity:
    """Judge a crisis from the distinct authors of the next 24 h, in usual days of the brand.

    ``forecast`` is of all its authors, ``authors`` are those so far. One level more for original press pieces or a second network
    class; one less where it stays on professional networks (people show their own names there); one more where the brand altered
    its own post. What is to come is a log-normal with the forecast's 90 % interval, drawn towards `PRIOR`; a second kind of network
    that is not there yet comes with each further author's chance of `_ELSEWHERE`. The level is the median class.
    """
    usual = max(usual_day_authors, floor)
    if forecast is not None and forecast.median > 0:
        median = max(forecast.median - authors, 0.5)
        low, high = (max(bound - authors, 0.5) for bound in (forecast.low, forecast.high))
        spread = min(max(math.log(high / low) / (2 * 1.645), _LEAST_SPREAD), 3.0)
    else:
        median, spread = float(max(authors, 1)), _BLIND_SPREAD
    days = median / usual
    mean, spread = _drawn(math.log(days), spread)
    reasons = [say("severity.days", days=days, authors=round(median), usual=usual)]
    shift = 0
    press = sum(story.press for story in stories)
    found = sorted({name for story in stories for name, n in story.network_classes.items() if n})
    if press:
        shift += 1
        reasons.append(say("severity.press", press=press))
    elif len(found) > 1:
        shift += 1
        reasons.append(say("severity.classes", classes=len(found), names=", ".join(found[:4])))
    later = 0.0 if shift else 1.0 - (1.0 - _ELSEWHERE) ** min(median, 10_000.0)
    prior = classes()[found[0]].severity_prior if len(found) == 1 and found[0] in classes() else 0
    if prior:
        shift += prior
        reasons.append(say(f"severity.{found[0]}"))
    if any(story.own_altered for story in stories):
        shift += 1
        reasons.append(say("severity.altered"))
    below = [0.5 * math.erfc((mean - math.log(border)) / (spread * math.sqrt(2.0))) for border in BORDERS]
    edges = [0.0, *below, 1.0]
    plain = [edges[i + 1] - edges[i] for i in range(5)]
    moved = [(1.0 - later) * a + later * b for a, b in zip(_moved(plain, shift), _moved(plain, shift + 1), strict=True)]
    level = 1 + sum(total < 0.5 for total in accumulate(moved[:4]))
    return Severity(level, tuple(round(share, 4) for share in moved), tuple(reasons))


def _drawn(mean: float, spread: float) -> tuple[float, float]:
    """Return mean and spread (log usual days) of a forecast after what is known of crises before it: two normals multiplied."""
    (prior, width), weight = PRIOR, spread**-2
    total = weight + width**-2
    return (weight * mean + width**-2 * prior) / total, total**-0.5


def _moved(shares: Sequence[float], shift: int) -> list[float]:
    """Return the probabilities of classes moved by ``shift``; what would leave the five stays at their ends."""
    moved = [0.0] * 5
    for i, share in enumerate(shares):
        moved[min(max(i + shift, 0), 4)] += share
    return moved


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
