"""What joins the stages tells time and progress, and holds back who is too far ahead: one partition silent, another far ahead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from schemas.cloudevents import header_maker, type_of
from schemas.command import Command
from schemas.enriched import Enriched, Watermarks
from schemas.mention import Clock
from streams.crisis.forward import ForwardPartition
from streams.detect.stage import DetectPartition
from streams.engine.stage import ALL_PARTITIONS, InputRecord, Output, PartitionStage, StageSpec
from streams.enrich.watchlist import Watchlists, parse_watchlist
from streams.settings import Settings
from streams.topology import build_specs
from tests.crisis.make import log, run, signal

NOW = 1_780_000_000_000
HOUR = 3_600_000
_clock, _enriched, _marks = (header_maker(name)("i", "s", "t") for name in ("veille.clock", "veille.enriched", "veille.watermarks"))


def specs(clock: int | None = None, **settings: Any) -> dict[str, StageSpec]:
    """The stages of a worker, with the wall clock standing at ``clock``."""
    watchlists = Watchlists()
    watchlists.add(parse_watchlist("brands: [{id: acme, names: [Acme]}]", "test"))
    found = build_specs(
        Settings(_env_file=None, **settings), watchlists, {"mentions.raw": 2}, wall_clock=None if clock is None else lambda: clock
    )
    return {spec.name: spec for spec in found}


def stages(spec: StageSpec, count: int = 2) -> dict[int, PartitionStage]:
    """The spec's stages at their start."""
    found = {partition: spec.make(partition) for partition in range(count)}
    for stage in found.values():
        stage.restore({}, None)
    return found


def told(spec: StageSpec, owned: dict[int, PartitionStage]) -> list[Output]:
    """What the spec's pulse sends now."""
    assert spec.pulse is not None
    return list(spec.pulse(owned))


def raw_clock(offset: int, ms: int) -> InputRecord:
    """A source's clock."""
    return InputRecord(offset, ms, None, msgspec.json.encode(Clock(source_id="a", time_ms=ms)), _clock)


def waiting(first: int, count: int, ms: int) -> Iterable[InputRecord]:
    """Enriched mentions that apply at ``ms``."""
    for n in range(first, first + count):
        value = Enriched(brand="acme", id=f"m{n}", network="x", partition=1, offset=n, applies_ms=ms, published_ms=ms, text="t")
        yield InputRecord(n, NOW, b"acme", msgspec.json.encode(value), _enriched)


def marks(offset: int, **known: int) -> InputRecord:
    """A watermark record: p0=..., p1=..."""
    value = Watermarks(watermarks={int(name[1:]): ms for name, ms in known.items()})
    return InputRecord(offset, NOW, None, msgspec.json.encode(value), _marks)


def test_a_worker_tells_the_time_to_partitions_that_nobody_publishes_to() -> None:
    """Empty raw partitions get the wall clock of whoever owns them, so that one foreign line gets through; a replay gets none."""
    enrich = specs(NOW)["enrich"]
    clocks = [output for output in told(enrich, stages(enrich)) if output.topic == "mentions.raw"]
    assert [(output.partition, msgspec.json.decode(output.value or b"")["time_ms"]) for output in clocks] == [(0, NOW), (1, NOW)]
    replaying = specs(NOW, worker_clock=False)["enrich"]
    assert told(replaying, stages(replaying)) == []


def test_watermarks_travel_as_one_vector_to_all_and_only_when_something_moved() -> None:
    """Every enriched partition hears of all owned raw partitions; nothing is said twice."""
    enrich = specs()["enrich"]
    owned = stages(enrich)
    assert told(enrich, owned) == []
    list(owned[0].process([raw_clock(0, NOW)]))
    list(owned[1].process([raw_clock(0, NOW + HOUR)]))
    (vector,) = told(enrich, owned)
    assert (vector.topic, vector.key, vector.partition) == ("mentions.enriched", None, ALL_PARTITIONS)
    assert msgspec.json.decode(vector.value or b"", type=Watermarks).watermarks == {0: NOW, 1: NOW + HOUR}
    assert told(enrich, owned) == []
    list(owned[0].process([raw_clock(1, NOW - HOUR)]))
    assert told(enrich, owned) == [], "a watermark went back"


