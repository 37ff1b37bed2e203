"""aiokafka's consumer on the application's own loop, and what it asks of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from mode import Service, get_logger
from mode.utils.futures import maybe_async

from streams.engine.access import refused
from streams.engine.connection import close, connection
from streams.engine.settings import KafkaSettings
from streams.errors import Fatal

logger = get_logger(__name__)


class Feed(Protocol):
    """What the transport asks the engine."""

    settings: KafkaSettings
    group_id: str

    def wanted(self) -> Collection[TopicPartition]:
        """Return the partitions to fetch from now."""

    async def revoked(self, places: Collection[TopicPartition]) -> None:
        """Save and give up ``places``; they still belong to this worker until this returns."""

    def assigned(self, places: Collection[TopicPartition], generation: int) -> None:
        """Take over ``places``: all that this worker owns from now on."""

    def failed(self, error: BaseException) -> None:
        """End the worker; nothing more is acknowledged."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """No thread: the consumer lives on the application's own loop, so batches need no hand-over between threads.

    The price is that a stage may not hold the loop for long, or heartbeats stop: runners feed stages in pieces.
    """

    def __init__(self, *args: Any, loop: asyncio.AbstractEventLoop | None = None, **options: Any) -> None:
        loop = loop or asyncio.get_running_loop()
        super().__init__(*args, loop=loop, thread_loop=loop, **options)

    async def start(self) -> None:
        self._thread_started.set()
        await self._default_start()

    async def on_thread_started(self) -> None: ...

    async def call_thread(self, fun: Any, *args: Any, **options: Any) -> Any:
        return await maybe_async(fun(*args, **options))

    async def cast_thread(self, fun: Any, *args: Any, **options: Any) -> None:
        await maybe_async(fun(*args, **options))

    async def stop(self) -> None:
        if self._started.is_set() and not self._stopped.is_set():
            self._stopped.set()
            if self._consumer is not None:
                await close(self._consumer)
            await self._default_stop_futures()
            await self._default_stop_exit_stacks()
            self._shutdown.set()

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        # Faust's own gives no way to set the fetch wait (1.5 s: one idle partition then delays its neighbours) and resets
        # positions silently; "none" makes an offset that is no longer there an error instead.
        settings: KafkaSettings = self.app.feed.settings
        engine = settings.engine
        self._assignor = RoundRobinPartitionAssignor
        return AIOKafkaConsumer(
            **connection(settings),
            client_id=self.app.conf.broker_client_id,
            group_id=self.app.feed.group_id,
            group_instance_id=engine.group_instance_id or None,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=50,
            max_partition_fetch_bytes=engine.fetch_partition_bytes,
            # Liveness is the engine's own: aiokafka's counts only fetches that go through its own methods.
            max_poll_interval_ms=86_400_000,
            rebalance_timeout_ms=int(max(60.0, engine.session_timeout_seconds * 2) * 1000),
            session_timeout_ms=int(engine.session_timeout_seconds * 1000),
            heartbeat_interval_ms=int(max(0.2, engine.session_timeout_seconds / 6) * 1000),
            request_timeout_ms=int((engine.session_timeout_seconds + 20.0) * 1000),
            metadata_max_age_ms=30_000,
        )

    async def _commit(self, offsets: Mapping[Any, int]) -> bool:
        # Faust ends the process here when the group has moved on; a commit that is too late is no fault: the next
        # owner reads those records again, and the stages recognise them.
        consumer = self._ensure_consumer()
        try:
            await consumer.commit({TopicPartition(*place): OffsetAndMetadata(offset, "") for place, offset in offsets.items()})
        except (KafkaError, IllegalStateError) as error:
            if denied := refused(error, self.app.feed.settings):
                self.app.feed.failed(denied)
            logger.warning("offsets were not committed (%s); they will be read again", type(error).__name__)
            return False
        return True

    @Service.task
    async def _coordinator_watchdog(self) -> None:
        # aiokafka stops the group's routine at an unexpected error until somebody asks for it; Faust never asks.
        while not self.should_stop:
            await asyncio.sleep(0.5)
            if self._consumer is None:
                continue
            coordinator = self._consumer._coordinator
            try:
                coordinator.check_errors()
            except Exception as error:
                if denied := refused(error, self.app.feed.settings):
                    self.app.feed.failed(denied)
                    return
                logger.error("group coordination: %s", type(error).__name__)
                task = getattr(coordinator, "_coordination_task", None)
                if task is not None and task.done():
                    self.app.feed.failed(Fatal(f"the consumer group can no longer be followed: {type(error).__name__}"))
                    return
