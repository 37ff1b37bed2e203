"""Read positions as records, so that a replay in another process can hold back.

Each worker writes ``{"topic:partition": next offset}`` (logical topic names) to the topic ``positions``, under its own key,
at most every 200 ms and only if something moved. A replay on the embedded broker, which keeps the last 5 MiB of a partition,
sends no more than 2 MiB past them.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from streams.engine.access import refused, start
from streams.engine.connection import close, connection
from streams.engine.settings import KafkaSettings

log = structlog.get_logger(__name__)

TOPIC = "positions"


class PositionsWriter:
    """Publishes what ``positions`` returns. Positions are a service to replays: where they cannot be written, work goes on."""

    def __init__(self, settings: KafkaSettings, positions: Callable[[], Mapping[str, int]], *, seconds: float = 0.2) -> None:
        self._settings = settings
        self._positions = positions
        self._seconds = seconds
        self._key = (settings.engine.group_instance_id or f"{socket.gethostname()}-{os.getpid()}").encode()

    async def run(self) -> None:
        """Publish until cancelled, or until we learn that we may not."""
        producer = AIOKafkaProducer(**connection(self._settings), acks=1)
        last: dict[str, int] = {}
        try:
            await start(producer, self._settings)
            while True:
                await asyncio.sleep(self._seconds)
                now = dict(self._positions())
                if now == last or not now:
                    continue
                try:
                    await producer.send_and_wait(self._settings.topic(TOPIC), key=self._key, value=orjson.dumps(now), partition=0)
                    last = now
                except KafkaError as error:
                    if denied := refused(error, self._settings, "Write", self._settings.topic(TOPIC)):
                        log.warning("a replay cannot see how far this worker has read", reason=str(denied))
                        return
        finally:
            await close(producer)


class PositionsReader:
    """Follows the topic ``positions``: the furthest read position of each input partition.

    Use it as an async context manager: inside, it follows the topic by itself.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._consumer: AIOKafkaConsumer | None = None
        self._found: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> PositionsReader:
        place = TopicPartition(self._settings.topic(TOPIC), 0)
        consumer = AIOKafkaConsumer(
            **connection(self._settings), enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=50
        )
        await start(consumer, self._settings)
        try:
            # The question creates the topic on the embedded broker.
            await consumer._client._wait_on_metadata(place.topic)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
        except KafkaError as error:
            await close(consumer)
            raise refused(error, self._settings) or error from None
        except BaseException:
            await close(consumer)
            raise
        self._consumer = consumer
        self._task = asyncio.ensure_future(self._follow(consumer))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._consumer is not None:
            await close(self._consumer)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    for name, offset in orjson.loads(record.value or b"{}").items():
                        self._found[name] = max(offset, self._found.get(name, -1))

    def position(self, topic: str, partition: int) -> int | None:
        """Return the next offset that is read of a logical topic's partition; None where no worker has told it yet.

        Raises what ended the reading of ``positions``, if anything did.
        """
        if self._task is not None and self._task.done() and (error := self._task.exception()) is not None:
            raise refused(error, self._settings) or error
        return self._found.get(f"{topic}:{partition}")
