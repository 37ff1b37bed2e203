"""A crash at every step of a checkpoint, a zombie that wakes up afterwards, and partitions that move: nothing counts twice or never."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import pytest
from aiokafka import TopicPartition

from examples.counting import Counting
from streams.engine import runner as runner_module
from streams.engine.assignment import Assignment
from streams.engine.changelog import Recovered, Recovery
from streams.engine.meter import NULL_METER
from streams.engine.records import Batch
from streams.engine.runner import Runner
from streams.engine.settings import KafkaSettings
from streams.engine.stage import ALL_PARTITIONS, InputRecord, Output, StageSpec
from streams.engine.worker import Worker
from tests.engine.counting import counted, counting_spec, settings_for

PLACE = TopicPartition("numbers", 0)
RECORDS = [InputRecord(n, 0, b"k%d" % (n % 3), b"v") for n in range(40)]


class Crash(Exception):
    """The process is gone."""


class Broker:
    """What outlives a worker: outputs, the changelog, the committed offset. It crashes its client at step ``crash_at``.

    A step is one record that reaches the broker, one confirmation, or one commit. What is sent and not yet confirmed waits in
    ``in_flight``: after a crash it may still arrive, late, as a zombie's does.
    """

    def __init__(self, crash_at: int = -1) -> None:
        self.outputs: list[tuple[bytes | None, bytes | None]] = []
        self.changelog: list[InputRecord] = []
        self.in_flight: list[Output] = []
        self.committed = 0
        self.steps = 0
        self.crash_at = crash_at
        self.failure = None

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.crash_at:
            raise Crash

    def _store(self, output: Output) -> None:
        if output.topic == "counts":
            self.outputs.append((output.key, output.value))
        else:
            self.changelog.append(InputRecord(len(self.changelog), 0, output.key, output.value))

    # What the runner asks of its outbox, its input and its commit.

    def send(self, outputs: Iterable[Output]) -> None:
        """Take records; they arrive at the next confirmation."""
        self.in_flight += outputs

    async def confirmed(self) -> None:
        """Let everything arrive, one by one."""
        while self.in_flight:
            self._step()
            self._store(self.in_flight.pop(0))
        self._step()

    async def room(self) -> None:
        """There is room."""

    async def start_offset(self, place: TopicPartition, saved: int | None) -> int:
        """Return what was committed."""
        return self.committed

    def seek_now(self, place: TopicPartition, offset: int) -> None:
        """The test feeds from `next_queued`."""

    def wake(self) -> None:
        """Nothing to do."""

    async def commit(self, runner: Runner, offset: int) -> bool:
        """Commit."""
        self._step()
        self.committed = offset
        self._step()
        return True

    def recovered(self, *_: object) -> Recovered:
        """Fold the changelog, as a new owner does."""
        fold = Recovery()
        fold.add(self.changelog)
        return fold.result()


async def live(broker: Broker, monkeypatch: pytest.MonkeyPatch, generation: int) -> None:
    """One worker's life: recover, read to the end in batches with a checkpoint after each; raises `Crash` where the broker says so."""

    async def read_back(*_: object) -> Recovered:
        return broker.recovered()

    monkeypatch.setattr(runner_module, "recover", read_back)
    runner = Runner(
        counting_spec(), PLACE, generation,
        settings=settings_for("nowhere:1", "", checkpoint_seconds=600, checkpoint_records=10),
        outbox=broker, source=broker, commit=broker.commit, meter=NULL_METER,  # type: ignore[arg-type]
    )  # fmt: skip
    task = asyncio.ensure_future(runner.run())
    while not runner.wants and not task.done():
        await asyncio.sleep(0)
    for first in range(runner.next_queued, len(RECORDS), 10):
        piece = RECORDS[first : first + 10]
        runner.put(Batch(PLACE, first, first + len(piece), list(piece)))
        while runner.next_offset < first + len(piece) and not task.done():
            await asyncio.sleep(0)
    runner.close()
    await task


