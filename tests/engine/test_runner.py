"""One runner, without a broker: order of a checkpoint, holes, second deliveries, waiting, giving up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from examples.counting import Counting
from streams.engine import runner as runner_module
from streams.engine.changelog import Recovered
from streams.engine.meter import NULL_METER
from streams.engine.records import Batch
from streams.engine.runner import Runner
from streams.engine.stage import InputRecord, Output, Record, StageSpec
from streams.errors import DeliveryFailed, NotYet
from tests.engine.counting import settings_for

PLACE = TopicPartition("numbers", 0)


class Recorder:
    """Stands for outbox, input and commit, and keeps what happened in order."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        self.fail = False
        self.seeks: list[int] = []

    def send(self, outputs: Iterable[Output]) -> None:
        """Note what kinds of records go out."""
        for output in outputs:
            kind = "output" if output.topic == "counts" else "clear" if output.value is None else "cut" if output.key == b"1!" else "state"
            if not self.happened or self.happened[-1] != kind:
                self.happened.append(kind)

    async def confirmed(self) -> None:
        """Note it, or fail."""
        if self.fail:
            raise DeliveryFailed("gone")
        self.happened.append("confirmed")

    async def room(self) -> None:
        """There is room."""

    async def start_offset(self, place: TopicPartition, saved: int | None) -> int:
        """Start at 0."""
        return 0

    def seek_now(self, place: TopicPartition, offset: int) -> None:
        """Note it."""
        self.seeks.append(offset)

    def wake(self) -> None:
        """Nothing to do."""

    async def commit(self, runner: Runner, offset: int) -> bool:
        """Note it."""
        self.happened.append(f"commit {offset}")
        return True


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """A recorder, and a changelog that is empty."""

    async def empty(*_: object) -> Recovered:
        return Recovered()

    monkeypatch.setattr(runner_module, "recover", empty)
    return Recorder()


def make(recorder: Recorder, stage: type[Counting] = Counting, **engine: object) -> Runner:
    """A runner over ``recorder``."""
    return Runner(
        StageSpec("counting", "numbers", stage), PLACE, 1,
        settings=settings_for("nowhere:1", "", checkpoint_seconds=600, **dict(engine.items())),
        outbox=recorder, source=recorder, commit=recorder.commit, meter=NULL_METER,  # type: ignore[arg-type]
    )  # fmt: skip


def batch(first: int, count: int) -> Batch:
    """A batch of consecutive records."""
    return Batch(PLACE, first, first + count, [InputRecord(n, 0, b"k%d" % (n % 3), b"v") for n in range(first, first + count)])


async def started(runner: Runner) -> asyncio.Task[None]:
    """Start ``runner`` and wait until it is recovered."""
    task = asyncio.ensure_future(runner.run())
    while not runner.wants:
        await asyncio.sleep(0)
    return task


async def applied(runner: Runner, offset: int) -> None:
    """Wait until everything below ``offset`` is applied."""
    while runner.next_offset < offset:
        await asyncio.sleep(0.001)


async def test_a_checkpoint_confirms_saves_confirms_commits(recorder: Recorder) -> None:
    """Outputs, then states, then the cut, are on the broker before the commit."""
    runner = make(recorder)
    task = await started(runner)
    runner.put(batch(0, 10))
    await applied(runner, 10)
    runner.close()
    await task
    assert recorder.happened == ["output", "confirmed", "state", "cut", "confirmed", "commit 10"]


async def test_a_failed_delivery_commits_nothing(recorder: Recorder) -> None:
    """The error leaves `run`, and there is no commit."""
    runner = make(recorder)
    task = await started(runner)
    runner.put(batch(0, 10))
    await applied(runner, 10)
    recorder.fail = True
    runner.close()
    with pytest.raises(DeliveryFailed):
        await task
    assert recorder.happened == ["output"]


async def test_a_batch_dropped_on_the_way_is_fetched_again(recorder: Recorder) -> None:
    """A hole between two batches seeks back to the last queued offset; the later batch is not applied over it."""
    runner = make(recorder)
    task = await started(runner)
    runner.put(batch(0, 10))
    runner.put(batch(20, 10))
    assert recorder.seeks[-1] == 10
    runner.put(batch(10, 10))
    runner.put(batch(20, 10))
    await applied(runner, 30)
    runner.close()
    await task
    assert sum(runner.stage.counts.values()) == 30  # type: ignore[attr-defined]


async def test_a_runner_that_is_given_up_ends_though_something_arrives(recorder: Recorder) -> None:
    """A cancellation that comes together with a batch is not lost: nothing is saved after it."""
    runner = make(recorder)
    task = await started(runner)
    await asyncio.sleep(0.01)
    runner.put(batch(0, 10))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert recorder.happened == []


async def test_a_batch_fetched_twice_is_applied_once(recorder: Recorder) -> None:
    """What overlaps with the queue is cut off."""
    seen: list[int] = []

    class Seeing(Counting):
        def process(self, records: Sequence[Record]) -> Iterable[Output]:
            seen.extend(record.offset for record in records)
            return []

    runner = make(recorder, Seeing)
    task = await started(runner)
    for part in (batch(0, 10), batch(0, 10), batch(5, 10)):
        runner.put(part)
    await applied(runner, 15)
    runner.close()
    await task
    assert seen == list(range(15))


async def test_what_is_not_there_yet_is_waited_for(recorder: Recorder) -> None:
    """The same records are tried again until they can be applied."""
    tries: list[int] = []

    class Waiting(Counting):
        def process(self, records: Sequence[Record]) -> Iterable[Output]:
            tries.append(len(records))
            if len(tries) < 3:
                raise NotYet("version 2")
            return super().process(records)

    runner = make(recorder, Waiting)
    task = await started(runner)
    runner.put(batch(0, 10))
    await applied(runner, 10)
    runner.close()
    await task
    assert tries == [10, 10, 10]


async def test_a_full_queue_is_not_read_on(recorder: Recorder) -> None:
    """With ``batches_in_flight`` batches waiting the partition is not wanted."""
    runner = make(recorder, batches_in_flight=2)
    task = await started(runner)
    runner.put(batch(0, 10))
    assert runner.wants
    runner.put(batch(10, 10))
    assert not runner.wants
    await applied(runner, 20)
    assert runner.wants
    runner.close()
    await task


async def test_a_partition_that_comes_back_at_once_goes_on_in_memory(recorder: Recorder) -> None:
    """After close and reopen the same states go on, from the offset after the last applied record."""
    runner = make(recorder)
    task = await started(runner)
    runner.put(batch(0, 10))
    await applied(runner, 10)
    runner.close()
    await task
    runner.reopen(2)
    task = await started(runner)
    await asyncio.sleep(0)
    assert recorder.seeks[-1] == 10
    runner.put(batch(0, 20))
    await applied(runner, 20)
    runner.close()
    await task
    assert sum(runner.stage.counts.values()) == 20  # type: ignore[attr-defined]


async def test_recovery_outlasts_a_broker_that_restarts(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading states back is tried again while the broker does not answer."""
    tries: list[int] = []

    async def at_first_gone(*_: object) -> Recovered:
        tries.append(1)
        if len(tries) < 3:
            raise KafkaConnectionError("gone")
        return Recovered(states={b"k0": b"7/0"})

    monkeypatch.setattr(runner_module, "recover", at_first_gone)
    monkeypatch.setattr(asyncio, "sleep", lambda seconds, sleep=asyncio.sleep: sleep(0))
    runner = make(recorder)
    task = await started(runner)
    runner.close()
    await task
    assert runner.stage.counts == {b"k0": 7}  # type: ignore[attr-defined]
