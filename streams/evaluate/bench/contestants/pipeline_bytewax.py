"""The same stages in Bytewax, in batches: one dataflow with two Kafka sources, and its recovery store."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import cluster_main
from confluent_kafka import Producer

from streams.engine.stage import InputRecord, Output
from streams.evaluate.bench.contestants.road import Road
from streams.evaluate.bench.contestants.work import job


class _Sink(StatelessSinkPartition[Any]):  # type: ignore[misc]
    def __init__(self, road: Road, producer: Any) -> None:
        self._road = road
        self._producer = producer

    def write_batch(self, items: list[Output]) -> None:
        for output in items:
            topic = self._road.settings.topic(output.topic)
            for place in self._road.places(output):
                self._producer.produce(topic, output.value, output.key, place, headers=list(output.headers))
        self._producer.poll(0)


class _Out(DynamicSink[Any]):  # type: ignore[misc]
    """The stock Kafka sink chooses no partitions, and watermarks go to each."""

    def __init__(self, road: Road, producer: Any) -> None:
        self._road = road
        self._producer = producer

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Sink:
        return _Sink(self._road, self._producer)


def _main(folder: str) -> None:
    todo = job()
    road = Road(todo)
    road.open()
    producer = Producer(
        {
            "bootstrap.servers": todo["broker"], "linger.ms": 20, "batch.size": 262_144, "compression.type": "lz4",
            "queue.buffering.max.messages": 1_000_000,
        }
    )  # fmt: skip

    def end() -> None:
        producer.flush()
        road.finish()
        os._exit(0)

    road.on_end = end

    def step(name: str) -> Any:
        def run(messages: list[Any]) -> Iterable[Output]:
            found: list[Output] = []
            for partition, group in groupby(messages, key=lambda message: message.partition):
                records = [InputRecord(m.offset, m.timestamp[1], m.key, m.value, m.headers or ()) for m in group]
                found += road.apply(name, partition, records)
                found += road.pulse(name, now=name == "enrich" and road.ends_raw(partition))
            return found

        return run

    flow = Dataflow("road")
    for name, topic in (("enrich", road.raw), ("detect", road.enriched)):
        source: KafkaSource[Any] = KafkaSource(
            todo["broker"].split(","), [topic], batch_size=2_000, add_config={"queued.min.messages": "200000"}
        )
        stream = op.input(f"read-{name}", flow, source)
        op.output(f"write-{name}", op.flat_map_batch(name, stream, step(name)), _Out(road, producer))
    init_db_dir(Path(folder), 1)
    cluster_main(flow, [], 0, epoch_interval=timedelta(seconds=5), recovery_config=RecoveryConfig(folder))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as _folder:
        _main(_folder)
