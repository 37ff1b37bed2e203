"""Raw logs for the benches of the road: the simulation's mentions, or seeded ones over any number of brands."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec

from schemas.brand import Brand, Watchlist
from streams.engine.stage import ALL_PARTITIONS, Output
from streams.enrich.watchlist import parse_watchlist
from streams.sources.plan import plan

PARTITIONS = 4
#: What the simulation has in a day, at volume 1.
DAY_MENTIONS = 9_500
_START_MS = 1_767_225_600_000
_WORDS = (
    "today service late again nobody could say why waited counter answer never came really great happy thanks team lovely staff "
    "merci panne encore ce matin impossible joindre depuis hier soir scandal refund broken awful boycott delivery parcel lost phone"
)


class Traffic(msgspec.Struct, frozen=True):
    """What is sent: ``brands=0`` is the simulation at so many times its ``volume``; else so many brands, one of which may take ``hot``."""

    mentions: int
    brands: int = 0
    hot: float = 0.0
    seed: int = 7
    volume: float = 1.0

    def watchlist(self) -> Watchlist:
        """Return the watchlist that goes with it."""
        if not self.brands:
            from streams.simulate.brands import demo_watchlist

            return parse_watchlist(demo_watchlist(), "demo")
        return Watchlist(brands=tuple(Brand(id=f"b{number}", names=(f"brand{number}x",)) for number in range(self.brands)))

    def rows(self) -> Iterator[tuple[int, bytes, str]]:
        """Yield (published ms, JSON, id) by time."""
        if self.brands:
            yield from self._rows()
            return
        from streams.simulate import simulate

        days = min(21, max(2, -(-self.mentions // round(DAY_MENTIONS * self.volume))))
        yield from islice(simulate(self.seed, days, self.volume).rows(), self.mentions)

    def _rows(self) -> Iterator[tuple[int, bytes, str]]:
        source = random.Random(self.seed)
        words = _WORDS.split()
        # Two days of event time, however many mentions: so each grid line holds what a busy worker sees.
        step = 172_800_000 / max(1, self.mentions)
        for number in range(self.mentions):
            brand = 0 if source.random() < self.hot else source.randrange(self.brands)
            published = _START_MS + round(number * step)
            author = source.randrange(200_000)
            value = {
                "id": f"m{number}", "network": "x", "text": f"brand{brand}x " + " ".join(source.choices(words, k=20)),
                "published_at": _rfc3339(published), "lang": "en",
                "author": {"id": f"a{author}", "handle": f"u{author}", "followers": author % 9000},
                "url": f"https://x.example/u{author}/{number}",
            }  # fmt: skip
            yield published, msgspec.json.encode(value), f"m{number}"

    def raw(self) -> list[Output]:
        """Return the raw log; that of the last traffic is kept, since every contestant of a round reads the same."""
        return _raw(self)


@lru_cache(maxsize=1)
def _raw(traffic: Traffic) -> list[Output]:
    return list(plan(traffic.rows(), PARTITIONS))


def _rfc3339(ms: int) -> str:
    from streams.clock import rfc3339

    return rfc3339(ms)


def spread_out(raw: list[Output]) -> Iterator[tuple[bytes | None, bytes, int | None, list[tuple[str, bytes]]]]:
    """Yield (key, value, partition, headers) with one record for each partition."""
    for output in raw:
        places = range(PARTITIONS) if output.partition == ALL_PARTITIONS else (output.partition,)
        for place in places:
            yield output.key, output.value or b"", place, list(output.headers)


def last_clock_ms(raw: list[Output]) -> int:
    """Return the time of the last clock record."""
    found: dict[str, Any] = msgspec.json.decode(raw[-1].value or b"{}")
    return int(found["time_ms"])
