"""The road that all contestants of ``pipeline`` take: the real stages enrich and detect, fed by whoever has the records."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from streams.engine.partitioning import partition_of
from streams.engine.stage import ALL_PARTITIONS, Output, PartitionStage, Record, StageSpec
from streams.enrich.watchlist import Watchlists
from streams.evaluate.bench.traffic import PARTITIONS, Traffic
from streams.settings import Settings
from streams.topology import build_specs


class Road:
    """Holds the specs, measures what the stages take, and knows when everything was applied.

    ``job``: ``run`` (prefix of the topics), ``traffic``, ``end_ms`` (the last clock), ``mentions``.
    """

    def __init__(self, job: dict[str, Any], **settings: Any) -> None:
        self.job = job
        self.settings = Settings(broker=job["broker"], run=job["run"], stages="enrich,detect", _env_file=None, **settings)
        watchlists = Watchlists()
        watchlist = msgspec.convert(job["traffic"], Traffic).watchlist()
        watchlists.add(watchlist)
        self.raw = self.settings.topic("mentions.raw")
        self.enriched = self.settings.topic("mentions.enriched")
        self.on_end: Callable[[], None] = lambda: None
        self.seconds = {"enrich": 0.0, "detect": 0.0}
        self.began = 0.0
        self.ended = 0.0
        self._cpu = 0.0
        self._unfinished: dict[int, None] = {}
        counts = {"mentions.raw": PARTITIONS}
        specs = build_specs(self.settings, watchlists, counts, version=watchlist.version)
        self.specs = [replace(spec, make=self._measured(spec)) for spec in specs]
        self._stages: dict[str, dict[int, PartitionStage]] = {"enrich": {}, "detect": {}}
        self._pulse_at = {"enrich": 0.0, "detect": 0.0}

    def _measured(self, spec: StageSpec) -> Callable[[int], PartitionStage]:
        # CPU time of this thread: what others take of a shared machine is no cost of the stage's.
        clock = time.thread_time

        def make(partition: int) -> PartitionStage:
            stage: Any = spec.make(partition)
            process = stage.process
            if spec.name == "detect":
                self._unfinished[partition] = None

            def measured(records: Sequence[Record]) -> Iterable[Output]:
                before = clock()
                if not self.began:
                    self.began = time.perf_counter()
                    self._cpu = _cpu()
                found = list(process(records))
                self.seconds[spec.name] += clock() - before
                if spec.name == "detect" and partition in self._unfinished and (stage.watermark or 0) >= self.job["end_ms"]:
                    del self._unfinished[partition]
                    if not self._unfinished:
                        self.on_end()
                return found

            stage.process = measured
            made: PartitionStage = stage
            return made

        return make

    # For contestants without our engine: stages by partition, and the watermarks that go with them.

    def open(self) -> None:
        """Make the stages of all partitions, at their start."""
        for spec in self.specs:
            for partition in range(PARTITIONS):
                stage = spec.make(partition)
                stage.restore({}, None)
                self._stages[spec.name][partition] = stage

    def apply(self, name: str, partition: int, records: Sequence[Record]) -> Iterable[Output]:
        """Return what the stage says to ``records``."""
        return self._stages[name][partition].process(records)

    def pulse(self, name: str, *, now: bool = False) -> Iterable[Output]:
        """Return watermark records where the stage's pulse is due."""
        spec = next(spec for spec in self.specs if spec.name == name)
        moment = time.monotonic()
        if spec.pulse is None or (not now and moment < self._pulse_at[name]):
            return ()
        self._pulse_at[name] = moment + spec.pulse_seconds
        return spec.pulse(self._stages[name])

    def ends_raw(self, partition: int) -> bool:
        """Whether enrich has seen the last clock of ``partition``."""
        stage: Any = self._stages["enrich"][partition]
        return bool((stage.watermark or 0) >= self.job["end_ms"])

    def places(self, output: Output) -> Iterable[int]:
        """Return the partitions that ``output`` goes to."""
        if output.partition == ALL_PARTITIONS:
            return range(PARTITIONS)
        return (partition_of(output.key or b"", PARTITIONS),) if output.partition is None else (output.partition,)

    def finish(self) -> None:
        """Print the result."""
        ended = time.perf_counter()
        found = {
            "records": self.job["mentions"], "seconds": ended - self.began, "cpu_seconds": _cpu() - self._cpu, "stages": self.seconds,
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1), "began": self.began, "ended": ended,
        }  # fmt: skip
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
