"""The way to ``mentions.raw``: what `publish` was given is on the broker when it returns; while the broker is away it waits.

So a source that is polled is held back, with no more in memory than what it holds at the moment, and loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Protocol, Self

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.clock import Sleep
from streams.engine.access import refused, start
from streams.engine.connection import close, connection, no_broker
from streams.engine.partitioning import partition_of
from streams.engine.stage import ALL_PARTITIONS, Output
from streams.engine.topics import partition_count, require_topics
from streams.errors import Unreachable
from streams.settings import Settings
from streams.sources.plan import TOPIC

log = structlog.get_logger(__name__)
#: Seconds without an answer after which the broker is said to be away, and between two tries to come back to it.
_PATIENCE: Final = 5.0
_LEAST, _MOST = 0.5, 15.0


class Outlet(Protocol):
    """Where records of ``mentions.raw`` go."""

    @property
    def away(self) -> bool:
        """Whether the broker does not answer."""
        ...

    async def publish(self, outputs: Sequence[Output]) -> None:
        """Return once the broker has all ``outputs``. Raises `Forbidden` where it does not let us."""
        ...


class KafkaOutlet:
    """An `Outlet` to Kafka; an async context. Raises `Unreachable`, `BadInput` or `Forbidden` at its start."""

    def __init__(self, settings: Settings, *, sleep: Sleep = asyncio.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._topic = settings.topic(TOPIC)
        self._partitions = 0
        self._producer: Any = None
        self._mending = asyncio.Lock()
        self.away = False

    async def __aenter__(self) -> Self:
        await require_topics(self._settings, [TOPIC])
        self._partitions = await partition_count(self._settings, TOPIC)
        self._producer = await self._started()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._producer is not None:
            await close(self._producer)

    async def _started(self) -> Any:
        engine = self._settings.engine
        producer = AIOKafkaProducer(
            **connection(self._settings),
            enable_idempotence=True,
            acks="all",
            compression_type=None if engine.compression == "none" else engine.compression,
            linger_ms=engine.producer_linger_ms,
            max_batch_size=engine.producer_batch_bytes,
        )
        await start(producer, self._settings, writes=self._topic)
        return producer

    async def publish(self, outputs: Sequence[Output]) -> None:
        """See `Outlet`. A second try may send a record twice: their ids are the same, so they count once."""
        while outputs:
            producer = self._producer
            sending = asyncio.ensure_future(self._send(producer, outputs))
            try:
                await asyncio.wait({sending}, timeout=_PATIENCE)
                if not sending.done():
                    self._lost()
                await sending
            except KafkaError as error:
                if denied := refused(error, self._settings, "Write", self._topic):
                    raise denied from None
                self._lost()
                await self._mend(producer)
            else:
                if self.away:
                    log.info("the broker is back")
                    self.away = False
                return
            finally:
                if not sending.done():
                    sending.cancel()
                    await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, producer: Any, outputs: Sequence[Output]) -> None:
        confirmed = []
        for output in outputs:
            every = output.partition == ALL_PARTITIONS
            places = range(self._partitions) if every else [partition_of(output.key or b"", self._partitions)]
            for place in places:
                confirmed.append(
                    await producer.send(self._topic, output.value, key=output.key, partition=place, headers=list(output.headers))
                )
        if confirmed:
            await asyncio.wait(confirmed)
        for error in [one.exception() for one in confirmed]:
            if error is not None:
                raise error

    def _lost(self) -> None:
        if not self.away:
            log.warning(str(no_broker(self._settings.broker)))
            self.away = True

    async def _mend(self, broken: Any) -> None:
        """Put another producer in the place of one that gave up, which idempotent ones do after a broker forgot them."""
        async with self._mending:
            wait = _LEAST
            while self._producer is broken:
                await close(broken)
                try:
                    self._producer = await self._started()
                except Unreachable:
                    await self._sleep(wait)
                    wait = min(2 * wait, _MOST)
