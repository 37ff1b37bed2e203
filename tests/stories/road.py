"""Walks the whole road for a story: a broker, a worker in a process of its own, a replay, and what lies in the topics after."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.cloudevents import type_of
from schemas.topics import load_topics
from streams.cli.child import worker_process
from streams.cli.demo import embedded_settings, environment
from streams.engine.positions import PositionsReader
from streams.engine.stage import Output
from streams.engine.topics import partition_counts
from streams.settings import Settings
from streams.sources.replay import replay


def story_settings(bootstrap: str, run: str, **engine: Any) -> Settings:
    """Return settings for topics of the story's own on the embedded broker."""
    found = embedded_settings(bootstrap)
    return found.model_copy(update={"run": run, "engine": found.engine.model_copy(update=engine)})


@contextmanager
def worker(settings: Settings, watchlist: Path, log: Path) -> Iterator[Popen[bytes]]:
    """A worker process that ends with the context, whatever happens; its topics are made first, as a person would."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, partition_counts(settings, list(load_topics()))).result()
    with worker_process(environment(settings, watchlist) | {"VEILLE_RUN": settings.run}, log) as process:
        yield process


async def send(settings: Settings, raw: Iterable[Output], progress: Callable[[Any], None] | None = None) -> None:
    """Replay ``raw`` as fast as the worker reads, and return when the stages have caught up with the last signal watermark."""
    await partition_counts(settings, list(load_topics()))
    async with PositionsReader(settings) as positions:
        await replay(settings, raw, positions=positions, need_reader=True, progress=progress)


async def read_all(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """Return everything that lies in a topic, partition by partition."""
    name = settings.topic(topic)
    counts = await partition_counts(settings, [topic])
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(name, partition) for partition in range(counts[topic])]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found: dict[TopicPartition, list[ConsumerRecord]] = {place: [] for place in places}
        while [place for place in places if await consumer.position(place) < ends[place]]:
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                found[place] += records
        return [record for place in places for record in found[place]]
    finally:
        await consumer.stop()


async def finished(settings: Settings, end_ms: int, process: Popen[bytes]) -> None:
    """Wait until every partition of brand.signals has a watermark from ``end_ms`` on and the crisis stage has committed it."""
    counts = await partition_counts(settings, ["brand.signals"])
    while process.poll() is None:
        ends: dict[int, int] = {}
        marks: dict[int, int] = {}
        for record in await read_all(settings, "brand.signals"):
            ends[record.partition] = record.offset + 1
            if type_of(record.headers) == b"veille.watermark":
                marks[record.partition] = max(marks.get(record.partition, 0), json.loads(record.value)["time_ms"])
        done = len(marks) == counts["brand.signals"] and min(marks.values()) >= end_ms
        if done and await _committed(settings, ends):
            return
        await asyncio.sleep(0.3)
    raise AssertionError(f"the worker ended with exit code {process.returncode}")


async def _committed(settings: Settings, ends: dict[int, int]) -> bool:
    client = AIOKafkaConsumer(bootstrap_servers=settings.broker, group_id=settings.group_id, enable_auto_commit=False)
    await client.start()
    try:
        topic = settings.topic("brand.signals")
        committed = [await client.committed(TopicPartition(topic, partition)) or 0 for partition in ends]
        return all(have >= end for have, end in zip(committed, ends.values(), strict=True))
    finally:
        await client.stop()


def once(records: Iterable[ConsumerRecord]) -> list[tuple[bytes | None, tuple[tuple[str, bytes], ...], bytes | None]]:
    """Return (key, headers, value) of records, second deliveries (equal ``ce_id``) removed, ordered by key and place."""
    seen: set[bytes] = set()
    found = []
    for record in records:
        identity = next(value for name, value in record.headers if name == "ce_id")
        if identity not in seen:
            seen.add(identity)
            found.append((record.key, tuple(record.headers), record.value))
    return sorted(found, key=lambda item: item[0] or b"")
