"""Publishes a planned raw log (`streams.sources.plan`) to Kafka, as fast as readers follow or in a multiple of real time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.cloudevents import type_of
from schemas.mention import Clock
from streams.clock import Sleep, WallClock, monotonic, rfc3339, wall_ms
from streams.engine.access import refused, start
from streams.engine.connection import connection
from streams.engine.stage import ALL_PARTITIONS, Output
from streams.engine.topics import partition_counts
from streams.errors import BadInput, DeliveryFailed
from streams.reading import reader
from streams.settings import Settings
from streams.sources.brake import RECORD_BYTES, Brake, ReadPositions
from streams.sources.dates import parse_time
from streams.sources.plan import TOPIC, clock_record

_FLUSH_RECORDS: Final = 1000
_FLUSH_BYTES: Final = 192 << 10
_CLOCK: Final = b"veille.clock"
_TAIL_SCAN: Final = 5000
_clock_of = reader(Clock)


class _Published(msgspec.Struct, gc=False):
    published_at: str = ""


_published_of = reader(_Published)


@dataclass
class Progress:
    """How far a replay is; handed to ``progress`` after each flush. Times in ms, ``waited_seconds`` held back for readers."""

    mentions: int = 0
    clocks: int = 0
    bytes: int = 0
    time_ms: int = 0
    waited_seconds: float = 0.0
    held_back: bool = False
    #: The last clock would have been in the future and was sent as now.
    tail_cut: bool = False


@dataclass
class _Batch:
    """What was handed to the producer and is not yet acknowledged."""

    futures: list[asyncio.Future[Any]] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)
    bytes: int = 0


async def replay(
    settings: Settings,
    outputs: Iterable[Output],
    *,
    speed: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    positions: ReadPositions | None = None,
    need_reader: bool = False,
    source_id: str = "replay",
    wall: WallClock = wall_ms,
    sleep: Sleep = asyncio.sleep,
) -> Progress:
    """Send ``outputs`` and return what was sent.

    ``speed`` is virtual seconds a second; None sends as fast as the readers follow. ``positions`` tells how far readers are:
    with it the replay holds back; ``need_reader`` waits for the first reader before anything is sent.

    Raises `BadInput` (exit 4) where the topics' clock is already later than the first record, or the topic is not there;
    `Unreachable` without a broker; `DeliveryFailed` where a record is not acknowledged in time. May be cancelled at any time.
    """
    counts = await partition_counts(settings, [TOPIC, *RECORD_BYTES])
    consumer = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    producer = AIOKafkaProducer(
        **connection(settings),
        enable_idempotence=True,
        acks="all",
        compression_type=None if settings.engine.compression == "none" else settings.engine.compression,
        linger_ms=settings.engine.producer_linger_ms,
        max_batch_size=settings.engine.producer_batch_bytes,
    )
    try:
        await start(consumer, settings)
        await start(producer, settings, writes=settings.topic(TOPIC))
        work = _Replay(settings, producer, consumer, counts, source_id, wall, sleep, progress)
        await work.prepare(positions)
        if need_reader:
            await work.wait_for_reader()
        return await work.run(outputs, speed)
    except KafkaError as error:
        raise refused(error, settings) or error from None
    finally:
        await asyncio.shield(_stop(producer, consumer))


async def _stop(*clients: Any) -> None:
    for client in clients:
        try:
            await asyncio.wait_for(client.stop(), 5)
        except (KafkaError, TimeoutError, OSError):
            continue  # the broker is gone: there is nothing left to close


class _Replay:
    """One run of `replay`."""

    def __init__(
        self,
        settings: Settings,
        producer: AIOKafkaProducer,
        consumer: AIOKafkaConsumer,
        counts: Mapping[str, int],
        source_id: str,
        wall: WallClock,
        sleep: Sleep,
        report: Callable[[Progress], None] | None,
    ) -> None:
        self._settings = settings
        self._producer = producer
        self._consumer = consumer
        self._counts = counts
        self._source_id = source_id
        self._wall = wall
        self._sleep = sleep
        self._report = report
        self._topic = settings.topic(TOPIC)
        self._batch = _Batch()
        self._done = Progress()
        self._brake: Brake | None = None
        self._newest_clock = 0
        self._sent_clock = 0

    async def prepare(self, positions: ReadPositions | None) -> None:
        """Look where the topics stand."""
        raw = [TopicPartition(self._topic, partition) for partition in range(self._counts[TOPIC])]
        begin = await self._consumer.end_offsets(raw)
        self._newest_clock = await self._latest_clock(begin)
        if positions is not None:
            self._brake = Brake(positions, {place.partition: offset for place, offset in begin.items()}, self._ends)

    async def wait_for_reader(self) -> None:
        """Return once a reader has told its position."""
        while self._brake is not None and not self._brake.reader_seen():
            await self._sleep(0.05)

    async def run(self, outputs: Iterable[Output], speed: float | None) -> Progress:
        """Send everything."""
        started = monotonic()
        first_ms: int | None = None
        for output in outputs:
            is_clock = type_of(output.headers) == _CLOCK
            ms = _clock_of(output.value).time_ms if is_clock else self._time_of(output.value)
            if first_ms is None:
                first_ms = ms
                self._check_past(ms)
            if speed is not None and ms > self._done.time_ms:
                ahead = (ms - first_ms) / 1000 / speed - (monotonic() - started) if not self._is_tail(ms, is_clock) else 0.0
                if ahead > 0.002:
                    await self._flush()
                    await self._sleep(ahead)
            if is_clock:
                await self._send_clock(output, ms)
            else:
                self._done.mentions += 1
                self._done.time_ms = max(self._done.time_ms, ms)
                await self._send(output, output.partition or 0)
            if len(self._batch.futures) >= _FLUSH_RECORDS or self._batch.bytes >= _FLUSH_BYTES:
                await self._flush()
                await self._hold_back()
        await self._flush()
        return self._done

    def _is_tail(self, ms: int, is_clock: bool) -> bool:
        """The clock after the last mention jumps ahead: nobody wants to wait hours for it."""
        return is_clock and ms - self._done.time_ms > 3_600_000 and self._done.mentions > 0

    def _time_of(self, value: bytes | None) -> int:
        """Return when a mention was published; the time reached so far where it does not tell."""
        try:
            ms = parse_time(_published_of(value).published_at)
        except msgspec.DecodeError:
            ms = None
        return self._done.time_ms if ms is None else ms

    def _check_past(self, first_ms: int) -> None:
        if self._newest_clock > first_ms:
            raise BadInput(
                f"the clock of {self._topic} stands at {rfc3339(self._newest_clock)}, later than the first mention "
                f"({rfc3339(first_ms)}); replay the past into topics of its own with --run NAME"
            )

    async def _send_clock(self, output: Output, ms: int) -> None:
        limit = self._wall() + 1000 * self._settings.enrich.clock_ahead_limit_seconds // 2
        if ms > limit:
            ms = max(self._wall(), self._sent_clock)
            output = clock_record(ms, self._source_id)
            self._done.tail_cut = True
        self._sent_clock = max(self._sent_clock, ms)
        self._done.clocks += 1
        for partition in range(self._counts[TOPIC]) if output.partition == ALL_PARTITIONS else [output.partition or 0]:
            await self._send(output, partition)

    async def _send(self, output: Output, partition: int) -> None:
        if partition >= self._counts[TOPIC]:
            raise BadInput(f"{self._topic} has {self._counts[TOPIC]} partitions, the plan has more; set VEILLE_PARTITIONS to that")
        size = len(output.value or b"") + len(output.key or b"") + 24
        size += sum(len(name) + len(value) for name, value in output.headers)
        timeout = self._settings.engine.send_timeout_seconds
        try:
            future = await asyncio.wait_for(
                self._producer.send(self._topic, output.value, key=output.key, partition=partition, headers=list(output.headers)), timeout
            )
        except (KafkaError, TimeoutError) as error:
            denied = refused(error, self._settings, "Write", self._topic)
            raise denied or DeliveryFailed(f"{self._topic} takes no more records ({type(error).__name__})") from error
        self._batch.futures.append(future)
        self._batch.sizes[partition] = self._batch.sizes.get(partition, 0) + size
        self._batch.bytes += size

    async def _flush(self) -> None:
        """Wait until everything handed over is acknowledged."""
        batch, self._batch = self._batch, _Batch()
        if not batch.futures:
            return
        try:
            results = await asyncio.wait_for(asyncio.gather(*batch.futures), self._settings.engine.send_timeout_seconds)
        except (KafkaError, TimeoutError) as error:
            denied = refused(error, self._settings, "Write", self._topic)
            raise denied or DeliveryFailed(f"records for {self._topic} were not acknowledged ({type(error).__name__})") from error
        self._done.bytes += batch.bytes
        if self._brake is not None:
            ends: dict[int, int] = {}
            for metadata in results:
                ends[metadata.partition] = max(ends.get(metadata.partition, 0), metadata.offset + 1)
            for partition, size in batch.sizes.items():
                self._brake.sent(partition, ends[partition], size)
        if self._report is not None:
            self._report(self._done)

    async def _hold_back(self) -> None:
        """Wait for the readers; first send the clock up to the last mention, or they could not go on."""
        if self._brake is None or not await self._brake.must_wait():
            return
        started = monotonic()
        if self._done.time_ms > self._sent_clock:
            await self._send_clock(clock_record(self._done.time_ms, self._source_id), self._done.time_ms)
            await self._flush()
        self._done.held_back = True
        while await self._brake.must_wait():
            if self._report is not None:
                self._report(self._done)
            await self._sleep(0.05)
        self._done.held_back = False
        self._done.waited_seconds += monotonic() - started

    async def _ends(self) -> Mapping[tuple[str, int], int]:
        """Return the end offsets of the topics that the stages write."""
        names = {self._settings.topic(topic): topic for topic in RECORD_BYTES}
        places = [TopicPartition(name, partition) for name, topic in names.items() for partition in range(self._counts[topic])]
        found = await self._consumer.end_offsets(places)
        return {(names[place.topic], place.partition): end for place, end in found.items()}

    async def _latest_clock(self, ends: Mapping[TopicPartition, int]) -> int:
        """Return the greatest clock among the last records of each raw partition, 0 where there is none."""
        starts = await self._consumer.beginning_offsets(list(ends))
        latest = 0
        for place, end in ends.items():
            start = max(starts[place], end - _TAIL_SCAN)
            if start >= end:
                continue
            self._consumer.assign([place])
            self._consumer.seek(place, start)
            at = start
            while at < end:
                found = await self._consumer.getmany(timeout_ms=2000, max_records=_TAIL_SCAN)
                if not found:
                    break
                for record in found.get(place, []):
                    at = record.offset + 1
                    if type_of(record.headers) == _CLOCK:
                        with suppress(msgspec.DecodeError):  # nobody's clock: enrich refuses it
                            latest = max(latest, _clock_of(record.value).time_ms)
        self._consumer.unsubscribe()
        return latest
