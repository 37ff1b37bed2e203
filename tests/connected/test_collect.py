"""The collector's way to a real Kafka that restarts: what was handed over is there, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import json

import pytest

from infra.kafka import KafkaCluster
from streams.engine.stage import Output
from streams.engine.topics import TopicPlan, ensure_topics
from streams.settings import Settings
from streams.sources.live.outlet import KafkaOutlet
from streams.sources.plan import TOPIC, clock_record
from tests.stories.road import read_all

pytestmark = pytest.mark.connected


@pytest.mark.parametrize("hard", [False, True], ids=["stopped", "killed"])
async def test_an_outage_loses_nothing(hard: bool) -> None:
    """Each publish that returned is on the broker, in the order in which it was made, before, across and after a restart."""
    with KafkaCluster() as cluster:
        settings = Settings(_env_file=None, broker=cluster.bootstrap)
        await ensure_topics(settings, {TOPIC: TopicPlan(partitions=2)})
        returned: list[int] = []
        over = asyncio.Event()

        async with KafkaOutlet(settings) as outlet:

            async def publish() -> None:
                while not over.is_set():
                    number = len(returned)
                    clock = clock_record(1_790_000_000_000 + number, "one")
                    await outlet.publish([Output(TOPIC, b"k", json.dumps(number).encode()), clock])
                    returned.append(number)
                    await asyncio.sleep(0.01)

            publishing = asyncio.create_task(publish())
            while len(returned) < 20:
                await asyncio.sleep(0.05)
            before = len(returned)
            await asyncio.to_thread(cluster.restart, hard=hard)
            while len(returned) < before + 50:
                assert not publishing.done()
                await asyncio.sleep(0.05)
            over.set()
            await publishing
            assert not outlet.away
        found = [json.loads(record.value) for record in await read_all(settings, TOPIC) if record.key]
    once = list(dict.fromkeys(found))
    assert once == returned
