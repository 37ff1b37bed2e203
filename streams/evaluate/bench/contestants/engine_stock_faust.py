"""Stock Faust: one agent, one event at a time, raw values, its own offset tracking and commits."""

from __future__ import annotations

import asyncio
import os
import tempfile

import faust

from streams.evaluate.bench.contestants.work import Tally, job


async def _main(folder: str) -> None:
    todo = job()
    tally = Tally(todo["records"])
    app = faust.App(
        todo["group"], broker=f"kafka://{todo['broker'].split(',')[0]}", store="memory://", datadir=folder, autodiscover=False,
        web_enabled=False, topic_disable_leader=True, topic_allow_declare=False, stream_wait_empty=False,
        stream_buffer_maxsize=16_384, broker_max_poll_records=10_000, broker_commit_every=100_000, broker_commit_interval=5.0,
        consumer_auto_offset_reset="earliest", value_serializer="raw", key_serializer="raw",
    )  # fmt: skip
    finished = asyncio.Event()
    topic = app.topic(todo["topic"], value_type=bytes, key_type=bytes, value_serializer="raw", key_serializer="raw")

    async def count(stream: faust.StreamT[bytes]) -> None:
        async for event in stream.events():
            tally.begin()
            tally.one(event.key, event.value)
            if tally.complete:
                finished.set()

    app.agent(topic)(count)
    await app.start()
    await finished.wait()
    await asyncio.sleep(0)
    await app.consumer.force_commit()
    tally.finish()
    # Its stop does not always come back; the result is out by now.
    await asyncio.wait({asyncio.ensure_future(app.stop())}, timeout=5)
    os._exit(0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as _folder:
        asyncio.run(_main(_folder))
