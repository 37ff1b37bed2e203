"""How large a story will get, and how its growth compares with ordinary stories of its age and count."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from operator import mul
from pathlib import Path
from typing import NamedTuple

import msgspec

from schemas.signal import Forecast
from streams.detect.growth import Growth
from streams.rounding import six

#: What a shape holds, in this order; logarithms are natural, rates are reactions an hour.
SHAPE = (
    "ln(1 + reactions)",
    "ln(age in s + 30)",
    "ln rate 1 min",
    "ln rate 5 min",
    "ln rate 45 min",
    "ln rate 8 h",
    "authors a reaction",
    "ln(1 + answers to answers)",
)
#: Nothing is foreseen beyond a month at the fastest of the present rates: a silent story is over.
MONTH_HOURS = 720.0
#: Reactions an hour that are added to a rate before its logarithm, by time constant: a tenth of an event within it.
_LEAST = (6.0, 1.2, 0.1 / 0.75, 0.1 / 8.0)


class Reference(msgspec.Struct, frozen=True):
    """What was learned from finished stories of one kind, with where it was measured (see `streams.evaluate.forecast_train`).

    ``growth``, ``spread`` and ``usual`` are linear in the centred shape and its products: an intercept first. ``growth``: mean of
    ln((1 + final) / (1 + reactions)); ``spread``: ln of its absolute error, on average; ``usual``: what the reach (halfway between median
    and upper bound) is at this age and count alone, ``usual_deviation`` how far the reach lies from it. ``low``, ``median``, ``high``:
    conformal quantiles of the error over the spread, for a central 90 % interval; ``lows`` and ``highs`` the same where the size foreseen
    (ln, before the median's shift) is about ``places``: a small forecast is more often too small.
    """

    measured_on: str
    least: list[float]
    most: list[float]
    mean: list[float]
    deviation: list[float]
    growth: list[float]
    spread: list[float]
    usual: list[float]
    usual_deviation: float
    low: float
    median: float
    high: float
    places: list[float]
    lows: list[float]
    highs: list[float]


class Outlook(NamedTuple):
    """``growth`` is ln((1 + final) / (1 + reactions)) with its bounds; ``quantile`` the place of its reach
    among stories of this age and count."""

    growth: float
    low: float
    high: float
    quantile: float


class References(msgspec.Struct, frozen=True):
    """The shipped file: a reference for each kind of story, by name."""

    version: int
    shape: list[str]
    kinds: dict[str, Reference]


@cache
def references() -> dict[str, Reference]:
    """Return the shipped references; read once."""
    return msgspec.json.decode((Path(__file__).parent / "data" / "forecast.json").read_bytes(), type=References).kinds


def kind_of(by: str, network: str) -> str:
    """Return which reference a story has: cascades those of their network (X where it was not measured), others independent posts."""
    if by != "cascade":
        return "posts"
    return network if network in references() else "x"


def shape(growth: Growth, t_ms: float, authors: float, indirect: float) -> tuple[float, ...]:
    """Return the shape of a story at ``t_ms``: count, age, rates over four time constants, distinct authors
    over events, and how many events answer another one than the root."""
    reactions = max(0.0, growth.n - 1.0)
    rates = growth.rates(t_ms)
    return (
        math.log1p(reactions),
        math.log(max(0.0, t_ms - growth.born) / 1000.0 + 30.0),
        *[math.log(rate + least) for rate, least in zip(rates, _LEAST, strict=True)],
        min(1.0, (authors + 1.0) / (growth.n + 1.0)),
        math.log1p(indirect),
    )


def terms(point: Sequence[float]) -> list[float]:
    """Return an intercept, the values and all their products of two."""
    return [1.0, *point, *[a * b for i, a in enumerate(point) for b in point[i:]]]


def _dot(weights: Sequence[float], values: Sequence[float]) -> float:
    return math.fsum(map(mul, weights, values))


def _between(places: Sequence[float], values: Sequence[float], x: float) -> float:
    """Return the value at ``x``, linear between ``places`` (ascending) and that of the nearest beyond them.

    >>> [_between([1.0, 2.0], [10.0, 20.0], x) for x in (0.0, 1.5, 3.0)]
    [10.0, 15.0, 20.0]
    """
    right = bisect_right(places, x)
    if right in (0, len(places)):
        return values[max(0, right - 1)]
    part = (x - places[right - 1]) / (places[right] - places[right - 1])
    return values[right - 1] + part * (values[right] - values[right - 1])


def outlook(point: tuple[float, ...], known: Reference) -> Outlook:
    """Judge a shape by a reference; beyond what was measured the nearest measured value counts."""
    limits = zip(point, known.least, known.most, strict=True)
    clipped = [least if x < least else most if x > most else x for x, least, most in limits]
    centred = [(x - mean) / deviation for x, mean, deviation in zip(clipped, known.mean, known.deviation, strict=True)]
    products = terms(centred)
    middle = _dot(known.growth, products)
    spread = math.exp(_dot(known.spread, products))
    usual = _dot(known.usual, terms(centred[:2]))
    place = middle + clipped[0]
    above = (middle + 0.5 * (known.median + known.high) * spread - usual) / known.usual_deviation
    return Outlook(
        max(0.0, middle + known.median * spread),
        max(0.0, middle + _between(known.places, known.lows, place) * spread),
        max(0.0, middle + _between(known.places, known.highs, place) * spread),
        0.5 * math.erfc(-above / math.sqrt(2.0)),
    )


def forecast(growth: Growth, t_ms: float, so_far: float, authors: float, indirect: float, kind: str) -> tuple[Forecast, float]:
    """Return the final size with its 90 % interval, and the quantile of the growth among stories of this kind, age and count.

    By timing, authors and depth alone: the interval is wide early, since little can be known then. ``so_far``: mentions that the
    forecast starts from; ``kind``: see `kind_of`.
    """
    found = outlook(shape(growth, t_ms, authors, indirect), references()[kind])
    most = so_far * (1.0 + MONTH_HOURS * max(growth.rates(t_ms)) / max(growth.n, 1.0)) + 1.0
    median, low, high = (six(min(so_far * math.exp(value), most)) for value in (found.growth, found.low, found.high))
    return Forecast(median=median, low=low, high=high), six(found.quantile)
