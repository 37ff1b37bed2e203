"""What the doctor says of feeds: which are silent or suspect, as the brands' last signals tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from schemas.cloudevents import type_of
from schemas.signal import Signal
from streams.clock import rfc3339
from streams.crisis.words import clean
from streams.engine.stage import Record
from streams.plurals import counted
from streams.reading import reader

#: Records of each partition that are looked at, from the end.
RECENT = 5000
_MOST = 5
_signal = reader(Signal)


def feed_words(records: Iterable[Record]) -> tuple[str, str]:
    """Return what is suspect and what is silent, in words, "" where nothing is: of each brand its latest signal counts."""
    latest: dict[str, Signal] = {}
    for record in records:
        if record.value is None or type_of(record.headers) != b"veille.signal":
            continue
        try:
            signal = _signal(record.value)
        except msgspec.DecodeError:
            continue
        known = latest.get(signal.brand)
        if known is None or signal.seq > known.seq:
            latest[signal.brand] = signal
    found = []
    for name in ("suspect", "blind"):
        since: dict[str, tuple[int, int]] = {}
        for signal in latest.values():
            for source, at_ms in getattr(signal, name).items():
                first, brands = since.get(source, (at_ms, 0))
                since[source] = (min(first, at_ms), brands + 1)
        ranked = sorted(since.items(), key=lambda item: (-item[1][1], item[0]))
        words = [f"{clean(source, 60)} since {rfc3339(first)} ({counted(brands, 'brand')})" for source, (first, brands) in ranked[:_MOST]]
        found.append(", ".join([*words, f"and {len(ranked) - _MOST} more"] if len(ranked) > _MOST else words))
    return found[0], found[1]


async def recent(client: Any, topic: str) -> AsyncIterator[Any]:
    """Yield the last records of every partition of a topic, from a consumer without a group."""
    from streams.cli.connection import places_of, records_of

    places = await places_of(client, topic)
    if not places:
        return
    async for records in records_of(client, places, RECENT):
        for record in records:
            yield record
