"""The brand as a whole: counts of mentions and of negative ones in four windows, tone and authors of the last hour."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from schemas.signal import WindowReading
from streams.detect.brand import Brand
from streams.detect.formulas import clip, count_tail
from streams.detect.history import History
from streams.detect.score import Part, Scored, Usual, combine, crowd_parts, tone_parts
from streams.detect.windows import CRISIS, DOUBT, HOUR_MS, NEGATIVE, RAW, RING_NEGATIVE, RING_VOTES, TROUBLE, VOTES, WINDOWS
from streams.rounding import six

#: The windows as a reason names them, in any language.
_SAID = ("5 min", "1 h", "6 h", "24 h")


class Window(msgspec.Struct, frozen=True, gc=False):
    """One window: when it starts (hours since 1970), its sums, the votes and negative ones of them that are news, and what is expected.

    The surprises (-log10 p) are those of ``votes`` and ``negatives``: what rang before and is over is in the sums only.
    """

    start: float
    sums: Sequence[float]
    votes: float
    negatives: float
    mean: float
    mean_negative: float
    by_count: float
    by_negative: float


class Surprises(msgspec.Struct, frozen=True, gc=False):
    """How surprising the counts are: (-log10 of an hour's probability, number of the window), of mentions and of negatives; at ``now``."""

    loud: tuple[float, int]
    angry: tuple[float, int]
    windows: list[Window]
    now: float

    def readings(self, brand: History) -> tuple[WindowReading, ...]:
        """Return the windows as they are told."""
        raw_per_vote = 1.0 / max(brand.votes.value(), 0.05)
        found = []
        for place, one in enumerate(self.windows):
            name, hours = WINDOWS[place]
            anger = brand.anger if place else brand.anger_five
            found.append(
                WindowReading(
                    name=name, seconds=round(min(self.now - one.start, hours) * 3600.0), count=round(one.sums[RAW]),
                    expected=six(one.mean * raw_per_vote), votes=round(one.votes), expected_votes=six(one.mean),
                    negatives=round(one.negatives), expected_negatives=six(one.mean_negative),
                    before=round(one.sums[VOTES] - one.votes), negatives_before=round(one.sums[NEGATIVE] - one.negatives),
                    surprise=six(max(brand.surprise.score_one(one.by_count), anger.score_one(one.by_negative))),
                )
            )  # fmt: skip
        return tuple(found)


def surprises(brand: Brand, t_ms: int) -> Surprises:
    """Compare the counts of the four windows that end at ``t_ms`` with what is expected; remember the hour's greatest.

    A count below its mean is no surprise (0). What rang and is over was told: in the hours that it stays in a window it neither rings again
    nor teaches what is usual, nor does it add to what rings after it (where windows of full hours tell the two apart).
    """
    base, now = brand.base, t_ms / HOUR_MS
    fixed = brand.fixed(t_ms // HOUR_MS)
    negative, spread = fixed.usual.negative, 1.0 / (brand.negative.yes + 1.0)
    windows: list[Window] = []
    loud, angry, five = (0.0, 0), (0.0, 1), 0.0
    read = brand.counts.read(t_ms)
    means = brand.expected([start for _, start in read], now, t_ms // HOUR_MS)
    ring = brand.ring
    for place, (sums, start) in enumerate(read):
        mean = means[place]
        votes, negatives = sums[VOTES], sums[NEGATIVE]
        if ring is None:
            votes, negatives = votes - sums[RING_VOTES], negatives - sums[RING_NEGATIVE]
        elif ring.before and place >= 2:
            told = ring.told(start)
            votes, negatives = votes - told[0], negatives - told[1]
        mean_negative = mean * negative
        by_count = by_negative = 0.0
        if votes > mean:
            by_count = count_tail(votes, mean, base.variance(mean, place))
            if by_count > loud[0]:
                loud = (by_count, place)
        if negatives > mean_negative:
            variance = base.variance(mean_negative, place, negative) + mean_negative * mean_negative * spread
            by_negative = count_tail(negatives, mean_negative, variance)
            if place == 0:
                five = by_negative
            elif by_negative > angry[0]:
                angry = (by_negative, place)
        windows.append(Window(start, sums, votes, negatives, mean, mean_negative, by_count, by_negative))
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
        surprise, place = found.loud
        parts.append(("volume.mentions", clip(1.2 * (surprise - 2.0), -4.0, 2.5), _mentions(found.windows[place], _SAID[place])))
        surprise, place = found.angry
        parts.append(("volume.negative", clip(1.5 * (surprise - 1.5), -4.0, 4.0), _negatives(found.windows[place], _SAID[place])))
    hour, expected = found.windows[1].sums, found.windows[1].mean * brand.trouble.value()
    parts.append(("growth.rate", clip(0.9 * math.log((max(0.0, hour[TROUBLE]) + 0.3) / (expected + 1.5)), -2.0, 4.0), (hour[TROUBLE],)))
    authors = max(0.0, hour[VOTES])
    parts += tone_parts(authors, hour[NEGATIVE], hour[CRISIS], hour[DOUBT], usual)
    parts += crowd_parts(usual.crowd)
    odds = clip(1.3 * math.log((authors + 0.5) / (6.0 + usual.hour_authors)), -2.5, 3.0)
    parts.append(("spread.people", odds, (hour[RAW], authors)))
    if hour[RAW] >= 5.0 and authors < 0.6 * hour[RAW]:
        organic = authors / hour[RAW]
        parts.append(("spread.organic", -4.0 * clip((0.6 - organic) / 0.3, 0.0, 1.0), (100.0 * organic,)))
    return combine(parts, brand.weights)


def _mentions(window: Window, name: str) -> tuple[float | str, ...]:
    """Return the numbers of the reason: what was scored, and all that came where that is more."""
    told: tuple[float | str, ...] = (window.votes, window.mean, name)
    if before := round(window.sums[VOTES] - window.votes):
        return *told, window.sums[RAW], before
    return (*told, window.sums[RAW]) if round(window.sums[RAW]) > round(window.votes) else told


def _negatives(window: Window, name: str) -> tuple[float | str, ...]:
    told: tuple[float | str, ...] = (window.negatives, window.mean_negative, name)
    before = round(window.sums[NEGATIVE] - window.negatives)
    return (*told, before) if before else told
