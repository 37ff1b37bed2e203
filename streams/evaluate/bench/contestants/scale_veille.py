"""One of several of Veille's workers in a group: each ends when every partition of the group was applied to the last clock."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams import logs
from streams.engine.worker import Worker
from streams.evaluate.bench.contestants.road import Road
from streams.evaluate.bench.contestants.work import job
from streams.evaluate.bench.traffic import PARTITIONS


async def _wait_for_group(road: Road) -> None:
    """Return when the group has committed the ends of both inputs: its own partitions do not tell a worker about the others'."""
    consumer = AIOKafkaConsumer(bootstrap_servers=road.settings.broker, group_id=road.settings.group_id, enable_auto_commit=False)
    async with consumer:
        places = [TopicPartition(topic, number) for topic in (road.raw, road.enriched) for number in range(PARTITIONS)]
        consumer.assign(places)
        calm = 0
        while calm < 3:
            ends = await consumer.end_offsets(places)
            done = [(await consumer.committed(place)) or 0 for place in places]
            calm = calm + 1 if sum(done) and all(ends[p] == d for p, d in zip(places, done, strict=True)) else 0
            await asyncio.sleep(0.25)


async def _main() -> None:
    todo = job()
    logs.configure("ERROR", json=True)
    road = Road(todo, worker_clock=False, engine={"checkpoint_seconds": 1.0})
    worker = Worker(road.settings, road.specs, publish_positions=False)
    running = asyncio.ensure_future(worker.run())
    waiting = asyncio.ensure_future(_wait_for_group(road))
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    road.finish()
    waiting.cancel()
    worker.stop()
    raise SystemExit(await running)


if __name__ == "__main__":
    asyncio.run(_main())
