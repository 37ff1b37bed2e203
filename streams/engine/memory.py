"""Runs stages over logs in memory, without Kafka: the same specs as the live worker, in one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from streams.engine.partitioning import partition_of
from streams.engine.stage import ALL_PARTITIONS, InputRecord, Output, PartitionStage, StageSpec

#: Called with topic, partition and record for everything that is sent.
Tap = Callable[[str, int, InputRecord], None]


class MemoryRunner:
    """Feeds every `StageSpec` from logs that it holds only until they are read.

    ``partitions`` gives the partition count of each topic that a spec reads or that `Output` names by key;
    ``timestamp_ms`` stands for the wall time at which Kafka would have received the records.
    """

    def __init__(self, specs: Sequence[StageSpec], partitions: Mapping[str, int], *, timestamp_ms: int, tap: Tap | None = None) -> None:
        self._specs = list(specs)
        self._partitions = dict(partitions)
        self._timestamp_ms = timestamp_ms
        self._tap = tap
        self._next_offset: dict[tuple[str, int], int] = {}
        self._pending: dict[tuple[str, int], list[InputRecord]] = {}
        self._readers: dict[str, list[str]] = {}
        for spec in self._specs:
            self._readers.setdefault(spec.input_topic, []).append(spec.name)
        self.stages: dict[str, dict[int, PartitionStage]] = {}
        for spec in self._specs:
            self.stages[spec.name] = {p: spec.make(p) for p in range(self._partitions[spec.input_topic])}
            for stage in self.stages[spec.name].values():
                stage.restore({}, None)

    def send(self, outputs: Iterable[Output]) -> None:
        """Append records to their logs."""
        for output in outputs:
            count = self._partitions.get(output.topic, 1)
            if output.partition == ALL_PARTITIONS:
                for partition in range(count):
                    self._append(output, partition)
            elif output.partition is not None:
                self._append(output, output.partition)
            else:
                self._append(output, partition_of(output.key or b"", count))

    def _append(self, output: Output, partition: int) -> None:
        place = (output.topic, partition)
        offset = self._next_offset.get(place, 0)
        self._next_offset[place] = offset + 1
        record = InputRecord(offset, self._timestamp_ms, output.key, output.value, output.headers)
        if self._tap is not None:
            self._tap(output.topic, partition, record)
        for stage in self._readers.get(output.topic, ()):
            self._pending.setdefault((stage, partition), []).append(record)

    def drain(self) -> None:
        """Run every stage until nothing is left to read and no stage has news of its progress."""
        busy = True
        while busy:
            busy = False
            for spec in self._specs:
                for partition, stage in self.stages[spec.name].items():
                    records = self._pending.pop((spec.name, partition), None)
                    if records:
                        busy = True
                        self.send(list(stage.process(records)))
                if spec.pulse is not None:
                    news = list(spec.pulse(self.stages[spec.name]))
                    if news:
                        busy = True
                        self.send(news)
