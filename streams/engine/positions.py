"""Read positions as records, so that a replay in another process can hold back.

Each worker writes ``{"topic:partition": next offset}`` (logical topic names) to the topic ``positions``, under its own key,
at most every 200 ms and only if something moved. A replay on the embedded broker, which keeps the last 5 MiB of a partition,
sends no more than 2 MiB past the slowest reader (`Credit`).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable, Mapping

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from streams.clock import monotonic
from streams.engine.connection import connection
from streams.settings import Settings

TOPIC = "positions"
#: What one partition may hold unread on the embedded broker.
CREDIT_BYTES = 2 << 20


class PositionsWriter:
    """Publishes what ``positions`` returns. Positions are a service to replays: where they cannot be written, work goes on."""

    def __init__(self, settings: Settings, positions: Callable[[], Mapping[str, int]], *, seconds: float = 0.2) -> None:
        self._settings = settings
        self._positions = positions
        self._seconds = seconds
        self._key = (settings.engine.group_instance_id or f"{socket.gethostname()}-{os.getpid()}").encode()

    async def run(self) -> None:
        """Publish until cancelled."""
        producer = AIOKafkaProducer(**connection(self._settings), acks=1)
        last: dict[str, int] = {}
        await producer.start()
        try:
            while True:
                await asyncio.sleep(self._seconds)
                now = dict(self._positions())
                if now == last or not now:
                    continue
                try:
                    await producer.send(self._settings.topic(TOPIC), key=self._key, value=orjson.dumps(now), partition=0)
                    last = now
                except KafkaError:
                    continue
        finally:
            await producer.stop()


class PositionsReader:
    """Follows the topic ``positions``: the furthest read position of each input partition.

    ``position(topic, partition)`` is None where no worker has reported that partition yet. Use it as an async context manager.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: AIOKafkaConsumer | None = None
        self._found: dict[str, int] = {}

    async def __aenter__(self) -> PositionsReader:
        place = TopicPartition(self._settings.topic(TOPIC), 0)
        consumer = AIOKafkaConsumer(
            **connection(self._settings), enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=50
        )
        await consumer.start()
        try:
            # The question creates the topic on the embedded broker.
            await consumer._client._wait_on_metadata(place.topic)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    async def refresh(self, seconds: float = 0.05) -> None:
        """Take what was published, waiting at most ``seconds`` for something new."""
        assert self._consumer is not None
        found = await self._consumer.getmany(timeout_ms=int(seconds * 1000))
        for records in found.values():
            for record in records:
                for name, offset in orjson.loads(record.value or b"{}").items():
                    self._found[name] = max(offset, self._found.get(name, -1))

    def position(self, topic: str, partition: int) -> int | None:
        """Return the next offset that is read of a logical topic's partition."""
        return self._found.get(f"{topic}:{partition}")


class Credit:
    """Lets a sender run at most ``limit`` bytes ahead of the reader of each partition.

    Call `sent` for each confirmed record, `wait` before sending more.
    """

    def __init__(self, reader: PositionsReader, *, limit: int = CREDIT_BYTES) -> None:
        self._reader = reader
        self._limit = limit
        self._sent: dict[tuple[str, int], deque[tuple[int, int]]] = {}
        self._held: dict[tuple[str, int], int] = {}

    def sent(self, topic: str, partition: int, offset: int, size: int) -> None:
        """Note that a record of ``size`` bytes lies at ``offset``."""
        place = (topic, partition)
        self._sent.setdefault(place, deque()).append((offset, size))
        self._held[place] = self._held.get(place, 0) + size

    def full(self) -> bool:
        """Whether some partition has used its credit up, as far as is known now."""
        for place, waiting in self._sent.items():
            position = self._reader.position(*place)
            while waiting and position is not None and waiting[0][0] < position:
                self._held[place] -= waiting.popleft()[1]
        return any(held > self._limit for held in self._held.values())

    async def wait(self, *, seconds: float = 300.0) -> bool:
        """Wait until every partition has credit; False if that took longer than ``seconds``."""
        end = monotonic() + seconds
        while self.full():
            if monotonic() > end:
                return False
            await self._reader.refresh(0.1)
        return True
