"""A worker on a broker: nothing lost, exact commits, nobody held up."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from examples.counting import Counting
from streams.engine.outbox import Outbox
from streams.engine.positions import PositionsReader
from streams.engine.stage import Output, StageSpec
from streams.engine.worker import Worker, run_worker
from tests.engine.counting import all_committed, committed, counted, counting_spec, prepare, publish, read_all, settings_for

PROGRAM = Path(__file__).with_name("counting.py")


async def test_everything_is_counted_once_and_committed_exactly(embedded_broker: str) -> None:
    """Each record is counted once, and the committed offsets stand exactly at the end."""
    settings = settings_for(embedded_broker, "exact")
    await prepare(settings)
    await publish(settings, 5_000)
    called: list[bool] = []
    worker = Worker(settings, [counting_spec()], on_ready=lambda: called.append(worker.ready))
    assert not worker.ready
    task = asyncio.ensure_future(worker.run())
    await all_committed(settings, task)
    assert called == [True]
    assert worker.partition_counts == {"numbers": 4}
    assert sum(worker.positions().values()) == 5_000
    worker.stop()
    assert await task == 0
    found = await read_all(settings, "counts")
    assert len(found) == 5_000
    assert len(counted(found)) == 5_000


async def test_a_second_worker_goes_on_where_the_first_stopped(embedded_broker: str) -> None:
    """After an orderly stop nothing is done twice, and counts go on from the saved states."""
    settings = settings_for(embedded_broker, "goes-on")
    await prepare(settings)
    for first in (0, 1_000):
        await publish(settings, 1_000, first=first)
        worker = Worker(settings, [counting_spec()])
        task = asyncio.ensure_future(worker.run())
        await all_committed(settings, task)
        worker.stop()
        assert await task == 0
    found = await read_all(settings, "counts")
    assert len(found) == 2_000
    assert sorted(int(count) for count in counted(found).values()) == sorted([*range(1, 21)] * 100)


async def test_a_killed_worker_leaves_nothing_out(embedded_broker: str) -> None:
    """After kill -9 the next worker's outputs, without duplicates, are those of an undisturbed run."""
    settings = settings_for(embedded_broker, "killed")
    await prepare(settings)
    environment = {**os.environ, "PYTHONPATH": str(PROGRAM.parents[2])}
    command = [sys.executable, str(PROGRAM), embedded_broker, "killed"]
    await publish(settings, 3_000)
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as victim:
        while not sum((await committed(settings, "numbers"))[0].values()):
            assert victim.poll() is None
            await asyncio.sleep(0.1)
        await publish(settings, 3_000, first=3_000)
        await asyncio.sleep(0.05)
        victim.kill()
    worker = Worker(settings, [counting_spec()])
    task = asyncio.ensure_future(worker.run())
    await all_committed(settings, task)
    worker.stop()
    assert await task == 0
    outputs = counted(await read_all(settings, "counts"))
    assert len(outputs) == 6_000
    assert sorted(int(count) for count in outputs.values()) == sorted([*range(1, 61)] * 100)


async def test_sigterm_saves_and_ends_with_zero(embedded_broker: str) -> None:
    """SIGTERM commits everything that was applied and ends with code 0."""
    settings = settings_for(embedded_broker, "sigterm", checkpoint_seconds=600)
    await prepare(settings)
    await publish(settings, 500)
    ready = asyncio.Event()
    worker = Worker(settings, [counting_spec()], on_ready=ready.set)
    task = asyncio.ensure_future(run_worker(settings, [], worker=worker))
    await ready.wait()
    while sum(worker.positions().values()) < 500 or any(r._queue for rs in worker.members[0].assignment.runners.values() for r in rs):
        await asyncio.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await task == 0
    offsets, ends = await committed(settings, "numbers")
    assert offsets == ends


