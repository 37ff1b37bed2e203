"""One contract for all stages: cuts, restarts, second deliveries and garbage change nothing that a consumer can see."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest

import pytest

from streams.backtest.run import partition_counts
from streams.engine.memory import MemoryRunner
from streams.engine.stage import Checkpoint, InputRecord, Output, PartitionStage, StageSpec
from streams.enrich.watchlist import Watchlists, parse_watchlist
from streams.settings import Settings
from streams.simulate import simulate
from streams.sources.plan import plan
from streams.topology import build_specs

WALL_MS = 1_780_000_000_000
NAMES = ("enrich", "detect", "commands", "crisis", "evidence", "respond")
TYPES = (
    "veille.clock",
    "veille.enriched",
    "veille.watermarks",
    "veille.signal",
    "veille.watermark",
    "veille.crisis.opened",
    "veille.command",
)

Road = tuple[dict[str, StageSpec], dict[str, dict[int, list[InputRecord]]]]
Seen = dict[tuple[str, bytes], tuple[bytes | None, bytes | None]]


@pytest.fixture(scope="module")
def road() -> Road:
    """All stages, and what lay in each topic after a simulated run with crises in it."""
    made = simulate(3, days=2)
    watchlists = Watchlists()
    watchlists.add(parse_watchlist(made.watchlist_yaml(), "simulated"))
    settings = Settings(_env_file=None, worker_clock=False)
    counts = partition_counts(settings)
    logs: dict[str, dict[int, list[InputRecord]]] = defaultdict(lambda: defaultdict(list))
    specs = build_specs(settings, watchlists, counts)
    runner = MemoryRunner(specs, counts, timestamp_ms=WALL_MS, tap=lambda topic, p, record: logs[topic][p].append(record))
    runner.send(plan(made.rows(), counts["mentions.raw"], 6))
    runner.drain()
    return {spec.name: spec for spec in specs}, logs


def _busiest(road: Road, name: str) -> tuple[StageSpec, int, list[InputRecord]]:
    specs, logs = road
    spec = specs[name]
    if spec.input_topic not in logs:  # nobody gave a command in the simulation
        command = b'{"id":"c%d","command":"note","brand":"kestrane","by":"somebody","at_ms":1}'
        return spec, 0, [InputRecord(n, WALL_MS, b"kestrane", command % n) for n in range(20)]
    partition, log = max(logs[spec.input_topic].items(), key=lambda item: sum(len(record.value or b"") for record in item[1]))
    return spec, partition, log


def _started(spec: StageSpec, partition: int, saved: Checkpoint | None = None) -> PartitionStage:
    stage = spec.make(partition)
    stage.restore(
        {state.key: state.value for state in saved.states if state.value is not None} if saved else {}, saved.cut if saved else None
    )
    return stage


def _once(outputs: Iterable[Output]) -> Seen:
    """Outputs by topic and ``ce_id`` (a refused record: by where it came from)."""
    found: Seen = {}
    for output in outputs:
        headers = dict(output.headers)
        identity = headers.get("ce_id") or headers["__connect.errors.offset"]
        assert found.setdefault((output.topic, identity), (output.key, output.value)) == (output.key, output.value), "one id, two contents"
    return found


def _differing(found: Sequence[Output], whole: Sequence[Output]) -> list[tuple[Output | None, Output | None]]:
    """The first pairs that differ: a diff of both whole lists takes minutes where pytest does not cut it short."""
    return [pair for pair in zip_longest(found, whole) if pair[0] != pair[1]][:2]


def _differing_ids(found: Seen, whole: Seen) -> list[tuple[str, bytes]]:
    return [identity for identity in found.keys() | whole.keys() if found.get(identity) != whole.get(identity)][:5]


def _pieces(records: Sequence[InputRecord], draw: random.Random) -> Iterable[Sequence[InputRecord]]:
    begin = 0
    while begin < len(records):
        end = begin + draw.randrange(1, 700)
        yield records[begin:end]
        begin = end


@pytest.mark.parametrize("name", NAMES)
def test_cuts_into_batches_change_nothing(road: Road, name: str) -> None:
    """However the log is cut, the outputs and their order are the same."""
    spec, partition, log = _busiest(road, name)
    whole = list(_started(spec, partition).process(log))
    stage = _started(spec, partition)
    found = [output for piece in _pieces(log, random.Random(1)) for output in stage.process(piece)]
    assert _differing(found, whole) == []
    assert whole, "nothing would be compared"


@pytest.mark.parametrize("name", NAMES)
def test_restarts_and_second_deliveries_change_nothing(road: Road, name: str) -> None:
    """Saved, loaded and read on from the committed offset, three times: after equal ids are removed nothing differs."""
    spec, partition, log = _busiest(road, name)
    whole = _once(_started(spec, partition).process(log))
    draw = random.Random(2)
    outputs: list[Output] = []
    stage, at = _started(spec, partition), 0
    for stop in sorted(draw.sample(range(len(log)), 3)):
        outputs += stage.process(log[at:stop]) if stop > at else []
        saved = stage.checkpoint(log[stop].offset, full=True)
        # What came after the checkpoint is sent, and then the worker dies.
        outputs += stage.process(log[stop : stop + draw.randrange(50)])
        stage, at = _started(spec, partition, saved), saved.commit - log[0].offset
        assert at <= stop
    outputs += stage.process(log[at:])
    assert _differing_ids(_once(outputs), whole) == []


@pytest.mark.parametrize("name", NAMES)
def test_garbage_stops_nothing(road: Road, name: str) -> None:
    """Bytes that are no record of ours raise nothing, and what follows them is treated as if they had not been there."""
    spec, partition, log = _busiest(road, name)
    whole = _once(_started(spec, partition).process(log))
    draw = random.Random(3)
    stage = _started(spec, partition)
    rubbish = [
        InputRecord(-1, WALL_MS, key, value, headers)
        for key in (None, b"", b"kestrane", b"\xff\xfe")
        for value in (None, b"", b"{}", b"[1]", b"\x00\xff", b'{"brand":3}', draw.randbytes(300))
        for headers in ([], [("ce_type", draw.choice(TYPES).encode())], [("ce_type", b"\xff")])
    ]
    mixed = []
    for offset, record in enumerate([*rubbish, *log]):
        mixed.append(record._replace(offset=offset) if name != "enrich" else record._replace(offset=record.offset))
    if name == "enrich":
        # A raw offset is part of what enrich says, so the rubbish comes after.
        mixed = [*log, *(record._replace(offset=log[-1].offset + 1 + n) for n, record in enumerate(rubbish))]
    found = _once(stage.process(mixed))
    missing = [identity for identity in whole if identity not in found]
    assert not missing or name == "commands"
