"""Stages that read one topic in consumer groups of their own: each sees all of it, in one worker or in two."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import TopicPartition

from streams.engine import transport
from streams.engine.assignment import Assignment
from streams.engine.meter import NULL_METER
from streams.engine.settings import KafkaSettings
from streams.engine.stage import StageSpec
from streams.engine.worker import Worker
from streams.errors import LogGap
from tests.engine.counting import all_committed, counted, counting_spec, prepare, publish, read_all, settings_for

#: Both write the same, so what both read is there twice.
PAIR = (counting_spec(), counting_spec(name="second", group="-second"))


async def run(settings: KafkaSettings, *workers: Worker, groups: tuple[str, ...] = ("", "-second")) -> None:
    """Run the workers until each group has read everything."""
    tasks = [asyncio.ensure_future(worker.run()) for worker in workers]
    for group in groups:
        await all_committed(settings, tasks[0], group)
    for worker in workers:
        worker.stop()
    assert await asyncio.gather(*tasks) == [0] * len(workers)


@pytest.mark.parametrize("apart", [False, True], ids=["one worker", "two workers"])
async def test_each_group_reads_the_whole_topic(embedded_broker: str, apart: bool) -> None:
    """However the stages are laid out over workers."""
    settings = settings_for(embedded_broker, f"groups-{int(apart)}")
    await prepare(settings)
    await publish(settings, 2_000)
    workers = [Worker(settings, [spec]) for spec in PAIR] if apart else [Worker(settings, PAIR)]
    await run(settings, *workers)
    found = await read_all(settings, "counts")
    assert len(found) == 4_000
    assert len(counted(found)) == 2_000
    assert [sum(worker.positions().values()) for worker in workers] == [2_000] * len(workers)


async def test_a_worker_is_ready_once_all_its_groups_are(embedded_broker: str) -> None:
    """One group that has not given out its partitions yet is enough for not ready; a stage that fails in either ends the worker."""
    settings = settings_for(embedded_broker, "groups-ready")
    await prepare(settings)
    ready: list[tuple[bool, ...]] = []
    pair = (PAIR[0], counting_spec(0, ValueError("broken"), name="second", group="-second"))
    worker = Worker(settings, pair, on_ready=lambda: ready.append(tuple(member.ready for member in worker.members)))
    task = asyncio.ensure_future(worker.run())
    while not ready:
        await asyncio.sleep(0.05)
    worker.members[1].assignment.joined = False
    assert not worker.ready
    worker.members[1].assignment.joined = True
    await publish(settings, 100)
    assert await task == 1
    assert ready == [(True, True)]


async def test_a_stage_that_moves_to_a_group_of_its_own_goes_on_where_it_was(embedded_broker: str) -> None:
    """The new group has no offsets: the last checkpoint of the stage says how far it is, and nothing is read twice or passed over."""
    settings = settings_for(embedded_broker, "groups-move")
    await prepare(settings)
    await publish(settings, 2_000)
    await run(settings, Worker(settings, [counting_spec()]), groups=("",))
    await publish(settings, 1_000, first=2_000)
    began: list[int] = []

    class Noting(type(counting_spec().make(0))):  # type: ignore[misc]
        """Notes what it is given."""

        def process(self, records):  # type: ignore[no-untyped-def]
            began.extend(record.offset for record in records)
            return super().process(records)

    await run(settings, Worker(settings, [StageSpec("counting", "numbers", Noting, group="-own")]), groups=("-own",))
    assert len(began) == 1_000
    outputs = counted(await read_all(settings, "counts"))
    assert sorted(int(count) for count in outputs.values()) == sorted([*range(1, 31)] * 100)


class Log:
    """A consumer of a log that holds offsets 10 to 20, in a group that has committed ``committed``."""

    def __init__(self, committed: int | None) -> None:
        self.kafka = self
        self._committed = committed

    async def committed(self, place: TopicPartition) -> int | None:
        """Return what the group has committed."""
        return self._committed

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """What was before is deleted."""
        return dict.fromkeys(places, 10)

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """The end."""
        return dict.fromkeys(places, 20)


@pytest.mark.parametrize(
    ("committed", "saved", "start"),
    [(None, None, 10), (None, 15, 15), (12, 15, 12), (12, None, 12), (None, 9, None), (None, 21, None), (9, 15, None)],
)
async def test_where_reading_starts(committed: int | None, saved: int | None, start: int | None) -> None:
    """At the group's offset, else at the checkpoint's, else at the log's start; what either names and the log has not is a gap."""
    place = TopicPartition("numbers", 0)
    assignment = Assignment(settings_for("nowhere:1", ""), PAIR, None, NULL_METER, fail=print)  # type: ignore[arg-type]
    assignment.consumer = Log(committed)  # type: ignore[assignment]
    if start is None:
        with pytest.raises(LogGap):
            await assignment.start_offset(place, saved)
    else:
        assert await assignment.start_offset(place, saved) == start


async def test_partitions_that_come_while_a_worker_joins_find_their_consumer(embedded_broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is told to stop before it has joined ends in order, though partitions are given to it meanwhile."""
    settings = settings_for(embedded_broker, "groups-joining")
    await prepare(settings)
    joining = asyncio.Event()

    whole = transport.App.start

    async def start(app: transport.App) -> None:
        await whole(app)
        while not worker.members[0].assignment.ready:
            await asyncio.sleep(0.05)
        joining.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(transport.App, "start", start)
    worker = Worker(settings, [counting_spec()])
    task = asyncio.ensure_future(worker.run())
    await joining.wait()
    worker.stop()
    assert await task == 0
