"""Writes a watchlist to the topics: definitions first, then the markers that put them in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from schemas.brand import LearnedPolarity, Watchlist
from schemas.cloudevents import header_maker
from schemas.mention import WatchlistMarker
from streams.clock import rfc3339, wall_ms
from streams.errors import BadInput
from streams.settings import Settings

_brand_headers = header_maker("veille.brand.defined")
_watchlist_headers = header_maker("veille.watchlist")
_marker_headers = header_maker("veille.watchlist.marker")


def version_of(key: bytes | None) -> int:
    """Return the version in a key ``brand@version`` of the topic ``watchlist``; 0 where there is none."""
    word = (key or b"").rpartition(b"@")[2]
    return int(word) if word.isdigit() else 0


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
        for brand in watchlist.brands:
            key = f"{brand.id}@{version}"
            await writer.send_and_wait(topic, msgspec.json.encode(brand), key=key.encode(), headers=_brand_headers(key, brand.id, time))
        # The whole list under one key: who has it has every brand of the version.
        whole = msgspec.json.encode(msgspec.structs.replace(watchlist, version=version))
        await writer.send_and_wait(topic, whole, key=f"@{version}".encode(), headers=_watchlist_headers(f"@{version}", "", time))
        marker = msgspec.json.encode(WatchlistMarker(version=version))
        for partition in range(counts[raw]):
            headers = _marker_headers(f"{version}-{partition}", str(version), time)
            await writer.send_and_wait(raw, marker, partition=partition, headers=headers)
    return version, watchlist


async def _latest(reader: Any, topic: str) -> tuple[int, Watchlist | None]:
    """Return the greatest version in the topic (0 for an empty one), and the whole list of the greatest that has one."""
    from streams.cli.connection import places_of, records_of

    greatest, whole = 0, (0, b"")
    async for records in records_of(reader, await places_of(reader, topic)):
        for record in records:
            version = version_of(record.key)
            greatest = max(greatest, version)
            if record.key is not None and record.key[:1] == b"@" and record.value and version > whole[0]:
                whole = (version, record.value)
    return greatest, msgspec.json.decode(whole[1], type=Watchlist) if whole[0] else None
