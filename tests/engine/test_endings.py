"""Loud ends: whatever goes wrong, nothing is acknowledged and the exit code says so."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from examples.counting import Counting
from streams.engine.embedded import EmbeddedBroker
from streams.engine.settings import KafkaSettings
from streams.engine.stage import Output, StageSpec
from streams.engine.worker import Worker, run_worker
from streams.errors import DeliveryFailed, Fatal, NotYet, TooManyRejected
from tests.engine.counting import (
    HANGS,
    all_committed,
    committed,
    counted,
    counting_spec,
    prepare,
    publish,
    read_all,
    settings_for,
)

PROGRAM = Path(__file__).with_name("counting.py")


async def goes_on(settings: KafkaSettings, records: int) -> None:
    """A mended worker that is started again counts every record, each once."""
    worker = Worker(settings, [counting_spec()])
    task = asyncio.ensure_future(worker.run())
    await all_committed(settings, task)
    worker.stop()
    assert await task == 0
    assert len(counted(await read_all(settings, "counts"))) == records


@pytest.mark.parametrize(("error", "code"), [(ValueError("the text of a mention"), 1), (Fatal("cannot go on"), 1)])
async def test_an_error_in_a_stage_acknowledges_nothing(
    embedded_broker: str, error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The worker ends non-zero, commits nothing past the last checkpoint, and does not repeat a record's text."""
    run = f"error-{type(error).__name__.lower()}"
    settings = settings_for(embedded_broker, run)
    await prepare(settings)
    await publish(settings, 400)
    spec = counting_spec(fail_at=5, error=error)
    assert await run_worker(settings, [spec]) == code
    offsets, _ = await committed(settings, "numbers")
    assert sum(offsets.values()) == 0
    told = capsys.readouterr()
    assert "the text of a mention" not in told.out + told.err
    await goes_on(settings, 400)


