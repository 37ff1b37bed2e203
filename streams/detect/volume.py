"""The brand as a whole: counts of mentions and of negative ones in four windows, tone and authors of the last hour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from schemas.signal import WindowReading
from streams.detect.brand import Brand
from streams.detect.formulas import clip, count_tail
from streams.detect.history import History
from streams.detect.score import Part, Scored, Usual, combine, crowd_parts, tone_parts
from streams.detect.windows import CRISIS, DOUBT, HOUR_MS, NEGATIVE, RAW, RING_NEGATIVE, RING_VOTES, TROUBLE, VOTES, WINDOWS
from streams.rounding import six

#: One window: when it starts (hours since 1970), its sums, what is expected of votes and negative ones, and both surprises (-log10 p).
Window = tuple[float, Sequence[float], float, float, float, float]


class Surprises(NamedTuple):
    """How surprising the counts are: (-log10 of an hour's probability, number of the window), of mentions and of negatives; at ``now``."""

    loud: tuple[float, int]
    angry: tuple[float, int]
    windows: list[Window]
    now: float

    def readings(self, brand: History) -> tuple[WindowReading, ...]:
        """Return the windows as they are told."""
        raw_per_vote = 1.0 / max(brand.votes.value(), 0.05)
        found = []
        for place, (start, sums, mean, mean_negative, by_count, by_negative) in enumerate(self.windows):
            name, hours = WINDOWS[place]
            anger = brand.anger if place else brand.anger_five
            found.append(
                WindowReading(
                    name=name, seconds=round(min(self.now - start, hours) * 3600.0), count=round(sums[RAW]),
                    expected=six(mean * raw_per_vote), negatives=round(sums[NEGATIVE]), expected_negatives=six(mean_negative),
                    surprise=six(max(brand.surprise.score_one(by_count), anger.score_one(by_negative))),
                )
            )  # fmt: skip
        return tuple(found)


def surprises(brand: Brand, t_ms: int) -> Surprises:
    """Compare the counts of the four windows that end at ``t_ms`` with what is expected; remember the hour's greatest.

    A count below its mean is no surprise (0). What rang and is over was told: in the hours that it stays in a window it neither rings again
    nor teaches what is usual.
    """
    base, now = brand.base, t_ms / HOUR_MS
    fixed = brand.fixed(t_ms // HOUR_MS)
    negative, spread = fixed.usual.negative, 1.0 / (brand.negative.yes + 1.0)
    windows: list[Window] = []
    loud, angry, five = (0.0, 0), (0.0, 1), 0.0
    read = brand.counts.read(t_ms)
    means = brand.expected([start for _, start in read], now, t_ms // HOUR_MS)
    told = 1.0 if brand.ring is None else 0.0
    for place, (sums, start) in enumerate(read):
        mean = means[place]
        votes, negatives = sums[VOTES] - told * sums[RING_VOTES], sums[NEGATIVE] - told * sums[RING_NEGATIVE]
        mean_negative = mean * negative
        by_count = by_negative = 0.0
        if votes > mean:
            by_count = base.score_one(votes, mean, place)
            if by_count > loud[0]:
                loud = (by_count, place)
        if negatives > mean_negative:
            variance = base.variance(mean_negative, place, negative) + mean_negative * mean_negative * spread
            by_negative = count_tail(negatives, mean_negative, variance)
            if place == 0:
                five = by_negative
            elif by_negative > angry[0]:
                angry = (by_negative, place)
        windows.append((start, sums, mean, mean_negative, by_count, by_negative))
    brand.hour_surprise = max(brand.hour_surprise, loud[0])
    brand.hour_anger_five, brand.hour_anger = max(brand.hour_anger_five, five), max(brand.hour_anger, angry[0])
    short, long = brand.anger_five.score_one(five, fixed.anger_five), brand.anger.score_one(angry[0], fixed.anger)
    angry = (short, 0) if short > long else (long, angry[1])
    return Surprises((brand.surprise.score_one(loud[0], fixed.surprise), loud[1]), angry, windows, now)


def score_whole(brand: Brand, found: Surprises, usual: Usual) -> Scored:
    """Score the brand as a whole."""
    parts: list[Part] = []
    if brand.base.cold:
        parts.append(("volume.cold", -2.0, ()))
    else:
        raw_per_vote = 1.0 / max(brand.votes.value(), 0.05)
        odds = clip(1.2 * (found.loud[0] - 2.0), -4.0, 2.5)
        _, sums, mean, *_ = found.windows[found.loud[1]]
        parts.append(("volume.mentions", odds, (sums[RAW], mean * raw_per_vote, WINDOWS[found.loud[1]][0])))
        odds = clip(1.5 * (found.angry[0] - 1.5), -4.0, 4.0)
        _, sums, _, mean, *_ = found.windows[found.angry[1]]
        parts.append(("volume.negative", odds, (sums[NEGATIVE], mean, WINDOWS[found.angry[1]][0])))
    _, hour, expected, *_ = found.windows[1]
    expected *= brand.trouble.value()
    parts.append(("growth.rate", clip(0.9 * math.log((max(0.0, hour[TROUBLE]) + 0.3) / (expected + 1.5)), -2.0, 4.0), (hour[TROUBLE],)))
    authors = max(0.0, hour[VOTES])
    parts += tone_parts(authors, hour[NEGATIVE], hour[CRISIS], hour[DOUBT], usual)
    parts += crowd_parts(usual.crowd)
    odds = clip(1.3 * math.log((authors + 0.5) / (6.0 + usual.hour_authors)), -2.5, 3.0)
    parts.append(("spread.authors", odds, (hour[RAW], authors)))
    if hour[RAW] >= 5.0 and authors < 0.6 * hour[RAW]:
        organic = authors / hour[RAW]
        parts.append(("spread.organic", -4.0 * clip((0.6 - organic) / 0.3, 0.0, 1.0), (100.0 * organic,)))
    return combine(parts, brand.weights)
