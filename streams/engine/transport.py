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
from collections.abc import Iterable, Mapping
from typing import Any, cast

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.events import Event
from faust.serializers.schemas import Schema
from faust.transport import drivers
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from streams.engine.access import refused
from streams.engine.connection import connection
from streams.engine.inline import ConsumerThread, Feed
from streams.engine.records import Batch, BatchReader
from streams.errors import Fatal, LogGap

SCHEME = "batch"
_NO_TYPE = 0


class BatchSchema(Schema):
    """Hands the message's value to the agent as it is."""

    def compile(self, app: Any, **_: Any) -> Any:
        async def decode(message: Any, *, propagate: bool = False) -> Event:
            return Event(app, None, message.value, None, message)

        return decode


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
            self.feed.failed(refused(error, self.feed.settings) or error)

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