async def test_a_record_over_the_limit_acknowledges_nothing(embedded_broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An output over the broker's limit ends the worker with its input still to be read."""

    class TooLarge(Counting):
        def process(self, records):  # type: ignore[no-untyped-def]
            return [Output("counts", b"k", b"x" * 2_000_000)]

    settings = settings_for(embedded_broker, "large")
    await prepare(settings)
    await publish(settings, 10)
    assert await run_worker(settings, [StageSpec("counting", "numbers", TooLarge)]) == 1
    assert sum((await committed(settings, "numbers"))[0].values()) == 0
    assert "over the limit" in "".join(capsys.readouterr())
    await goes_on(settings, 10)


async def test_a_failed_delivery_acknowledges_nothing(embedded_broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One batch that the broker refuses ends the worker, its input is still to be read, and the next worker goes on from there."""
    settings = settings_for(embedded_broker, "undelivered")
    await prepare(settings)
    await publish(settings, 200)
    worker = Worker(settings, [counting_spec()])
    delivered = worker.outbox._delivered

    def refused(topic: str, parcel: Any, future: asyncio.Future[Any]) -> None:
        failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        failed.set_exception(MessageSizeTooLargeError())
        delivered(topic, parcel, failed if topic == "counts" else future)

    monkeypatch.setattr(worker.outbox, "_delivered", refused)
    assert await worker.run() == 1
    assert isinstance(worker.error, DeliveryFailed)
    assert sum((await committed(settings, "numbers"))[0].values()) == 0
    await goes_on(settings, 200)


async def test_nearly_everything_refused_ends_the_worker(embedded_broker: str) -> None:
    """More refused records in a row than the limit ends the worker, and they stay unread."""

    class Refusing(Counting):
        def process(self, records):  # type: ignore[no-untyped-def]
            return [Output("numbers.rejected", record.key, record.value) for record in records]

    settings = settings_for(embedded_broker, "refused", rejected_run_limit=50)
    await prepare(settings)
    await publish(settings, 2_000)
    worker = Worker(settings, [StageSpec("counting", "numbers", Refusing)])
    assert await worker.run() == 1
    assert isinstance(worker.error, TooManyRejected)
    assert sum((await committed(settings, "numbers"))[0].values()) == 0


async def test_a_broker_that_goes_away_ends_the_worker() -> None:
    """A delivery that cannot be made within its deadline ends the worker non-zero."""
    broker = EmbeddedBroker().open()
    settings = settings_for(broker.bootstrap, "", send_timeout_seconds=2, stop_grace_seconds=4)
    await prepare(settings)
    ready = asyncio.Event()
    worker = Worker(settings, [counting_spec()], on_ready=ready.set, publish_positions=False)
    task = asyncio.ensure_future(worker.run())
    await ready.wait()
    broker.close()
    worker.outbox.send([Output("counts", b"k", b"v")])
    with pytest.raises(Fatal):
        await worker.outbox.confirmed()
    assert await task == 1


async def test_no_broker_is_exit_code_3() -> None:
    """Where no broker answers the worker ends with the code for that."""
    assert await run_worker(settings_for("127.0.0.1:1", ""), [counting_spec()]) == 3


async def test_input_deleted_before_it_was_read_is_told(embedded_broker: str) -> None:
    """A worker whose next record is gone from the log ends loudly instead of going on behind the hole."""
    if os.environ.get("VEILLE_TEST_BROKER"):
        pytest.skip("a real broker deletes by time; the embedded one by size")
    settings = settings_for(embedded_broker, "deleted", compression="none")
    await prepare(settings)
    await publish(settings, 100)
    worker = Worker(settings, [counting_spec()])
    task = asyncio.ensure_future(worker.run())
    await all_committed(settings, task)
    worker.stop()
    await task
    await publish(settings, 4_000, size=10_000)
    second = Worker(settings, [counting_spec()])
    assert await second.run() == 1
    assert type(second.error).__name__ == "LogGap"


async def test_lag_without_progress_ends_the_worker(embedded_broker: str) -> None:
    """A stage that never gets what it needs ends the worker with a word, instead of waiting for ever."""
    settings = settings_for(embedded_broker, "stalled", stall_seconds=1.5)
    await prepare(settings)
    await publish(settings, 100)
    worker = Worker(settings, [counting_spec(fail_at=0, error=NotYet("version 2 has not arrived"))])
    assert await worker.run() == 1
    assert type(worker.error).__name__ == "Stalled"


def start(broker: str, run: str, hang: str) -> subprocess.Popen[str]:
    """Run a worker as a program in which ``hang`` never returns."""
    environment = {**os.environ, "PYTHONPATH": str(PROGRAM.parents[2])}
    return subprocess.Popen([sys.executable, str(PROGRAM), broker, run, hang], env=environment, stderr=subprocess.PIPE, text=True)


async def test_a_stage_that_never_returns_is_ended_by_force(embedded_broker: str) -> None:
    """Where the event loop itself stands still, the process says so and ends."""
    settings = settings_for(embedded_broker, "hang")
    await prepare(settings)
    await publish(settings, 10)
    process = start(embedded_broker, "hang", "the stalled stage")
    _, told = await asyncio.to_thread(process.communicate)
    assert process.returncode == 1
    assert "stood still" in told


async def test_a_stop_ends_whatever_hangs(embedded_broker: str) -> None:
    """After SIGTERM the process is gone once the grace period is over: it got round what hangs, or says that it was ended by force."""

    async def stopped(hang: str) -> tuple[str, int, str]:
        run = "stop-" + hang.replace(" ", "-")
        settings = settings_for(embedded_broker, run)
        await prepare(settings)
        process = start(embedded_broker, run, hang)
        assert process.stderr is not None
        told = ""
        while '"ready"' not in told:
            told += await asyncio.to_thread(process.stderr.readline)
            assert process.poll() is None, told
        # A hanging stage has to be fed to hang, and a checkpoint needs something to save.
        await publish(settings, 300)
        await asyncio.sleep(1.0)
        process.terminate()
        told += (await asyncio.to_thread(process.communicate))[1]
        return hang, process.returncode, told

    for hang, code, told in await asyncio.gather(*map(stopped, [*HANGS, "the stage"])):
        forced = "ended by force" in told
        assert code == forced, f"{hang}: {told}"
        assert forced or hang != "the stage"


async def test_a_stop_before_the_start_is_over_ends_at_once(embedded_broker: str) -> None:
    """A worker that is told to stop while it still waits for its topics ends cleanly."""
    worker = Worker(settings_for(embedded_broker, "early"), [counting_spec()])
    worker.stop()
    assert await worker.run() == 0
