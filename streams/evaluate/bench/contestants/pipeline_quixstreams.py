"""The same stages record by record in Quix Streams: two streaming data frames in one application."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from typing import Any

from quixstreams import Application, message_context
from quixstreams.models import BytesDeserializer

from streams.engine.stage import InputRecord, Output
from streams.evaluate.bench.contestants.road import Road
from streams.evaluate.bench.contestants.work import job


def _main(folder: str) -> None:
    todo = job()
    road = Road(todo)
    road.open()
    app = Application(
        broker_address=todo["broker"], consumer_group=road.settings.group_id, auto_offset_reset="earliest", state_dir=folder,
        commit_interval=5.0, auto_create_topics=False, consumer_extra_config={"queued.min.messages": 200_000},
        producer_extra_config={"linger.ms": 20, "batch.size": 262_144, "compression.type": "lz4"}, loglevel="ERROR",
    )  # fmt: skip
    producer = app.get_producer()

    def end() -> None:
        producer.flush()
        road.finish()
        os._exit(0)

    road.on_end = end

    def send(outputs: Iterable[Output]) -> None:
        for output in outputs:
            topic = road.settings.topic(output.topic)
            for place in road.places(output):
                producer.produce(topic, output.value, output.key, list(output.headers), place)

    def step(name: str) -> Any:
        def run(value: bytes, key: Any, timestamp: int, headers: Any) -> None:
            context = message_context()
            partition = context.partition
            record = InputRecord(context.offset, timestamp, key, value, headers or ())
            send(road.apply(name, partition, (record,)))
            send(road.pulse(name, now=name == "enrich" and road.ends_raw(partition)))

        return run

    for name, topic in (("enrich", road.raw), ("detect", road.enriched)):
        source = app.topic(topic, key_deserializer=BytesDeserializer(), value_deserializer=BytesDeserializer())
        app.dataframe(source).update(step(name), metadata=True)
    app.run()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as _folder:
        _main(_folder)
