"""The stage functions on lists in memory: what the road costs without any broker."""

from __future__ import annotations

import gc
from itertools import islice

import msgspec

from streams.engine.stage import InputRecord, Output
from streams.evaluate.bench.contestants.road import Road
from streams.evaluate.bench.contestants.work import job
from streams.evaluate.bench.traffic import PARTITIONS, Traffic, spread_out

_CHUNK = 8000


def _main() -> None:
    todo = job()
    road = Road(todo)
    ended = []
    road.on_end = lambda: ended.append(True)
    road.open()
    raw: list[list[InputRecord]] = [[] for _ in range(PARTITIONS)]
    chunks = []
    source = spread_out(msgspec.convert(todo["traffic"], Traffic).raw())
    # The log's arrival time: any moment after all mentions.
    arrival = todo["end_ms"] + 1
    offsets = [0] * PARTITIONS
    while piece := list(islice(source, _CHUNK)):
        raw = [[] for _ in range(PARTITIONS)]
        for key, value, place, headers in piece:
            assert place is not None
            raw[place].append(InputRecord(offsets[place], arrival, key, value, headers))
            offsets[place] += 1
        chunks.append(raw)
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    positions = [0] * PARTITIONS
    for raw in chunks:
        outputs: list[Output] = []
        for partition, records in enumerate(raw):
            outputs += road.apply("enrich", partition, records)
        outputs += road.pulse("enrich", now=True)
        enriched: list[list[InputRecord]] = [[] for _ in range(PARTITIONS)]
        for output in outputs:
            if output.topic == "mentions.enriched":
                for place in road.places(output):
                    enriched[place].append(InputRecord(positions[place], arrival, output.key, output.value, output.headers))
                    positions[place] += 1
        for partition, records in enumerate(enriched):
            road.apply("detect", partition, records)
    if not ended:
        raise SystemExit("the last watermark was not reached")
    road.finish()


if __name__ == "__main__":
    _main()
