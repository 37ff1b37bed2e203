"""Follows the compacted topic ``watchlist``, so that enrichment has a version when its marker comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer

from schemas.brand import Watchlist
from streams.engine.access import start
from streams.engine.connection import close, connection
from streams.reading import reader
from streams.settings import Settings

_log = structlog.get_logger()
_read_watchlist = reader(Watchlist)


@asynccontextmanager
async def following(settings: Settings, add: Callable[[Watchlist], None], failed: Callable[[BaseException], None]) -> AsyncIterator[None]:
    """Hand every whole watchlist of the topic to ``add``, old ones and new ones, while the context is open.

    Whole watchlists stand under keys ``@version``. What cannot be read is logged and passed over: the version then stays
    unknown, and enrichment waits at its marker rather than guess. ``failed`` is told what ends the following.
    """
    consumer = AIOKafkaConsumer(settings.topic("watchlist"), **connection(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    await start(consumer, settings)

    async def follow() -> None:
        async for record in consumer:
            if record.value is None or not (record.key or b"").startswith(b"@"):
                continue
            try:
                add(_read_watchlist(record.value))
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
