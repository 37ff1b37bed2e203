"""When people write: hours of the day, days of the week, sleep, and delays of reactions.

The delay law is a log-normal mixture, which is not the detector's kernel, so that the detector's intervals are not right by construction.
"""

from __future__ import annotations

import math
from random import Random
from typing import Final

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
MINUTE_MS: Final = 60_000

#: Relative activity of people by local hour (assumed): asleep until six, busy at noon, busiest in the evening.
BY_HOUR: Final = (
    0.30, 0.14, 0.08, 0.06, 0.07, 0.14, 0.36, 0.70, 0.95, 1.05, 1.12, 1.20,
    1.35, 1.28, 1.15, 1.12, 1.18, 1.30, 1.42, 1.50, 1.62, 1.55, 1.20, 0.72,
)  # fmt: skip
_MEAN: Final = sum(BY_HOUR) / 24
_AWAKE_FROM: Final = 0.7  # activity from which nobody is asleep


def activity(ms: int, offset_hours: int) -> float:
    """Return the activity at a moment, 1 on average over a day; between full hours it changes linearly."""
    local = ms / HOUR_MS + offset_hours
    hour = math.floor(local)
    share = local - hour
    return ((1 - share) * BY_HOUR[hour % 24] + share * BY_HOUR[(hour + 1) % 24]) / _MEAN


def weekday(ms: int, offset_hours: int) -> int:
    """Return the local weekday, Monday is 0."""
    return ((ms + offset_hours * HOUR_MS) // DAY_MS + 3) % 7


def poisson(rng: Random, mean: float) -> int:
    """Draw a Poisson number: Knuth's product in slices, so that it depends on `Random.random` alone."""
    count = 0
    while mean > 30:
        mean -= 30
        count += poisson(rng, 30)
    limit = math.exp(-mean)
    product = rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count


def normal(rng: Random) -> float:
    """Draw a standard normal number (Box and Muller), from `Random.random` alone."""
    return math.sqrt(-2.0 * math.log(1.0 - rng.random())) * math.cos(2.0 * math.pi * rng.random())


def lognormal(rng: Random, median: float, sigma: float) -> float:
    """Draw a log-normal number."""
    return median * math.exp(sigma * normal(rng))


def reaction_delay(rng: Random, pace: float) -> int:
    """Draw how long after a post a reaction comes, in ms: most within the hour, some much later. ``pace`` stretches it."""
    minutes = lognormal(rng, 11.0, 1.1) if rng.random() < 0.68 else lognormal(rng, 120.0, 1.0)
    return max(1000, round(minutes * pace * MINUTE_MS))


def when_awake(rng: Random, ms: int, offset_hours: int) -> int:
    """Return ``ms``, or a moment of the next morning for who would be asleep then."""
    if rng.random() * _AWAKE_FROM < activity(ms, offset_hours) * _MEAN:
        return ms
    local = ms + offset_hours * HOUR_MS
    morning = local - local % DAY_MS + round(6.5 * HOUR_MS)
    if local % DAY_MS >= 7 * HOUR_MS:
        morning += DAY_MS
    return morning - offset_hours * HOUR_MS + round(-math.log(1.0 - rng.random()) * 75 * MINUTE_MS)
