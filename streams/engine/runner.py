"""One stage on one input partition: recover, apply batches in pieces, send, save, commit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.clock import monotonic
from streams.engine.access import refused
from streams.engine.changelog import Changelog, Recovered, changelog_topic, recover
from streams.engine.deadletters import DeadLetterLimit
from streams.engine.meter import Meter
from streams.engine.outbox import Outbox
from streams.engine.records import Batch
from streams.engine.settings import KafkaSettings
from streams.engine.stage import Output, PartitionStage, Record, StageSpec
from streams.errors import NotYet, Stalled, Unreachable

log = structlog.get_logger(__name__)

#: A piece of a batch should hold the event loop no longer than this.
PIECE_SECONDS = 0.04


class Input(Protocol):
    """What a runner asks of whoever reads the input log."""

    async def start_offset(self, place: TopicPartition, saved: int | None) -> int:
        """Return the committed offset; where the group has none, ``saved``, or the log's start. Raises `LogGap` if it is gone."""

    def seek_now(self, place: TopicPartition, offset: int) -> None:
        """Read on from ``offset``."""

    def wake(self) -> None:
        """Ask again which partitions are wanted."""


class Runner:
    """Owns one `PartitionStage` while this worker owns its input partition.

    ``commit(runner, offset)`` makes the offset the next to read after a restart. Tasks end by themselves once `close` was called;
    an exception leaves `run` with nothing acknowledged since the last checkpoint.
    """

    def __init__(
        self,
        spec: StageSpec,
        place: TopicPartition,
        generation: int,
        *,
        settings: KafkaSettings,
        outbox: Outbox,
        source: Input,
        commit: Callable[[Runner, int], Awaitable[bool]],
        meter: Meter,
    ) -> None:
        self.spec = spec
        self.place = place
        self.generation = generation
        self._settings = settings
        self._engine = settings.engine
        self._outbox = outbox
        self._source = source
        self._commit = commit
        self._meter = meter
        self.stage: PartitionStage = spec.make(place.partition)
        self._changelog = Changelog(outbox, changelog_topic(settings, spec.name), place.partition, self._engine.changelog_rewrite_bytes)
        self._limit = DeadLetterLimit(place, self._engine.rejected_share_limit, self._engine.rejected_run_limit)
        self._queue: deque[Batch] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._piece = 256
        self._since_checkpoint = 0
        self._saved_at = monotonic()
        self._dirty = False
        self.recovered = False
        #: Next offset that the queue waits for, and the next one to apply.
        self.next_queued = -1
        self.next_offset = -1
        #: Offset of the last checkpoint's commit (-1: none yet).
        self.saved = -1
        self.progressed_at = monotonic()
        self.held_back = False

    @property
    def wants(self) -> bool:
        """Whether another batch may be fetched now."""
        if not self.recovered or self._closing or len(self._queue) >= self._engine.batches_in_flight:
            return False
        self.held_back = self.spec.admit is not None and not self.spec.admit(self.place.partition)
        return not self.held_back

    def put(self, batch: Batch) -> None:
        """Take a batch in order. One that leaves a hole is fetched again; one that was queued before is dropped."""
        if self._closing or not self.recovered:
            return
        if batch.position > self.next_queued:
            self._source.seek_now(self.place, self.next_queued)
            return
        if batch.next_offset <= self.next_queued:
            return
        if batch.position < self.next_queued:
            rest = [record for record in batch.records if record.offset >= self.next_queued]
            batch = batch._replace(position=self.next_queued, records=rest)
        self._queue.append(batch)
        self.next_queued = batch.next_offset
        self._wake.set()
        self._meter.in_progress(self.spec.name, self.place.partition, len(self._queue))

    def close(self) -> None:
        """Stop after the piece at hand; `run` then saves what was applied and returns."""
        self._closing = True
        self._wake.set()

    def reopen(self, generation: int) -> None:
        """Go on after `close` and a whole `run`: the same worker got the partition again in the very next generation."""
        self._closing = False
        self.generation = generation
        self._queue.clear()

    async def run(self) -> None:
        """Recover, then work until `close`."""
        if not self.recovered:
            await self._recover()
        self.next_queued = self.next_offset
        if not self._closing:
            self._source.seek_now(self.place, self.next_offset)
        self._saved_at = self.progressed_at = monotonic()
        self._source.wake()
        while not self._closing:
            if self._queue:
                batch = self._queue.popleft()
                self._source.wake()
                await self._apply(batch)
                self._meter.in_progress(self.spec.name, self.place.partition, len(self._queue))
            else:
                await self._idle()
            if self._due():
                await self.checkpoint()
        self._queue.clear()
        if self._dirty:
            await self.checkpoint()

    async def _recover(self) -> None:
        began = monotonic()
        found, self.next_offset = await self._read_back(began + self._engine.send_timeout_seconds)
        self._changelog.adopt(found, self.generation)
        self.stage.restore(found.states, found.cut)
        seconds = monotonic() - began
        self._meter.recovered(self.spec.name, self.place.partition, len(found.states), seconds)
        log.info(
            "recovered", stage=self.spec.name, partition=self.place.partition, states=len(found.states),
            records=found.records, bytes=found.size, next_offset=self.next_offset, seconds=round(seconds, 3),
        )  # fmt: skip
        self.recovered = True

    async def _read_back(self, end: float) -> tuple[Recovered, int]:
        """Return the saved states and where to read on; a broker that is just restarting is tried again until ``end``."""
        name = changelog_topic(self._settings, self.spec.name)
        while True:
            try:
                found = await recover(self._settings, name, self.place.partition)
                # The cut says what its checkpoint was to commit: it stands in for offsets that the group has forgotten, or never had.
                return found, await self._source.start_offset(self.place, found.commit)
            except (KafkaError, Unreachable) as error:
                if denied := refused(error, self._settings):
                    raise denied from None
                if monotonic() > end:
                    raise Unreachable(f"states cannot be read back: {type(error).__name__}") from error
                await asyncio.sleep(0.5)

    async def _idle(self) -> None:
        self._wake.clear()
        left = self._engine.checkpoint_seconds - (monotonic() - self._saved_at) if self._dirty else 1.0
        # Not `asyncio.wait_for`: before Python 3.12 it swallows a cancellation that comes together with the event, and a runner
        # that was given up would go on.
        timer = asyncio.get_running_loop().call_later(max(0.01, left), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()

    async def _apply(self, batch: Batch) -> None:
        """Feed a batch in pieces that hold the loop for about `PIECE_SECONDS`."""
        records = batch.records
        begin = 0
        while begin < len(records):
            if self._closing:
                return
            piece = records[begin : begin + self._piece] if begin or len(records) > self._piece else records
            if not await self._feed(piece):
                return
            begin += len(piece)
            self.next_offset = piece[-1].offset + 1
            self._done(len(piece))
            await self._outbox.room()
            if begin < len(records):
                if self._due():
                    await self.checkpoint()
                await asyncio.sleep(0)
        self.next_offset = batch.next_offset
        self._done(0)

    def _done(self, count: int) -> None:
        self._dirty = True
        self._since_checkpoint += count
        self.progressed_at = monotonic()

    async def _feed(self, piece: Sequence[Record]) -> bool:
        """Apply one piece and hand its outputs over; False if the runner was closed while it had to wait."""
        name = self.spec.name
        waiting_since = monotonic()
        while True:
            began = monotonic()
            try:
                outputs = list(self.stage.process(piece))
                break
            except NotYet as error:
                if began - waiting_since > self._engine.stall_seconds:
                    raise Stalled(f"{name} waits for longer than {self._engine.stall_seconds:g} s: {error}") from error
                await asyncio.sleep(0.1)
                if self._closing:
                    return False
        seconds = monotonic() - began
        refused = self._limit.count(piece, outputs)
        self._outbox.send(outputs)
        self._measure(outputs, len(piece), refused, seconds)
        if seconds > 0 and len(piece) >= self._piece // 2:
            aim = int(len(piece) * PIECE_SECONDS / seconds)
            self._piece = max(16, min(aim, self._piece * 2, 20_000))
        return True

    def _measure(self, outputs: list[Output], count: int, refused: int, seconds: float) -> None:
        meter, name = self._meter, self.spec.name
        meter.records_in(name, count)
        meter.processed(name, seconds)
        if refused:
            meter.rejected(name, refused)
        if outputs:
            counts: dict[str, int] = {}
            for output in outputs:
                counts[output.topic] = counts.get(output.topic, 0) + 1
            for topic, number in counts.items():
                meter.records_out(name, topic, number)

    def _due(self) -> bool:
        if not self._dirty:
            return False
        if self._since_checkpoint >= self._engine.checkpoint_records or self._changelog.full:
            return True
        return monotonic() - self._saved_at >= self._engine.checkpoint_seconds

    async def checkpoint(self) -> None:
        """Outputs confirmed, then states and cut confirmed, then the commit, then what is out of date is cleared."""
        began = monotonic()
        full = self._changelog.full
        saved = self.stage.checkpoint(self.next_offset, full=full)
        self._dirty = False
        self._since_checkpoint = 0
        self._saved_at = began
        await self._outbox.confirmed()
        size = self._changelog.write(saved, full=full)
        await self._outbox.confirmed()
        self.saved = saved.commit
        await self._commit(self, saved.commit)
        self._changelog.clear_older()
        self._meter.checkpoint(self.spec.name, monotonic() - began, size)