def seen(broker: Broker) -> dict[bytes, bytes]:
    """What a consumer that drops equal identities has; one identity with two contents fails."""
    return counted(broker.outputs)


async def test_a_crash_at_any_step_of_a_checkpoint_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever record, confirmation or commit a worker dies at, the next one's outputs and states are those of an undisturbed run."""
    calm = Broker()
    await live(calm, monkeypatch, 1)
    assert len(seen(calm)) == len(RECORDS)
    for step in range(1, calm.steps + 1):
        broker = Broker(step)
        with pytest.raises(Crash):
            await live(broker, monkeypatch, 1)
        asleep, broker.in_flight = broker.in_flight, []
        await live(broker, monkeypatch, 2)
        # The dead worker's last writes come after all: a third owner must not be misled.
        for output in asleep:
            broker._store(output)
        assert seen(broker) == seen(calm), f"outputs differ after a crash at step {step}"
        assert broker.recovered().states == calm.recovered().states, f"states differ after a crash at step {step}"
        assert broker.committed == len(RECORDS)
        await live(broker, monkeypatch, 3)
        assert seen(broker) == seen(calm), f"a third owner was misled after a crash at step {step}"


async def test_partitions_are_given_up_only_after_the_commit() -> None:
    """When the group takes a partition away, what was applied is saved and committed before `revoked` returns."""
    happened: list[str] = []

    class Consumer:
        """Stands for the transport's."""

        kafka = property(lambda self: self)
        room = asyncio.Event()

        async def committed(self, place: TopicPartition) -> None:
            """Nothing is committed yet."""

        async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
            """The log begins at 0."""
            return dict.fromkeys(places, 0)

        def seek_now(self, place: TopicPartition, offset: int) -> None:
            """The test delivers."""

        async def commit_offset(self, place: TopicPartition, offset: int) -> bool:
            """Note it."""
            happened.append(f"commit {offset}")
            return True

    broker = Broker()
    settings = settings_for("nowhere:1", "", checkpoint_seconds=600)
    failed: list[BaseException] = []
    assignment = Assignment(settings, [counting_spec()], broker, NULL_METER, fail=failed.append)  # type: ignore[arg-type]
    assignment.consumer = Consumer()  # type: ignore[assignment]

    async def nothing(*_: object) -> Recovered:
        return Recovered()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner_module, "recover", nothing)
        assignment.assigned([PLACE], 1)
        while not assignment.wanted():
            await asyncio.sleep(0)
        assignment.deliver(Batch(PLACE, 0, 40, list(RECORDS)))
        while assignment.runners[PLACE][0].next_offset < 40:
            await asyncio.sleep(0)
        await assignment.revoked([PLACE])
        happened.append("given up")
    assert happened == ["commit 40", "given up"]
    assert not failed
    assert len(broker.outputs) == 40


async def test_a_pulse_waits_for_what_was_sent_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a pulse says goes out only once everything sent before it was asked is confirmed; a pulse without news asks for nothing."""
    happened: list[str] = []
    news = [[Output("counts", None, b"mark", (), ALL_PARTITIONS)], []]

    class Outbox:
        """Notes what is asked of it."""

        async def confirmed(self) -> None:
            """Note it."""
            happened.append("confirmed")

        def send(self, outputs: Iterable[Output]) -> None:
            """Note it."""
            happened.extend("sent" for _ in outputs)

    def pulse(stages: Mapping[int, object]) -> Iterable[Output]:
        happened.append("asked")
        return news.pop(0)

    settings: KafkaSettings = settings_for("nowhere:1", "")
    spec = StageSpec("counting", "numbers", Counting, pulse, 0.001)
    worker = Worker(settings, [spec])
    worker.outbox = Outbox()  # type: ignore[assignment]
    assignment = worker.members[0].assignment
    assignment.joined = True
    monkeypatch.setattr(assignment, "stages", lambda spec: {0: Counting(0)})
    task = asyncio.ensure_future(worker._pulse(spec, assignment))
    while news:
        await asyncio.sleep(0.001)
    task.cancel()
    assert happened == ["asked", "confirmed", "sent", "asked"]
