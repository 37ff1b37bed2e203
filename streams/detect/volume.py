"""The brand as a whole: counts of mentions and of negative ones in four windows, tone and authors of the last hour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from schemas.signal import WindowReading
from streams.detect.brand import Brand
from streams.detect.formulas import clip, count_tail, six
from streams.detect.history import History
from streams.detect.score import Part, Scored, Usual, combine, tone_parts
from streams.detect.windows import CRISIS, DOUBT, HOUR_MS, NEGATIVE, RAW, TROUBLE, VOTES, WINDOWS


class Window(NamedTuple):
    """One window: its number, mentions, negative votes, what is expected of votes and negative ones, and both surprises (-log10 p)."""

    place: int
    seconds: float
    raw: float
    negative: float
    mean: float
    mean_negative: float
    by_count: float
    by_negative: float


class Surprises(NamedTuple):
    """How surprising the counts are: (-log10 p before recalibration, minus the window's number), of mentions and of negatives."""

    loud: tuple[float, int]
    angry: tuple[float, int]
    windows: list[Window]
    hour: Sequence[float]
    hour_mean: float

    def readings(self, brand: History) -> tuple[WindowReading, ...]:
        """Return the windows as they are told."""
        raw_per_vote = 1.0 / max(brand.votes.value(), 0.05)
        return tuple(
            WindowReading(
                name=WINDOWS[w.place][0], seconds=round(w.seconds), count=round(w.raw), expected=six(w.mean * raw_per_vote),
                negatives=round(w.negative), expected_negatives=six(w.mean_negative),
                surprise=six(brand.surprise.score_one(max(w.by_count, w.by_negative))),
            )
            for w in self.windows
        )  # fmt: skip


def surprises(brand: Brand, t_ms: int) -> Surprises:
    """Compare the counts of the four windows that end at ``t_ms`` with what is expected; remember the hour's greatest.

    A count below its mean is no surprise (0).
    """
    base, now = brand.base, t_ms / HOUR_MS
    negative = brand.negative.value()
    spread = 1.0 / (brand.negative.yes + 1.0)
    windows: list[Window] = []
    loud, angry = (0.0, 0), (0.0, 0)
    running = t_ms // HOUR_MS
    hour, hour_mean = brand.counts.now, 0.0
    for place, (sums, start) in enumerate(brand.counts.read(t_ms)):
        mean = brand.expected(start, now, running)
        mean_negative = mean * negative
        by_count = by_negative = 0.0
        if sums[VOTES] > mean:
            by_count = base.score_one(sums[VOTES], mean, place)
            if by_count > loud[0]:
                loud = (by_count, -place)
        if sums[NEGATIVE] > mean_negative:
            variance = base.variance(mean_negative, place) + mean_negative * mean_negative * spread
            by_negative = count_tail(sums[NEGATIVE], mean_negative, variance)
            if by_negative > angry[0]:
                angry = (by_negative, -place)
        seconds = min(now - start, WINDOWS[place][1]) * 3600.0
        windows.append(Window(place, seconds, sums[RAW], sums[NEGATIVE], mean, mean_negative, by_count, by_negative))
        if place == 1:
            hour, hour_mean = list(sums), mean
    brand.hour_surprise = max(brand.hour_surprise, loud[0], angry[0])
    return Surprises(loud, angry, windows, hour, hour_mean)


def score_whole(brand: Brand, found: Surprises, usual: Usual) -> Scored:
    """Score the brand as a whole."""
    parts: list[Part] = []
    if brand.base.cold:
        parts.append(("volume.cold", -2.0, ()))
    else:
        raw_per_vote = 1.0 / max(brand.votes.value(), 0.05)
        odds = clip(1.2 * (brand.surprise.score_one(found.loud[0]) - 2.0), -4.0, 2.5)
        w = found.windows[-found.loud[1]]
        parts.append(("volume.mentions", odds, (w.raw, w.mean * raw_per_vote, WINDOWS[w.place][0])))
        odds = clip(1.5 * (brand.surprise.score_one(found.angry[0]) - 1.5), -4.0, 4.0)
        w = found.windows[-found.angry[1]]
        parts.append(("volume.negative", odds, (w.negative, w.mean_negative, WINDOWS[w.place][0])))
    hour = found.hour
    expected = found.hour_mean * brand.trouble.value()
    parts.append(("growth.rate", clip(0.9 * math.log((max(0.0, hour[TROUBLE]) + 0.3) / (expected + 1.5)), -2.0, 4.0), (hour[TROUBLE],)))
    authors = max(0.0, hour[VOTES])
    parts += tone_parts(authors, hour[NEGATIVE], hour[CRISIS], hour[DOUBT], usual)
    odds = clip(1.3 * math.log((authors + 0.5) / (6.0 + usual.hour_authors)), -2.5, 3.0)
    parts.append(("spread.authors", odds, (hour[RAW], authors)))
    if hour[RAW] >= 5.0 and authors < 0.6 * hour[RAW]:
        organic = authors / hour[RAW]
        parts.append(("spread.organic", -4.0 * clip((0.6 - organic) / 0.3, 0.0, 1.0), (100.0 * organic,)))
    return combine(parts, brand.weights)
