"""The way out: an idempotent producer that knows what is delivered and gives up in time.

Faust's own `flush` gives up after a tenth of a second and only logs delivery errors. Here every batch has a future;
`confirmed` waits for all that was sent before it, with a deadline, and a failed delivery ends the worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.clock import WallClock, wall_ms
from streams.engine.access import refused, start
from streams.engine.connection import connection
from streams.engine.meter import NULL_METER, Meter
from streams.engine.parcels import Parcel, Place
from streams.engine.partitioning import partition_of
from streams.engine.settings import KafkaSettings
from streams.engine.stage import ALL_PARTITIONS, Output
from streams.errors import DeliveryFailed, Fatal

#: What Kafka adds to a record, generously: used to judge sizes before the broker does.
RECORD_OVERHEAD = 96


class Outbox:
    """Sends `Output`s, in order for each partition, and says when they are on the broker.

    ``on_failure`` is called once, with a `Fatal`, as soon as a delivery fails; every later call raises it.
    ``max_bytes`` bounds what is buffered (`room` waits); ``max_record_bytes`` is the broker's limit of one record.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        meter: Meter = NULL_METER,
        clock: WallClock = wall_ms,
        on_failure: Callable[[Fatal], None] | None = None,
        max_bytes: int = 32 << 20,
        max_record_bytes: int = 1_000_000,
    ) -> None:
        self._settings = settings
        self._meter = meter
        self._clock = clock
        self._on_failure = on_failure
        self._max_bytes = max_bytes
        self._max_record = max_record_bytes
        self._linger = settings.engine.producer_linger_ms / 1000
        self._deadline = settings.engine.send_timeout_seconds
        self._places: dict[tuple[str, int], Place] = {}
        self._counts: dict[str, int] = {}
        self._unresolved: dict[str, list[Output]] = {}
        self._resolving: dict[str, asyncio.Task[None]] = {}
        self._parcels: dict[int, Parcel] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._producer: AIOKafkaProducer | None = None
        self.buffered = 0
        self.failure: Fatal | None = None

    async def start(self) -> None:
        """Connect. Raises `Unreachable` where no broker answers, `BadInput` or `Forbidden` where it does not take us."""
        engine = self._settings.engine
        producer = AIOKafkaProducer(
            **connection(self._settings),
            acks="all",
            enable_idempotence=True,
            compression_type=None if engine.compression == "none" else engine.compression,
            max_batch_size=engine.producer_batch_bytes,
            max_request_size=max(self._max_record, engine.producer_batch_bytes) + (1 << 20),
            request_timeout_ms=int(self._deadline * 1000),
        )
        await start(producer, self._settings)
        self._producer = producer

    async def stop(self, seconds: float = 5.0) -> None:
        """Close the connection; what is not confirmed within ``seconds`` is given up."""
        if self._producer is not None and self.failure is None:
            # The last checkpoint's clean-up may still be on its way; a failure of it would make an orderly stop look like a crash.
            with suppress(Fatal, TimeoutError):
                await asyncio.wait_for(self.confirmed(), seconds)
        self._on_failure = None
        if self._timer is not None:
            self._timer.cancel()
        tasks = [*self._resolving.values(), *(place.task for place in self._places.values() if place.task is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._producer is not None:
            # With a failed producer `stop` waits for batches that will never be delivered.
            closing = asyncio.ensure_future(self._producer.stop())
            await asyncio.wait({closing}, timeout=0.2 if self.failure else seconds)
            if not closing.done():
                closing.cancel()
                await self._producer.client.close()
            elif not closing.cancelled():
                closing.exception()
            self._producer = None

    def send(self, outputs: Iterable[Output]) -> None:
        """Hand over ``outputs``; they leave within the linger time. Raises `Fatal` for a record over the limit."""
        if self.failure is not None:
            raise self.failure
        now = self._clock()
        for output in outputs:
            topic = output.topic
            count = self._counts.get(topic)
            if count is None or topic in self._unresolved:
                self._later(output)
                continue
            if output.partition is None:
                self._append(topic, partition_of(output.key or b"", count), output, now)
            elif output.partition == ALL_PARTITIONS:
                for partition in range(count):
                    self._append(topic, partition, output, now)
            else:
                self._append(topic, output.partition, output, now)
        if self._timer is None and self._parcels:
            self._timer = asyncio.get_running_loop().call_later(self._linger, self._flush)

    def _later(self, output: Output) -> None:
        """Keep what goes to a topic whose partitions are not known yet."""
        self._unresolved.setdefault(output.topic, []).append(output)
        if output.topic not in self._resolving:
            self._resolving[output.topic] = asyncio.ensure_future(self._resolve(output.topic))

    async def _resolve(self, topic: str) -> None:
        assert self._producer is not None
        try:
            found = await asyncio.wait_for(self._producer.partitions_for(self._settings.topic(topic)), self._deadline)
        except (KafkaError, TimeoutError) as error:
            self._fail(self._denied(error, topic) or DeliveryFailed(f"topic {topic} cannot be written to: {type(error).__name__}"))
            return
        self._counts[topic] = len(found)
        del self._resolving[topic]
        waiting = self._unresolved.pop(topic, [])
        try:
            self.send(waiting)
        except Fatal as error:
            self._fail(error)

    def _append(self, topic: str, partition: int, output: Output, now: int) -> None:
        key, value, headers = output.key, output.value, output.headers
        size = len(key or b"") + len(value or b"") + RECORD_OVERHEAD
        if size > self._max_record // 2:
            size += sum(len(name) + len(content) for name, content in headers)
            if size > self._max_record:
                raise Fatal(f"a record for {topic} has {size} bytes, over the limit of {self._max_record}; nothing was acknowledged")
        place = self._places.get((topic, partition))
        if place is None:
            place = self._places[topic, partition] = Place(topic, partition)
        parcel = place.filling
        headers = headers if isinstance(headers, list) else list(headers)
        if parcel is not None and parcel.builder.append(timestamp=now, key=key, value=value, headers=headers) is None:
            self._seal(place)
            parcel = None
        if parcel is None:
            parcel = self._new_parcel()
            place.filling = parcel
            if parcel.builder.append(timestamp=now, key=key, value=value, headers=headers) is None:
                raise Fatal(f"the producer refused a record of {size} bytes for {topic}")
        parcel.size += size
        self.buffered += size
        if self.buffered > self._max_bytes:
            self._room.clear()

    def _new_parcel(self) -> Parcel:
        assert self._producer is not None
        parcel = Parcel(self._producer.create_batch(), asyncio.get_running_loop().create_future())
        self._parcels[id(parcel)] = parcel
        return parcel

    def _seal(self, place: Place) -> None:
        if place.filling is not None:
            place.filling.builder.close()
            place.ready.append(place.filling)
            place.filling = None
        self._kick(place)

    def _flush(self) -> None:
        """The linger time is over: what is being filled goes as soon as its partition is free."""
        self._timer = None
        for place in self._places.values():
            if place.filling is not None:
                place.due = True
                self._kick(place)
        self._meter.outbox(self.buffered)

    def _kick(self, place: Place) -> None:
        if place.task is None and self.failure is None:
            place.task = asyncio.ensure_future(self._pump(place))

    async def _pump(self, place: Place) -> None:
        """Hand the parcels of one partition to the producer, one after the other."""
        producer = self._producer
        assert producer is not None
        name = self._settings.topic(place.topic)
        try:
            while place.ready or (place.due and place.filling is not None):
                if not place.ready:
                    self._seal(place)
                place.due = place.due and place.filling is not None
                parcel = place.ready.popleft()
                sent = await asyncio.wait_for(producer.send_batch(parcel.builder, name, partition=place.partition), self._deadline)
                sent.add_done_callback(lambda future, parcel=parcel: self._delivered(place.topic, parcel, future))
        except (KafkaError, TimeoutError, AssertionError) as error:
            late = DeliveryFailed(f"a batch for {place.topic}[{place.partition}] was not taken: {type(error).__name__}")
            self._fail(self._denied(error, place.topic) or late)
        finally:
            place.task = None

    def _delivered(self, topic: str, parcel: Parcel, future: asyncio.Future[Any]) -> None:
        if future.cancelled() or future.exception() is not None:
            error = None if future.cancelled() else future.exception()
            reason = "cancelled" if error is None else type(error).__name__
            self._fail(self._denied(error, topic) or DeliveryFailed(f"a batch for {topic} did not reach the broker: {reason}"))
            return
        self._parcels.pop(id(parcel), None)
        self.buffered -= parcel.size
        if self.buffered <= self._max_bytes:
            self._room.set()
        if not parcel.delivered.done():
            parcel.delivered.set_result(None)

    def _denied(self, error: BaseException | None, topic: str) -> Fatal | None:
        return refused(error, self._settings, "Write", self._settings.topic(topic))

    def _fail(self, error: Fatal) -> None:
        if self.failure is not None:
            return
        self.failure = error
        self._room.set()
        for parcel in self._parcels.values():
            if not parcel.delivered.done():
                parcel.delivered.set_result(None)
        if self._on_failure is not None:
            self._on_failure(error)

    async def confirmed(self) -> None:
        """Return when everything sent before this call is on the broker.

        Raises `DeliveryFailed` when a delivery failed, or took longer than ``send_timeout_seconds``.
        """
        end = asyncio.get_running_loop().time() + self._deadline
        while self._resolving and self.failure is None:
            waiting = list(self._resolving.values())
            await asyncio.wait(waiting, timeout=max(0.0, end - asyncio.get_running_loop().time()))
            if not all(task.done() for task in waiting):
                self._fail(DeliveryFailed(f"outputs were not delivered within {self._deadline:g} s"))
        if self.failure is not None:
            raise self.failure
        self._flush()
        waiters = [parcel.delivered for parcel in self._parcels.values()]
        if waiters:
            _done, pending = await asyncio.wait(waiters, timeout=max(0.0, end - asyncio.get_running_loop().time()))
            if pending and self.failure is None:
                self._fail(DeliveryFailed(f"outputs were not delivered within {self._deadline:g} s"))
        if self.failure is not None:
            raise self.failure

    async def room(self) -> None:
        """Wait while more than ``max_bytes`` are not confirmed. Raises `DeliveryFailed` as `confirmed` does."""
        if not self._room.is_set():
            self._flush()
            late = DeliveryFailed(f"the producer's buffer stayed full for {self._deadline:g} s")
            # Not `asyncio.wait_for`: see `Runner._idle`.
            timer = asyncio.get_running_loop().call_later(self._deadline, self._fail, late)
            try:
                await self._room.wait()
            finally:
                timer.cancel()
        if self.failure is not None:
            raise self.failure
