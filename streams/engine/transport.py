"""Faust's transport, in batches: scheme ``batch://``.

A Faust message here is one `Batch` of one topic partition, and its agent hands it on whole. What differs from Faust's own
aiokafka driver, and why, is said at each override; ``tests/engine/test_private_names.py`` pins every name.

The engine decides, through the `Feed` that hangs on the application:

- which partitions are read (`Feed.wanted`): one that has enough waiting, or is not admitted, is simply not fetched;
- where reading starts: each partition's runner seeks once its state is back;
- what is committed: only what `Consumer.commit_offset` was given after a checkpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol, cast

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata
from faust.events import Event
from faust.serializers.schemas import Schema
from faust.transport import drivers
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode import Service, get_logger
from mode.utils.futures import maybe_async

from streams.engine.connection import connection
from streams.engine.records import Batch, BatchReader
from streams.errors import Fatal, LogGap
from streams.settings import Settings

logger = get_logger(__name__)

SCHEME = "batch"
_NO_TYPE = 0


class Feed(Protocol):
    """What the transport asks the engine."""

    settings: Settings

    def wanted(self) -> Collection[TopicPartition]:
        """Return the partitions to fetch from now."""

    async def revoked(self, places: Collection[TopicPartition]) -> None:
        """Save and give up ``places``; they still belong to this worker until this returns."""

    def assigned(self, places: Collection[TopicPartition], generation: int) -> None:
        """Take over ``places``: all that this worker owns from now on."""

    def failed(self, error: BaseException) -> None:
        """End the worker; nothing more is acknowledged."""


class BatchSchema(Schema):
    """Hands the message's value to the agent as it is."""

    def compile(self, app: Any, **_: Any) -> Any:
        async def decode(message: Any, *, propagate: bool = False) -> Event:
            return Event(app, None, message.value, None, message)

        return decode


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
                await self._consumer.stop()
            await self._default_stop_futures()
            await self._default_stop_exit_stacks()
            self._shutdown.set()

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        # Faust's own gives no way to set the fetch wait (1.5 s: one idle partition then delays its neighbours) and resets
        # positions silently; "none" makes an offset that is no longer there an error instead.
        settings: Settings = self.app.feed.settings
        engine = settings.engine
        self._assignor = RoundRobinPartitionAssignor
        return AIOKafkaConsumer(
            **connection(settings),
            client_id=self.app.conf.broker_client_id,
            group_id=settings.group_id,
            group_instance_id=engine.group_instance_id or None,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=50,
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
                logger.error("group coordination: %s", type(error).__name__)
                task = getattr(coordinator, "_coordination_task", None)
                if task is not None and task.done():
                    self.app.feed.failed(Fatal(f"the consumer group can no longer be followed: {type(error).__name__}"))
                    return


class Consumer(driver.Consumer):
    """Fetches whole batches for wanted partitions and commits what the engine saved."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._committable: dict[TP, int] = {}
        self._reader: BatchReader | None = None
        self.epoch = 0
        self.room = asyncio.Event()
        super().__init__(*args, **options)

    @property
    def feed(self) -> Feed:
        """The engine."""
        return cast(Feed, self.app.feed)

    @property
    def kafka(self) -> AIOKafkaConsumer:
        """aiokafka's consumer."""
        return self._thread._ensure_consumer()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=asyncio.get_running_loop(), beacon=self.beacon)

    def seek_now(self, place: TopicPartition, offset: int) -> None:
        """Read ``place`` on from ``offset``; what is fetched for another position is dropped."""
        self.kafka.seek(place, offset)

    async def perform_seek(self) -> None:
        # Faust seeks everything to the committed offsets whenever it resumes; here each runner seeks for itself.
        self.epoch += 1

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        # Faust drops its state first and commits nothing: here the engine saves and commits while it still owns them.
        self.epoch += 1
        try:
            await self.feed.revoked(revoked)
        except Exception as error:
            self.feed.failed(error)
        await super().on_partitions_revoked(revoked)
        for place in revoked:
            self._committable.pop(place, None)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.epoch += 1
        await super().on_partitions_assigned(assigned, generation_id)
        self.feed.assigned(assigned, generation_id)

    async def _drain_messages(self, fetcher: Any) -> None:
        # Faust's loop makes four tasks for each message. Here a message is a batch, awaited plainly.
        try:
            while not (self.should_stop or fetcher.should_stop):
                if not self.flow_active:
                    await asyncio.sleep(0.02)
                    continue
                await self._drain_once()
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                self.feed.failed(Fatal("the consumer was stopped"))
            raise
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
            places = sorted(f"{place.topic}[{place.partition}]" for place in error.args[0]) if error.args else []
            self.feed.failed(LogGap(f"what was to be read next is gone from the log: {', '.join(places)}"))
        except Exception as error:
            self.feed.failed(error)

    async def _drain_once(self) -> None:
        if self._reader is None:
            self._reader = BatchReader(self.kafka)
        self.room.clear()
        wanted = self.feed.wanted()
        batches = self._reader.take(wanted, self.feed.settings.engine.max_poll_records) if wanted else []
        if not batches:
            # Short where some partition is held back, so that it is asked for again soon.
            await self._reader.wait(0.1, self.room)
            return
        epoch, generation = self.epoch, self.app.consumer_generation_id
        for batch in batches:
            if epoch != self.epoch or not self.flow_active:
                self._back(batch)
                continue
            await self._deliver(batch, generation)
        await asyncio.sleep(0)

    async def _deliver(self, batch: Batch, generation: int) -> None:
        place = batch.place
        tp = TP(place.topic, place.partition)
        message = ConsumerMessage(
            tp.topic, tp.partition, batch.next_offset - 1, 0.0, _NO_TYPE, (), None, batch, None, -1, -1, tp, generation_id=generation
        )
        try:
            await self.callback(message)
        except KeyError:
            # The conductor does not know this partition (any longer).
            self._back(batch)

    def _back(self, batch: Batch) -> None:
        """A batch was dropped between fetch and queue: fetch it again, or the next one would leave a hole."""
        try:
            self.kafka.seek(batch.place, batch.position)
        except IllegalStateError:
            pass  # not ours any more

    async def commit_offset(self, place: TopicPartition, offset: int) -> bool:
        """Commit ``offset`` as the next to read of ``place``; False if the group or the broker did not take it.

        A refused one stays committable: the next commit, or Faust's timer, tries again.
        """
        tp = TP(place.topic, place.partition)
        self._committable[tp] = offset
        return bool(await self.force_commit({tp}))

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterable[TP]:
        return [tp for tp in self._committable if topics is None or tp in topics or tp.topic in topics]

    def _new_offset(self, tp: TP) -> int | None:
        # Faust counts acknowledged messages, off by one where offsets have gaps. The engine knows exactly what is saved.
        return self._committable.get(tp)

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:
        # Faust notes offsets as committed even where the broker refused them.
        owned = self.assignment()
        offsets = {tp: offset for tp, offset in offsets.items() if tp in owned}
        if not offsets or not await self._commit(offsets):
            return False
        self._committed_offset.update(offsets)
        return True

    def verify_event_path(self, now: float, tp: TP) -> None:
        # Faust's stall detector compares two different clocks; the worker has its own.
        return None


class Producer(driver.Producer):
    """Faust's producer is not used (see `streams.engine.outbox`), but it connects with the same credentials."""

    def _settings_auth(self) -> Mapping[str, Any]:
        found = connection(self.app.feed.settings)
        found.pop("bootstrap_servers")
        return found


class Transport(driver.Transport):
    """The batch transport."""

    Consumer = Consumer
    Producer = Producer


class App(faust.App):
    """A Faust application with the engine hanging on it."""

    feed: Feed

    def register(self, feed: Feed) -> None:
        """Join the engine; call it before the application starts."""
        self.feed = feed


def register() -> None:
    """Make Faust know the scheme ``batch``."""
    drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
