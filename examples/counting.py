"""The engine without mentions: how often was each key seen, counted once through `kill -9`, rebalances and second deliveries.

``python -m examples.counting BROKER`` reads the topic ``numbers`` and tells each count on ``counts``; both are made where they are missing.
Run as many as you like: they share the partitions.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence

from streams.engine.settings import KafkaSettings
from streams.engine.stage import Checkpoint, Output, Record, StageSpec, StateRecord
from streams.engine.topics import TopicPlan, ensure_topics
from streams.engine.worker import run_worker
from streams.errors import VeilleError


class Counting:
    """The stage of one partition. State of a key: how often it was seen, and the offset after the last record that was counted."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.counts: dict[bytes, int] = {}
        self.progress: dict[bytes, int] = {}
        self.dirty: dict[bytes, None] = {}

    def restore(self, states: Mapping[bytes, bytes], cut: bytes | None) -> None:
        """Take over saved counts; each carries how far it is computed, since some may be ahead of the cut."""
        for key, value in states.items():
            count, progress = value.split(b"/")
            self.counts[key], self.progress[key] = int(count), int(progress)

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        """Count what was not counted yet. Each count is told with the place of its record: who reads it twice sees the same."""
        outputs = []
        for record in records:
            key = record.key or b""
            if record.offset < self.progress.get(key, 0):
                continue
            self.counts[key] = self.counts.get(key, 0) + 1
            self.progress[key] = record.offset + 1
            self.dirty[key] = None
            outputs.append(Output("counts", key, b"%d-%d %d" % (self.partition, record.offset, self.counts[key])))
        return outputs

    def checkpoint(self, next_offset: int, *, full: bool = False) -> Checkpoint:
        """Return the changed counts."""
        keys, self.dirty = list(self.counts if full else self.dirty), {}
        states = [StateRecord(key, self.progress[key], b"%d/%d" % (self.counts[key], self.progress[key])) for key in keys]
        return Checkpoint(states, b"%d" % next_offset, next_offset)


async def _main(broker: str) -> int:
    settings = KafkaSettings(broker=broker, group="counting")
    await ensure_topics(settings, {"numbers": TopicPlan(4), "counts": TopicPlan(4)})
    return await run_worker(settings, [StageSpec("counting", "numbers", Counting)])


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.stderr.write("usage: python -m examples.counting BROKER   (host:port)\n")
        raise SystemExit(2)
    try:
        raise SystemExit(asyncio.run(_main(sys.argv[1])))
    except VeilleError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(error.exit_code) from None