async def test_pulses_come_after_what_was_sent_before(embedded_broker: str) -> None:
    """What a pulse says about progress is never in the log before the outputs that it speaks of."""
    settings = settings_for(embedded_broker, "pulse")
    await prepare(settings)

    def pulse(stages):  # type: ignore[no-untyped-def]
        done = sum(sum(stage.counts.values()) for stage in stages.values())
        if done == told[-1]:
            return []
        told.append(done)
        return [Output("counts", b"pulse", b"pulse %d" % done, (), 0)]

    told = [0]
    base = counting_spec()
    worker = Worker(settings, [StageSpec("counting", "numbers", base.make, pulse, 0.05)])
    task = asyncio.ensure_future(worker.run())
    await publish(settings, 1_000)
    await all_committed(settings, task)
    while told[-1] < 1_000:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    worker.stop()
    assert await task == 0
    found = await read_all(settings, "counts")
    assert [value for key, value in found if key == b"pulse"] == [b"pulse %d" % done for done in told[1:]]


async def test_a_partition_that_is_not_admitted_holds_nobody_up(embedded_broker: str) -> None:
    """While one partition may not be read the others go on, and it is no stall."""
    settings = settings_for(embedded_broker, "admit", stall_seconds=1)
    await prepare(settings)
    await publish(settings, 1_000)
    open_now: list[bool] = []
    base = counting_spec()
    worker = Worker(settings, [StageSpec("counting", "numbers", base.make, admit=lambda p: p != 0 or bool(open_now))])
    task = asyncio.ensure_future(worker.run())
    while True:
        offsets, ends = await committed(settings, "numbers")
        if all(offsets[p] == ends[p] for p in (1, 2, 3)):
            break
        await asyncio.sleep(0.2)
    await asyncio.sleep(1.5)
    assert not task.done()
    assert (await committed(settings, "numbers"))[0][0] == 0
    open_now.append(True)
    await all_committed(settings, task)
    worker.stop()
    assert await task == 0


async def test_read_positions_reach_another_process(embedded_broker: str) -> None:
    """Whoever follows the positions sees how far the worker has read."""
    settings = settings_for(embedded_broker, "positions")
    await prepare(settings)
    await publish(settings, 700)
    worker = Worker(settings, [counting_spec()])
    task = asyncio.ensure_future(worker.run())
    async with PositionsReader(settings) as reader:
        while sum(reader.position("numbers", partition) or 0 for partition in range(4)) < 700:
            await asyncio.sleep(0.05)
        assert reader.position("elsewhere", 0) is None
    worker.stop()
    assert await task == 0


async def test_two_stages_may_read_one_topic(embedded_broker: str) -> None:
    """Both see every record, and the commit waits for the slower one."""
    settings = settings_for(embedded_broker, "two")
    await prepare(settings)
    await publish(settings, 600)
    seen: dict[int, Counting] = {}

    def other(partition: int) -> Counting:
        seen[partition] = Counting(partition)
        return seen[partition]

    worker = Worker(settings, [counting_spec(), StageSpec("other", "numbers", other)])
    task = asyncio.ensure_future(worker.run())
    await all_committed(settings, task)
    worker.stop()
    assert await task == 0
    assert sum(sum(stage.counts.values()) for stage in seen.values()) == 600


async def test_states_outlive_a_log_that_keeps_only_its_newest_bytes(embedded_broker: str) -> None:
    """With a rewrite limit a state that is never touched again is still there after many megabytes of others."""
    settings = settings_for(embedded_broker, "rewrite", changelog_rewrite_bytes=20_000, checkpoint_seconds=0.2)
    await prepare(settings)
    outbox = Outbox(settings)
    await outbox.start()
    outbox.send([Output("numbers", b"quiet", b"1", (), 0)])
    await outbox.confirmed()
    worker = Worker(settings, [counting_spec()])
    task = asyncio.ensure_future(worker.run())
    for number in range(10):
        outbox.send(Output("numbers", b"loud%d" % n, b"%d" % number, (), 0) for n in range(200))
        await outbox.confirmed()
        await all_committed(settings, task)
    worker.stop()
    assert await task == 0
    await outbox.stop()
    log = await read_all(settings, "veille-counting-changelog")
    assert sum(1 for key, _ in log if key and key.endswith(b":quiet")) > 1