def test_detect_passes_its_watermark_on() -> None:
    """The next stage hears how far a partition is computed, also where no brand had anything to say."""
    detect = specs()["detect"]
    owned = stages(detect, 1)
    list(owned[0].process([marks(0, p0=NOW)]))
    assert told(detect, owned) == [], "one raw partition has told no time yet"
    list(owned[0].process([marks(1, p1=NOW + HOUR)]))
    (mark,) = told(detect, owned)
    assert (mark.topic, mark.partition, type_of(mark.headers)) == ("brand.signals", 0, b"veille.watermark")
    assert msgspec.json.decode(mark.value or b"")["time_ms"] == NOW
    assert told(detect, owned) == []


@pytest.mark.parametrize("silent", [True, False], ids=["one silent", "one slow"])
def test_a_partition_far_ahead_is_held_back_and_the_slowest_never(silent: bool) -> None:
    """While one raw partition is silent or slow, another that runs ahead fills detect only so far; once it catches up both go on."""
    found = specs(engine={"max_skew_seconds": 3600}, detect={"max_waiting": 1000})
    enrich, detect = found["enrich"], found["detect"]
    assert enrich.admit is not None
    raw, applied = stages(enrich), stages(detect, 1)
    told(enrich, raw)
    told(detect, applied)
    assert enrich.admit(0)
    assert enrich.admit(1)
    list(raw[1].process([raw_clock(0, NOW + 2 * HOUR)]))
    if not silent:
        list(raw[0].process([raw_clock(0, NOW)]))
        list(applied[0].process([marks(0, p0=NOW)]))
    list(applied[0].process([marks(1, p1=NOW + 2 * HOUR), *waiting(2, 99, NOW + HOUR)]))
    assert enrich.admit(1), "a few waiting mentions hold nobody back"
    list(applied[0].process(list(waiting(101, 50, NOW + HOUR))))
    assert not enrich.admit(1)
    assert enrich.admit(0)
    # Waiting is no loss: the silent partition's time releases everything.
    list(raw[0].process([raw_clock(1, NOW + 2 * HOUR)]))
    list(applied[0].process([marks(151, p0=NOW + 2 * HOUR)]))
    assert enrich.admit(1)


def test_within_the_skew_only_a_full_room_holds_back() -> None:
    """A partition that is ahead by less than ``max_skew`` is read until detect holds ``max_waiting`` mentions."""
    found = specs(engine={"max_skew_seconds": 3600}, detect={"max_waiting": 1000})
    enrich, detect = found["enrich"], found["detect"]
    assert enrich.admit is not None
    raw, applied = stages(enrich), stages(detect, 1)
    told(enrich, raw)
    told(detect, applied)
    list(raw[1].process([raw_clock(0, NOW + HOUR // 2)]))
    list(applied[0].process([marks(0, p0=NOW, p1=NOW + HOUR // 2), *waiting(1, 999, NOW)]))
    assert enrich.admit(1)
    list(applied[0].process(list(waiting(1000, 1, NOW))))
    assert not enrich.admit(1)


def test_two_brands_of_one_mention_in_one_partition_both_count() -> None:
    """One raw record that names two brands is two enriched records; neither is taken for a repeat of the other, and a repeat of each is."""
    detect = DetectPartition(0, Settings(_env_file=None).detect, 1)
    detect.restore({}, None)
    both = [
        Enriched(brand=brand, id="m", network="x", partition=0, offset=5, applies_ms=NOW, published_ms=NOW, text="t")
        for brand in ("acme", "bolt")
    ]
    list(detect.process(log(*(InputRecord(0, NOW, b"k", msgspec.json.encode(value), _enriched) for value in [*both, *both]))))
    list(detect.process([marks(4, p0=NOW + HOUR)]))
    assert sorted(detect.brands) == ["acme", "bolt"]
    assert [sum(values[0] for values in brand.counts.hours.values()) for brand in detect.brands.values()] == [1.0, 1.0]


def test_a_second_signal_is_dropped() -> None:
    """The crisis stage takes a ``seq`` that it has for the repeat that it is, also with other signals in between."""
    first, second = signal(1, 0, over=True), signal(2, 5, over=True)
    assert run(log(first, second, first, second)) == run(log(first, second))
    assert run(log(first, second))


def test_a_second_command_is_dropped() -> None:
    """A command that was forwarded twice counts once: its offset in ``crisis.commands`` says so."""
    given = Command(id="k", command="declare", brand="acme", by="a", at_ms=NOW, args={"headline": "h"})
    forward = ForwardPartition(3)
    forward.restore({}, None)
    (output,) = forward.process([InputRecord(7, NOW, b"acme", msgspec.json.encode(given))])
    record = InputRecord(0, NOW, output.key, output.value, output.headers)
    once = run(log(record))
    assert once
    assert run(log(record, record)) == once
