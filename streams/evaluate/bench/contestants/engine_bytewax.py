"""Bytewax: a Kafka source read in batches, a batch step, and its recovery store, which is how it remembers offsets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import cluster_main

from streams.evaluate.bench.contestants.work import Tally, decode, job


class _Nowhere(StatelessSinkPartition[Any]):  # type: ignore[misc]
    def write_batch(self, items: list[Any]) -> None: ...


class _Drop(DynamicSink[Any]):  # type: ignore[misc]
    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Nowhere:
        return _Nowhere()


def _main(folder: str) -> None:
    todo = job()
    tally = Tally(todo["records"])
    counts = tally.counts

    def count(messages: list[Any]) -> Iterable[Any]:
        tally.begin()
        for message in messages:
            decode(message.value)
            counts[message.key] = counts.get(message.key, 0) + 1
        tally.done += len(messages)
        if tally.complete:
            tally.end()
        return ()

    flow = Dataflow("bench")
    source: KafkaSource[Any] = KafkaSource(
        todo["broker"].split(","), [todo["topic"]], tail=False, batch_size=10_000,
        add_config={"queued.min.messages": "200000"},
    )  # fmt: skip
    stream = op.input("read", flow, source)
    op.output("drop", op.flat_map_batch("count", stream, count), _Drop())
    init_db_dir(Path(folder), 1)
    cluster_main(flow, [], 0, epoch_interval=timedelta(seconds=5), recovery_config=RecoveryConfig(folder))
    tally.finish()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as _folder:
        _main(_folder)
