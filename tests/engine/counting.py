"""The stage of `examples.counting` in a worker that can be made to fail or to hang. Also runs as a program."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from examples.counting import Counting
from streams.engine.connection import connection
from streams.engine.outbox import Outbox
from streams.engine.settings import EngineSettings, KafkaSettings
from streams.engine.stage import Output, PartitionStage, Record, StageSpec
from streams.engine.topics import TopicPlan, ensure_topics, partition_count


class Failing(Counting):
    """Raises ``error`` at the offset ``fail_at``."""

    def __init__(self, partition: int, fail_at: int = -1, error: Exception | None = None) -> None:
        super().__init__(partition)
        self.fail_at = fail_at
        self.error = error

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        """Count up to the offset that raises: what was counted before it is lost with the worker."""
        outputs: list[Output] = []
        for record in records:
            if record.offset == self.fail_at and self.error is not None:
                raise self.error
            outputs += super().process([record])
        return outputs


class Hanging(Counting):
    """Never returns."""

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        """Turn round and round."""
        while True:
            pass


async def _for_ever(*_: object, **__: object) -> None:
    """Hang, and do not even let oneself be cancelled."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue


#: What can be made to hang in a worker: name to (object of the worker's, method).
HANGS: dict[str, tuple[str, str]] = {
    "confirmation": ("outbox", "confirmed"),
    "closing the outbox": ("outbox", "stop"),
    "closing the partitions": ("assignment", "close"),
    "committing": ("assignment", "_commit"),
    "watching": ("assignment", "watch"),
    "the application": ("", "_shut"),
}


def counting_spec(fail_at: int = -1, error: Exception | None = None, *, name: str = "counting", group: str = "") -> StageSpec:
    """Return the stage on topic ``numbers``."""

    def make(partition: int) -> PartitionStage:
        return Failing(partition, fail_at, error)

    return StageSpec(name, "numbers", make, group=group)


def settings_for(broker: str, run: str, **engine: object) -> KafkaSettings:
    """Return settings for one test's own topics and group, with short times."""
    given: dict[str, object] = {"session_timeout_seconds": 6, "checkpoint_seconds": 0.5, "send_timeout_seconds": 20, **engine}
    return KafkaSettings(broker=broker, run=run, engine=EngineSettings.model_validate(given))


async def publish(settings: KafkaSettings, records: int, *, first: int = 0, size: int = 0) -> None:
    """Write ``records`` numbers under a hundred keys."""
    outbox = Outbox(settings)
    await outbox.start()
    outbox.send(Output("numbers", b"k%d" % (n % 100), b"%d" % n + b" " * size) for n in range(first, first + records))
    await outbox.confirmed()
    await outbox.stop()


async def read_all(settings: KafkaSettings, topic: str) -> list[tuple[bytes | None, bytes | None]]:
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


async def committed(settings: KafkaSettings, topic: str, group: str = "") -> tuple[dict[int, int], dict[int, int]]:
    """Return committed offsets and log ends of a topic by partition."""
    count = await partition_count(settings, topic)
    places = [TopicPartition(settings.topic(topic), partition) for partition in range(count)]
    consumer = AIOKafkaConsumer(**connection(settings), group_id=settings.group_id + group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(places)
        offsets = {place.partition: (await consumer.committed(place)) or 0 for place in places}
        ends = {place.partition: end for place, end in (await consumer.end_offsets(places)).items()}
        return offsets, ends
    finally:
        await consumer.stop()


async def prepare(settings: KafkaSettings) -> None:
    """Make the test's topics."""
    await ensure_topics(settings, {"numbers": TopicPlan(4), "counts": TopicPlan(4)})


async def all_committed(settings: KafkaSettings, task: asyncio.Task[int] | None = None, group: str = "") -> None:
    """Wait until everything in the input is committed."""
    while True:
        offsets, ends = await committed(settings, "numbers", group)
        if offsets == ends and any(ends.values()):
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
    """``counting.py BROKER RUN [HANG]``: run a worker until a signal; with a name of `HANGS` or ``the stage`` something never returns."""
    from streams.engine.ending import Guard
    from streams.engine.worker import Worker, run_worker
    from streams.logs import configure

    configure("INFO")
    broker, run, *hang = sys.argv[1:]
    stalled = hang == ["the stalled stage"]
    settings = settings_for(broker, run, stall_seconds=2 if stalled else 60, **({"stop_grace_seconds": 3} if hang else {}))
    stuck = HANGS.get(hang[0]) if hang else None
    spec = StageSpec("counting", "numbers", Hanging) if hang and stuck is None else counting_spec()

    async def work(guard: Guard) -> int:
        def get_stuck() -> None:
            if stuck is not None:
                parts = {"": worker, "outbox": worker.outbox, "assignment": worker.members[0].assignment}
                setattr(parts[stuck[0]], stuck[1], _for_ever)

        worker = Worker(settings, [spec], on_ready=get_stuck)
        if stuck == HANGS["watching"]:
            get_stuck()
        return await run_worker(settings, [], worker=worker, guard=guard)

    with Guard(settings.engine) as guard:
        return asyncio.run(work(guard))


if __name__ == "__main__":
    raise SystemExit(main())
