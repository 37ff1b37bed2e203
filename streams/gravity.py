"""How bad it is, in five classes, from numbers alone: the card shows it, and it decides what may exceed the alarm budget."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple

from schemas.signal import Forecast, StoryReading
from streams.networks import classes
from streams.rounding import six

#: Borders between the classes 1 to 5, in usual days of the brand.
BORDERS = (0.25, 1.0, 3.0, 10.0)
#: Log usual days (mean, spread) that come within 24 h of an opening. Measured on 74 openings of the simulation (seeds 1 to 10, 21 to 25:
#: -0.34, 0.74) and on 25 real courses planted at 5 % (seeds 101 to 130: -1.0, 0.2), each half.
PRIOR = (-0.65, 0.8)
#: What `PRIOR` says of a crisis that has long begun: its spread then (assumed).
_OLD_SPREAD = 1.6
#: At the opening most of a crisis has not begun as a story, so a forecast of its stories misses more than it says: by this share (assumed;
#: it says 1.1 to 1.4, and at those openings misses by 2.5 and 0.9).
_UNBEGUN = 0.35
#: Usual days of authors so far after which half of what holds at the opening holds (assumed).
_BEGUN = 0.1
#: Chance of each further author that is foreseen to be the first on another kind of network, or of the press. Of the simulated openings
#: above 11 of 41 went there, which makes 0.0005 an author; of the planted ones, all on one network, none. 0.002 scored best on both
#: together.
_ELSEWHERE = 0.002
#: Least spread of the forecast, in log units (assumed).
_LEAST_SPREAD = 0.35
#: What the log spread is without a forecast: a factor of 5 either way at 90 % (assumed).
_BLIND_SPREAD = math.log(5.0) / 1.645
#: A usual day counts at least this many authors (assumed).
USUAL_AUTHORS_FLOOR = 5.0
_FADE_MS = 3 * 3_600_000

#: The name of a reason and the numbers that fill its words.
Reason = tuple[str, Mapping[str, float | str]]


class Gravity(NamedTuple):
    """``level`` 1 to 5, the probabilities of the five levels, and why."""

    level: int
    probabilities: tuple[float, ...]
    reasons: tuple[Reason, ...]


def assess(forecast: Forecast | None, authors: int, usual_day_authors: float, stories: Sequence[StoryReading]) -> Gravity:
    """Judge a crisis from the distinct authors of the next 24 h, in usual days of the brand (`USUAL_AUTHORS_FLOOR` at least).

    ``forecast`` is of all its authors, ``authors`` are those so far. One level more for original press pieces or a second network
    class; one less where it stays on professional networks (people show their own names there); one more where the brand altered
    its own post. What is to come is a log-normal with the forecast's 90 % interval, drawn towards `PRIOR`; a second kind of network
    that is not there yet comes with each further author's chance of `_ELSEWHERE`. The level is the median class.
    """
    usual = max(usual_day_authors, USUAL_AUTHORS_FLOOR)
    if forecast is not None and forecast.median > 0:
        median = max(forecast.median - authors, 0.5)
        low, high = (max(bound - authors, 0.5) for bound in (forecast.low, forecast.high))
        spread = min(max(math.log(high / low) / (2 * 1.645), _LEAST_SPREAD), 3.0)
    else:
        median, spread = float(max(authors, 1)), _BLIND_SPREAD
    days = median / usual
    mean, spread = _drawn(math.log(days), spread, authors / usual)
    reasons: list[Reason] = [("severity.days", {"days": days, "authors": round(median), "usual": usual})]
    shift = 0
    press = sum(story.press for story in stories)
    found = sorted({name for story in stories for name, n in story.network_classes.items() if n})
    if press:
        shift += 1
        reasons.append(("severity.press", {"press": press}))
    elif len(found) > 1:
        shift += 1
        reasons.append(("severity.classes", {"classes": len(found), "names": ", ".join(found[:4])}))
    later = 0.0 if shift else 1.0 - (1.0 - _ELSEWHERE) ** min(usual * math.exp(mean), 10_000.0)
    prior = classes()[found[0]].severity_prior if len(found) == 1 and found[0] in classes() else 0
    if prior:
        shift += prior
        reasons.append((f"severity.{found[0]}", {}))
    if any(story.own_altered for story in stories):
        shift += 1
        reasons.append(("severity.altered", {}))
    below = [0.5 * math.erfc((mean - math.log(border)) / (spread * math.sqrt(2.0))) for border in BORDERS]
    edges = [0.0, *below, 1.0]
    plain = [edges[i + 1] - edges[i] for i in range(5)]
    moved = [(1.0 - later) * a + later * b for a, b in zip(_moved(plain, shift), _moved(plain, shift + 1), strict=True)]
    level = 1 + sum(total < 0.5 for total in accumulate(moved[:4]))
    return Gravity(level, tuple(round(share, 4) for share in moved), tuple(reasons))


def _drawn(mean: float, spread: float, so_far: float) -> tuple[float, float]:
    """Return mean and spread (log usual days) of a forecast after what is known of crises before it: two normals multiplied.

    ``so_far``: usual days of authors that are there. The fewer, the more is still to begin, and the more former crises say.
    """
    prior, width = PRIOR
    early = _BEGUN / (_BEGUN + so_far)
    weight = (spread * (1.0 + early * _UNBEGUN)) ** -2
    before = early * width**-2 + (1.0 - early) * _OLD_SPREAD**-2
    total = weight + before
    return (weight * mean + before * prior) / total, total**-0.5


def _moved(shares: Sequence[float], shift: int) -> list[float]:
    """Return the probabilities of classes moved by ``shift``; what would leave the five stays at their ends."""
    moved = [0.0] * 5
    for i, share in enumerate(shares):
        moved[min(max(i + shift, 0), 4)] += share
    return moved


def authors_forecast(stories: Sequence[StoryReading], at_ms: int) -> Forecast | None:
    """Return how many authors these stories will have: those so far, and for each mention still to come as many as one brought so far.

    A reading that is not of now forecast more than is to come by now: half of it for every three hours without a mention.
    """
    known = [
        (s, s.forecast, s.authors / s.mentions * 0.5 ** (max(0, at_ms - s.last_ms) / _FADE_MS if s.last_ms else 0.0))
        for s in stories
        if s.forecast is not None and s.mentions
    ]
    if not known:
        return None
    so_far = sum(s.authors for s in stories)
    median, low, high = (
        six(so_far + sum(each * max(0.0, end(forecast) - story.mentions) for story, forecast, each in known))
        for end in (attrgetter("median"), attrgetter("low"), attrgetter("high"))
    )
    return Forecast(median=median, low=low, high=high)
