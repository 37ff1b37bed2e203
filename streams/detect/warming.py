"""What is usual for a brand, told as plain numbers, so that a brand that is new here need not begin at nothing."""

from __future__ import annotations

import math
from itertools import chain

import msgspec

from schemas.enriched import LearnedBaseline
from streams.detect.brand import Brand
from streams.detect.feed import Feed
from streams.detect.tail import KEPT, Tail
from streams.rounding import six

_decode = msgspec.json.Decoder(LearnedBaseline).decode
#: Shares that a brand learns, each as (yes, no).
_SHARES = ("negative", "trouble", "crisis", "doubt", "calls", "authorship", "votes")
_TAILS = {"score.tail": "tail", "surprise.tail": "surprise", "anger.five.tail": "anger_five", "anger.tail": "anger"}
_MOST_SOURCES = 16
#: How many numbers stand under each name; 0: any number of them, up to the limit of what is kept.
_SIZES = {
    "rate": 4, "dispersion": 4, "story": 3, "season.learned": 1, "season.hours": 48, "season.days": 14, "season.cells": 0,
    **dict.fromkeys(_TAILS, 0), **dict.fromkeys(_SHARES, 2),
}  # fmt: skip


def tell_baseline(brand: Brand) -> LearnedBaseline:
    """Return what ``brand`` has learned."""
    base, season = brand.base, brand.base.season
    numbers: dict[str, tuple[float, ...]] = {
        "rate": (base.a, base.b, base.shadow_a, base.shadow_b),
        "dispersion": tuple(base.phi),
        "story": (brand.story_mean, brand.story_square, brand.story_hours),
        "season.learned": (float(season.learned),),
        "season.hours": (*season.hours_n, *season.hours_m),
        "season.days": (*season.days_n, *season.days_m),
        "season.cells": tuple(chain.from_iterable((float(cell), *counts) for cell, counts in sorted(season.cells.items()))),
        **{name: _tail(getattr(brand, kept)) for name, kept in _TAILS.items()},
    }
    for name in _SHARES:
        share = getattr(brand, name)
        numbers[name] = (share.yes, share.no)
    sources = {source: (votes, brand.feeds[source].since_ms) for source, votes in sorted(brand.sources.items()) if source in brand.feeds}
    return LearnedBaseline(
        brand=brand.id, hours=base.hours, until_ms=brand.next_hour * 3_600_000, match_hash=brand.match_hash,
        numbers={name: tuple(map(six, values)) for name, values in numbers.items()},
        sources={source: (six(votes), since) for source, (votes, since) in sources.items()},
    )  # fmt: skip


def take_baseline(brand: Brand, told: LearnedBaseline, t_ms: int) -> bool:
    """Let ``brand`` take over what was told, where it knows less by itself; return whether it did.

    Hours between the export and now were not watched: nothing is concluded from them. Whoever took it has as many hours, so that a
    second delivery changes nothing.
    """
    base = brand.base
    if base.hours >= told.hours or (brand.match_hash and told.match_hash and brand.match_hash != told.match_hash):
        return False
    numbers = told.numbers
    base.a, base.b, base.shadow_a, base.shadow_b = numbers["rate"]
    base.phi, base.hours = list(numbers["dispersion"]), told.hours
    season = type(base.season)(learned=int(numbers["season.learned"][0]))
    hours, days, cells = numbers["season.hours"], numbers["season.days"], numbers["season.cells"]
    season.hours_n, season.hours_m, season.days_n, season.days_m = list(hours[:24]), list(hours[24:]), list(days[:7]), list(days[7:])
    season.cells = {int(cells[i]): list(cells[i + 1 : i + 3]) for i in range(0, len(cells), 3)}
    base.season = season
    for name in _SHARES:
        share = getattr(brand, name)
        share.yes, share.no = numbers[name]
    brand.story_mean, brand.story_square, brand.story_hours = numbers["story"]
    for name, kept in _TAILS.items():
        _fill(getattr(brand, kept), numbers[name])
    for source, (votes, since) in told.sources.items():
        if source not in brand.feeds and len(brand.feeds) < _MOST_SOURCES:
            brand.feeds[source] = Feed(since, t_ms)
        brand.sources[source] = max(votes, brand.sources.get(source, 0.0))
    brand.match_hash = brand.match_hash or told.match_hash
    brand.factors, brand.under = [], -99.0
    return True


def _tail(tail: Tail) -> tuple[float, ...]:
    return (tail.blocks, tail.run, float(tail.gap), *tail.top)


def _fill(tail: Tail, numbers: tuple[float, ...]) -> None:
    tail.blocks, tail.run, tail.gap, tail.top = numbers[0], numbers[1], int(numbers[2]), sorted(numbers[3:])


def read_baseline(value: bytes) -> LearnedBaseline:
    """Read a record. Raises msgspec's DecodeError unless every name is there with as many numbers as it needs, within sense."""
    told = _decode(value)
    numbers = told.numbers
    for name, size in _SIZES.items():
        values = numbers.get(name)
        if values is None or (size and len(values) != size) or not all(math.isfinite(value) and abs(value) < 1e15 for value in values):
            raise msgspec.ValidationError(f"baseline: {name}")
    cells = numbers["season.cells"]
    wrong = (
        min(numbers["rate"]) <= 0.0
        or min(numbers["dispersion"]) < 1.0
        or any(min(numbers[name]) < 0.0 or sum(numbers[name]) <= 0.0 for name in _SHARES)
        or min((*numbers["season.hours"], *numbers["season.days"], *cells)) < 0.0
        or len(cells) % 3 != 0
        or len(cells) > 3 * 168
        or any(not 3 <= len(numbers[name]) <= 3 + KEPT or numbers[name][0] < 0.0 for name in _TAILS)
        or len(told.sources) > _MOST_SOURCES
        or not 0.0 <= told.hours < 1e6
    )
    if wrong:
        raise msgspec.ValidationError("baseline: numbers that no brand has")
    return told
