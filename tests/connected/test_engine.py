"""The engine on a real Kafka, where the embedded broker cannot follow: a broker that hangs or refuses, partition counts that changed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.kafka import KafkaCluster
from streams.engine.topics import TopicPlan, ensure_topics
from streams.engine.worker import Worker
from streams.errors import BadInput, DeliveryFailed
from tests.engine.counting import all_committed, committed, counted, counting_spec, prepare, publish, read_all, settings_for

pytestmark = pytest.mark.connected

PROGRAM = Path(__file__).parents[1] / "engine" / "counting.py"


async def test_a_record_over_the_topics_limit_acknowledges_nothing(kafka: KafkaCluster) -> None:
    """What the broker refuses ends the worker; with the limit mended the next one goes on from there."""
    settings = settings_for(kafka.bootstrap, "toolarge", compression="none")
    await ensure_topics(settings, {"numbers": TopicPlan(4), "counts": TopicPlan(4, config={"max.message.bytes": "200"})})
    await publish(settings, 400)
    worker = Worker(settings, [counting_spec()])
    assert await worker.run() == 1
    assert isinstance(worker.error, DeliveryFailed)
    assert sum((await committed(settings, "numbers"))[0].values()) == 0
    from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

    entry = ConfigEntry("max.message.bytes", "1000000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, settings.topic("counts"), incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})  # it must outlive its futures
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(30)
    second = Worker(settings, [counting_spec()])
    task = asyncio.ensure_future(second.run())
    await all_committed(settings, task)
    second.stop()
    assert await task == 0
    assert len(counted(await read_all(settings, "counts"))) == 400


async def test_a_change_of_partition_counts_is_refused(kafka: KafkaCluster) -> None:
    """A changelog with fewer partitions than the input would leave states behind: the worker says so and does not start."""
    settings = settings_for(kafka.bootstrap, "recount")
    await prepare(settings)
    await ensure_topics(settings, {"veille-counting-changelog": TopicPlan(2)})
    worker = Worker(settings, [counting_spec()])
    assert await worker.run() == 4
    assert isinstance(worker.error, BadInput)
    assert "needs a rebuild" in str(worker.error)


@pytest.fixture
def lonely() -> Iterator[KafkaCluster]:
    """A broker of the test's own, that it may freeze."""
    with KafkaCluster() as cluster:
        yield cluster


async def test_a_broker_that_hangs_makes_not_ready(lonely: KafkaCluster) -> None:
    """While the broker is frozen `ready` is false; thawed it is true again, and everything goes on."""
    settings = settings_for(lonely.bootstrap, "frozen", session_timeout_seconds=30)
    await prepare(settings)
    await publish(settings, 500)
    worker = Worker(settings, [counting_spec()])
    task = asyncio.ensure_future(worker.run())
    await all_committed(settings, task)
    assert worker.ready
    for number, expected in ((signal.SIGSTOP, False), (signal.SIGCONT, True)):
        lonely.brokers[0].signal(number)
        while worker.ready is not expected:
            assert not task.done()
            await asyncio.sleep(0.2)
    worker.stop()
    assert await task == 0


async def test_a_stop_ends_though_the_broker_hangs(lonely: KafkaCluster) -> None:
    """SIGTERM ends a worker whose broker is frozen; what it could not save is read again once the broker is back."""
    settings = settings_for(lonely.bootstrap, "stuck")
    await prepare(settings)
    environment = {**os.environ, "PYTHONPATH": str(PROGRAM.parents[2])}
    command = [sys.executable, str(PROGRAM), lonely.bootstrap, "stuck"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while '"ready"' not in await asyncio.to_thread(process.stderr.readline):
            assert process.poll() is None
        await publish(settings, 500)
        lonely.brokers[0].signal(signal.SIGSTOP)
        process.terminate()
        await asyncio.to_thread(process.communicate)
    lonely.brokers[0].signal(signal.SIGCONT)
    worker = Worker(settings, [counting_spec()])
    task = asyncio.ensure_future(worker.run())
    await all_committed(settings, task)
    worker.stop()
    assert await task == 0
    assert len(counted(await read_all(settings, "counts"))) == 500
