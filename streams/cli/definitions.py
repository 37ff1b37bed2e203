"""Writes a watchlist to the topics: definitions first, then the markers that put them in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from schemas.brand import LearnedPolarity, Watchlist
from schemas.cloudevents import header_maker
from schemas.mention import WatchlistMarker
from streams.clock import rfc3339, wall_ms
from streams.errors import BadInput
from streams.settings import Settings
from streams.sources.watchlists import Parts, is_whole, split, version_of

_brand_headers = header_maker("veille.brand.defined")
_watchlist_headers = header_maker("veille.watchlist")
_marker_headers = header_maker("veille.watchlist.marker")


async def apply_watchlist(settings: Settings, watchlist: Watchlist) -> int:
    """Write all brands under the next version, wait, then write a marker into every raw partition; return the version.

    What was learned of the brands that remain stays in force.
    """
    return (await _put(settings, lambda latest: _with_learned(watchlist, latest.learned if latest is not None else {})))[0]


async def teach_polarity(settings: Settings, learned: dict[str, LearnedPolarity]) -> tuple[int, list[str]]:
    """Put ``learned`` in force with the brands of the latest version; return the new version and the brands that it knows of them.

    Raises `BadInput` where the topic holds no watchlist yet.
    """

    def taught(latest: Watchlist | None) -> Watchlist:
        if latest is None:
            raise BadInput("the topic watchlist is empty: run veille watchlist apply FILE first")
        return _with_learned(latest, learned)

    version, found = await _put(settings, taught)
    return version, sorted(found.learned)


def _with_learned(watchlist: Watchlist, learned: dict[str, LearnedPolarity]) -> Watchlist:
    known = {brand.id for brand in watchlist.brands}
    return msgspec.structs.replace(watchlist, learned={brand: own for brand, own in learned.items() if brand in known})


async def latest_watchlist(settings: Settings) -> Watchlist | None:
    """Return the whole watchlist of the greatest version in the topic; None where there is none."""
    from streams.cli.connection import consumer

    async with consumer(settings) as reader:
        return (await _latest(reader, settings.topic("watchlist")))[1]


async def _put(settings: Settings, make: Callable[[Watchlist | None], Watchlist]) -> tuple[int, Watchlist]:
    from streams.cli.connection import consumer, partition_counts, producer
    from streams.engine.topics import apply_words

    topic, raw = settings.topic("watchlist"), settings.topic("mentions.raw")
    async with consumer(settings) as reader:
        counts = await partition_counts(reader, topic, raw)
        for name in (topic, raw):
            if name not in counts:
                raise BadInput(f"there is no topic {name}: run {apply_words(settings)} first")
        greatest, latest = await _latest(reader, topic)
    version, watchlist = greatest + 1, make(latest)
    time = rfc3339(wall_ms())
    async with producer(settings, topic, raw) as writer:
        sent = []  # all at once: a hundred thousand answers one by one take minutes
        for brand in watchlist.brands:
            key = f"{brand.id}@{version}"
            sent.append(await writer.send(topic, msgspec.json.encode(brand), key=key.encode(), headers=_brand_headers(key, brand.id, time)))
        # The whole list too: who has it, or all its parts, has every brand of the version.
        for key, part in split(msgspec.structs.replace(watchlist, version=version)):
            sent.append(await writer.send(topic, msgspec.json.encode(part), key=key.encode(), headers=_watchlist_headers(key, "", time)))
        await asyncio.gather(*sent)
        marker = msgspec.json.encode(WatchlistMarker(version=version))
        for partition in range(counts[raw]):
            headers = _marker_headers(f"{version}-{partition}", str(version), time)
            await writer.send_and_wait(raw, marker, partition=partition, headers=headers)
    return version, watchlist


async def _latest(reader: Any, topic: str) -> tuple[int, Watchlist | None]:
    """Return the greatest version in the topic (0 for an empty one), and the whole list of the greatest that has one."""
    from streams.cli.connection import places_of, records_of

    greatest, whole, parts = 0, None, Parts()
    async for records in records_of(reader, await places_of(reader, topic)):
        for record in records:
            version = version_of(record.key)
            if is_whole(record.key) and record.value and version >= greatest:
                whole = parts.add(msgspec.json.decode(record.value, type=Watchlist)) or whole
            greatest = max(greatest, version)
    return greatest, whole
