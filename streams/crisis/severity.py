"""How bad it is: five classes with probabilities, and what CAP 1.2 calls urgency, severity and certainty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from schemas.signal import Forecast, StoryReading

#: Borders between the classes 1 to 5, in usual days of the brand.
BORDERS = (0.25, 1.0, 3.0, 10.0)
#: Least spread of the forecast, in log units (assumed).
_LEAST_SPREAD = 0.35
#: What the log spread is without a forecast: a factor of 5 either way at 90 % (assumed).
_BLIND_SPREAD = math.log(5.0) / 1.645

CAP_SEVERITY = ("Unknown", "Minor", "Minor", "Moderate", "Severe", "Extreme")


class Severity(NamedTuple):
    """``level`` 1 to 5, the probabilities of the five levels, and why."""

    level: int
    probabilities: tuple[float, ...]
    reasons: tuple[str, ...]


def assess(forecast: Forecast | None, authors: int, usual_day_authors: float, stories: Sequence[StoryReading], floor: float) -> Severity:
    """Judge a crisis from distinct authors forecast for the next 24 h, in usual days of the brand.

    One level more for original press pieces or a second network class; one less where it stays on professional
    networks (people show their own names there); one more where the brand altered its own post (cue ``altered``).
    The probabilities are those of a log-normal with the forecast's 90 % interval; the level is their median.
    """
    usual = max(usual_day_authors, floor)
    if forecast is not None and forecast.median > 0:
        median = forecast.median
        spread = (math.log(max(forecast.high, 1e-9)) - math.log(max(forecast.low, 1e-9))) / (2 * 1.645)
        spread = min(max(spread, _LEAST_SPREAD), 3.0)
        what = "forecast for the next 24 h"
    else:
        median, spread, what = float(max(authors, 1)), _BLIND_SPREAD, "so far, without a forecast"
    days = median / usual
    reasons = [f"{days:.2g} usual days of authors ({median:.0f} {what}; a usual day has {usual:.3g})"]
    shift = 0
    press = sum(story.press for story in stories)
    classes = sorted({name for story in stories for name, n in story.network_classes.items() if n})
    if press:
        shift += 1
        reasons.append(f"+1: {press} press piece{'s' if press > 1 else ''}")
    elif len(classes) > 1:
        shift += 1
        reasons.append(f"+1: on {len(classes)} kinds of network ({', '.join(classes[:4])})")
    if classes == ["professional"]:
        shift -= 1
        reasons.append("-1: only on professional networks")
    if any(story.own_post and story.cues.get("altered") for story in stories):
        shift += 1
        reasons.append("+1: the brand's own post was altered")
    below = [0.5 * math.erfc((math.log(days) - math.log(border)) / (spread * math.sqrt(2.0))) for border in BORDERS]
    edges = [0.0, *below, 1.0]
    plain = [edges[i + 1] - edges[i] for i in range(5)]
    moved = [0.0] * 5
    for i, share in enumerate(plain):
        moved[min(max(i + shift, 0), 4)] += share
    total = 0.0
    level = 5
    for i, share in enumerate(moved):
        total += share
        if total >= 0.5:
            level = i + 1
            break
    return Severity(level, tuple(round(share, 4) for share in moved), tuple(reasons))


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
