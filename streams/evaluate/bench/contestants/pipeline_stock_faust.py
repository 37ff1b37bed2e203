"""The same stages record by record in stock Faust: two agents, one event at a time."""

from __future__ import annotations

import asyncio
import os
import tempfile
from typing import Any

import faust

from streams.engine.stage import InputRecord, Output
from streams.evaluate.bench.contestants.road import Road
from streams.evaluate.bench.contestants.work import job


def _record(message: Any) -> InputRecord:
    headers = message.headers.items() if isinstance(message.headers, dict) else message.headers
    return InputRecord(message.offset, round(message.timestamp * 1000), message.key, message.value, list(headers))


async def _main(folder: str) -> None:
    todo = job()
    road = Road(todo)
    road.open()
    ended = asyncio.Event()
    road.on_end = ended.set
    app = faust.App(
        road.settings.group_id, broker=f"kafka://{todo['broker'].split(',')[0]}", store="memory://", datadir=folder, autodiscover=False,
        web_enabled=False, topic_disable_leader=True, topic_allow_declare=False, stream_wait_empty=False,
        stream_buffer_maxsize=16_384, broker_max_poll_records=10_000, broker_commit_every=100_000, broker_commit_interval=5.0,
        consumer_auto_offset_reset="earliest", producer_linger=0.02, producer_max_batch_size=262_144, producer_compression_type="zstd",
        value_serializer="raw", key_serializer="raw",
    )  # fmt: skip
    topics = {
        name: app.topic(road.settings.topic(name), value_type=bytes, key_type=bytes, value_serializer="raw", key_serializer="raw")
        for name in ("mentions.raw", "mentions.enriched", "brand.signals")
    }

    async def send(output: Output) -> None:
        topic = topics.get(output.topic)
        if topic is not None:
            for place in road.places(output):
                await topic.send(key=output.key, value=output.value, headers=list(output.headers), partition=place)

    async def enrich(stream: faust.StreamT[bytes]) -> None:
        async for event in stream.events():
            message = event.message
            for output in road.apply("enrich", message.partition, (_record(message),)):
                await send(output)
            for output in road.pulse("enrich", now=road.ends_raw(message.partition)):
                await send(output)

    async def detect(stream: faust.StreamT[bytes]) -> None:
        async for event in stream.events():
            message = event.message
            for output in road.apply("detect", message.partition, (_record(message),)):
                await send(output)
            for output in road.pulse("detect"):
                await send(output)

    app.agent(topics["mentions.raw"], name="enrich")(enrich)
    app.agent(topics["mentions.enriched"], name="detect")(detect)
    await app.start()
    await ended.wait()
    await app.consumer.force_commit()
    road.finish()
    await asyncio.wait({asyncio.ensure_future(app.stop())}, timeout=5)
    os._exit(0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as _folder:
        asyncio.run(_main(_folder))
