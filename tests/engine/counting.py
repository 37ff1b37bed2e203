"""A small stage for the engine's tests: counts records by key, and says each count once. Also runs as a program."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.engine.connection import connection
from streams.engine.outbox import Outbox
from streams.engine.stage import Checkpoint, Output, PartitionStage, Record, StageSpec, StateRecord
from streams.engine.topics import TopicPlan, ensure_topics, partition_count
from streams.settings import EngineSettings, Settings


class Counting:
    """State of a key: how often it was seen; progress: the next offset. ``fail_at`` raises at that offset."""

    def __init__(self, partition: int, fail_at: int = -1, error: Exception | None = None) -> None:
        self.partition = partition
        self.counts: dict[bytes, int] = {}
        self.progress: dict[bytes, int] = {}
        self.dirty: dict[bytes, None] = {}
        self.fail_at = fail_at
        self.error = error

    def restore(self, states: Mapping[bytes, bytes], cut: bytes | None) -> None:
        """Take over saved counts; each carries how far it is computed."""
        for key, value in states.items():
            count, progress = value.split(b"/")
            self.counts[key], self.progress[key] = int(count), int(progress)

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        """Count what was not counted yet."""
        outputs = []
        for record in records:
            if record.offset == self.fail_at and self.error is not None:
                raise self.error
            key = record.key or b""
            if record.offset < self.progress.get(key, 0):
                continue
            self.counts[key] = self.counts.get(key, 0) + 1
            self.progress[key] = record.offset + 1
            self.dirty[key] = None
            outputs.append(Output("counts", key, b"%d-%d %d" % (self.partition, record.offset, self.counts[key])))
        return outputs

    def checkpoint(self, next_offset: int, *, full: bool = False) -> Checkpoint:
        """Return the changed counts."""
        keys, self.dirty = list(self.counts if full else self.dirty), {}
        states = [StateRecord(key, self.progress[key], b"%d/%d" % (self.counts[key], self.progress[key])) for key in keys]
        return Checkpoint(states, b"%d" % next_offset, next_offset)


class Hanging(Counting):
    """Never returns."""

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        """Turn round and round."""
        while True:
            pass


def counting_spec(fail_at: int = -1, error: Exception | None = None) -> StageSpec:
    """Return the stage on topic ``numbers``."""

    def make(partition: int) -> PartitionStage:
        return Counting(partition, fail_at, error)

    return StageSpec("counting", "numbers", make)


def settings_for(broker: str, run: str, **engine: object) -> Settings:
    """Return settings for one test's own topics and group, with short times."""
    given: dict[str, object] = {"session_timeout_seconds": 6, "checkpoint_seconds": 0.5, "send_timeout_seconds": 20, **engine}
    return Settings(_env_file=None, broker=broker, run=run, engine=EngineSettings.model_validate(given))


async def publish(settings: Settings, records: int, *, first: int = 0, size: int = 0) -> None:
    """Write ``records`` numbers under a hundred keys."""
    outbox = Outbox(settings)
    await outbox.start()
    outbox.send(Output("numbers", b"k%d" % (n % 100), b"%d" % n + b" " * size) for n in range(first, first + records))
    await outbox.confirmed()
    await outbox.stop()


async def read_all(settings: Settings, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    """Return key and value of everything in a topic."""
    count = await partition_count(settings, topic)
    places = [TopicPartition(settings.topic(topic), partition) for partition in range(count)]
    consumer = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found = []
        for place in places:
            while await consumer.position(place) < ends[place]:
                for records in (await consumer.getmany(place, timeout_ms=200)).values():
                    found += [(record.key, record.value) for record in records]
        return found
    finally:
        await consumer.stop()


async def committed(settings: Settings, topic: str) -> tuple[dict[int, int], dict[int, int]]:
    """Return committed offsets and log ends of a topic by partition."""
    count = await partition_count(settings, topic)
    places = [TopicPartition(settings.topic(topic), partition) for partition in range(count)]
    consumer = AIOKafkaConsumer(**connection(settings), group_id=settings.group_id, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(places)
        offsets = {place.partition: (await consumer.committed(place)) or 0 for place in places}
        ends = {place.partition: end for place, end in (await consumer.end_offsets(places)).items()}
        return offsets, ends
    finally:
        await consumer.stop()


async def prepare(settings: Settings) -> None:
    """Make the test's topics."""
    await ensure_topics(settings, {"numbers": TopicPlan(4), "counts": TopicPlan(4)})


async def all_committed(settings: Settings, task: asyncio.Task[int] | None = None) -> None:
    """Wait until everything in the input is committed."""
    while True:
        offsets, ends = await committed(settings, "numbers")
        if offsets == ends and sum(ends.values()):
            return
        assert task is None or not task.done(), "the worker ended early"
        await asyncio.sleep(0.3)


def counted(found: list[tuple[bytes | None, bytes | None]]) -> dict[bytes, bytes]:
    """Return {identity: count} of the outputs, without duplicates; equal identities must have equal content."""
    outputs: dict[bytes, bytes] = {}
    for _, value in found:
        identity, count = (value or b"").split(b" ")
        assert outputs.setdefault(identity, count) == count
    return outputs


def main() -> int:
    """``counting.py BROKER RUN [hang]``: run a worker until a signal; with ``hang`` its stage never returns."""
    from streams.engine.worker import run_worker
    from streams.logs import configure

    configure("INFO")
    if "hang" in sys.argv:
        settings = settings_for(sys.argv[1], sys.argv[2], stall_seconds=2)
        return asyncio.run(run_worker(settings, [StageSpec("counting", "numbers", Hanging)]))
    return asyncio.run(run_worker(settings_for(sys.argv[1], sys.argv[2]), [counting_spec()]))


if __name__ == "__main__":
    raise SystemExit(main())
