"""The compacted topic ``watchlist``: whole lists, long ones in parts; enrichment follows it to have a version when its marker comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer

from schemas.brand import Brand, Watchlist
from streams.engine.access import start
from streams.engine.connection import close, connection
from streams.reading import reader
from streams.settings import Settings

_log = structlog.get_logger()
_read_watchlist = reader(Watchlist)
#: Bytes of brands in one record. Brokers take a million; what was learned of a brand comes on top, and no brand is cut.
PART_BYTES = 400_000


def version_of(key: bytes | None) -> int:
    """Return the version in a key of the topic: ``brand@version``, ``@version`` or ``@version.part``; 0 where there is none.

    >>> [version_of(key) for key in (b"acme@7", b"@7", b"@7.12", b"acme", None)]
    [7, 7, 7, 0, 0]
    """
    word = (key or b"").rpartition(b"@")[2].partition(b".")[0]
    return int(word) if b"@" in (key or b"") and word.isdigit() else 0


def is_whole(key: bytes | None) -> bool:
    """Say whether the record under ``key`` is a whole list, or a part of one."""
    return (key or b"").startswith(b"@")


def split(watchlist: Watchlist) -> Iterator[tuple[str, Watchlist]]:
    """Yield the records, as (key, value), that a watchlist becomes: one, or parts that each fit a record."""
    parts: list[list[Brand]] = [[]]
    room = PART_BYTES
    for brand in watchlist.brands:
        size = len(msgspec.json.encode(brand)) + len(msgspec.json.encode(watchlist.learned.get(brand.id)))
        if size > room and parts[-1]:
            parts.append([])
            room = PART_BYTES
        parts[-1].append(brand)
        room -= size
    for number, brands in enumerate(parts, 1):
        yield (
            f"@{watchlist.version}" if len(parts) == 1 else f"@{watchlist.version}.{number}",
            msgspec.structs.replace(
                watchlist,
                brands=tuple(brands),
                learned={brand.id: watchlist.learned[brand.id] for brand in brands if brand.id in watchlist.learned},
                part=number,
                parts=len(parts),
            ),
        )


class Parts:
    """Puts lists together again, whatever order their parts come in."""

    def __init__(self) -> None:
        self._waiting: dict[int, dict[int, Watchlist]] = {}

    def add(self, found: Watchlist) -> Watchlist | None:
        """Take a record; return the whole list once all its parts are there."""
        if found.parts == 1:
            return found
        held = self._waiting.setdefault(found.version, {})
        held[found.part] = found
        if len(held) < found.parts:
            return None
        del self._waiting[found.version]
        ordered = [held[number] for number in sorted(held)]
        return msgspec.structs.replace(
            found,
            brands=tuple(brand for one in ordered for brand in one.brands),
            learned={brand: own for one in ordered for brand, own in one.learned.items()},
            part=1,
            parts=1,
        )


@asynccontextmanager
async def following(settings: Settings, add: Callable[[Watchlist], None], failed: Callable[[BaseException], None]) -> AsyncIterator[None]:
    """Hand every whole watchlist of the topic to ``add``, old ones and new ones, while the context is open.

    Whole watchlists stand under keys ``@version``, or in parts. What cannot be read is logged and passed over: the version then stays
    unknown, and enrichment waits at its marker rather than guess. ``failed`` is told what ends the following.
    """
    consumer = AIOKafkaConsumer(settings.topic("watchlist"), **connection(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    await start(consumer, settings)

    parts = Parts()

    async def follow() -> None:
        async for record in consumer:
            if record.value is None or not is_whole(record.key):
                continue
            try:
                if (whole := parts.add(_read_watchlist(record.value))) is not None:
                    add(whole)
            except msgspec.DecodeError:
                _log.error("a watchlist version cannot be read", offset=record.offset)

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            failed(error)

    task = asyncio.create_task(follow())
    task.add_done_callback(ended)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await close(consumer)
