"""Tests of streams.evaluate.bench: what needs no broker."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from streams.errors import BadInput, Unreachable
from streams.evaluate.bench import run_bench
from streams.evaluate.bench.mentions import engine_mentions
from streams.evaluate.bench.report import table_lines, write_report
from streams.evaluate.bench.rounds import contestant, in_turn, spread, table
from streams.evaluate.bench.traffic import Traffic, last_clock_ms

FOUND = {
    "bench": "engine",
    "contestants": {
        "veille": {"records_per_second": {"median": 300.0, "min": 290.0, "max": 310.0}, "cpu_us": 2.5},
        "stock_faust": {"records_per_second": {"median": 10.0, "min": 9.0, "max": 11.0}, "cpu_us": 90.0},
    },
    "ratios": {"stock_faust": 30.0},
    "rounds": 3,
}


def test_contestants_take_turns_at_being_first() -> None:
    """Nobody is always first, and everybody plays every round."""
    order: list[str] = []

    def play(name: str, number: int) -> dict[str, int]:
        order.append(name)
        return {"round": number}

    found = in_turn(["a", "b", "c"], 3, play)
    assert order == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    assert {name: len(results) for name, results in found.items()} == {"a": 3, "b": 3, "c": 3}


def test_ratios_compare_medians() -> None:
    """Veille's median over the other's, however the rounds differ."""
    result = {"records": 100, "cpu_seconds": 1.0}
    found = {"veille": [result | {"seconds": s} for s in (1.0, 2.0, 50.0)], "other": [result | {"seconds": s} for s in (4.0, 8.0, 8.0)]}
    _, ratios = table(found, "records_per_second")
    assert ratios == {"other": 4.0}
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "min": 1.0, "max": 3.0}


def test_the_mentions_are_the_same_every_time_and_of_the_size_said() -> None:
    """Seeded, valid JSON, about 600 bytes."""
    first, second = (list(engine_mentions(200)) for _ in range(2))
    assert first == second
    assert 500 < sum(len(value) for _, value in first) / 200 < 700
    assert msgspec.json.decode(first[0][1])["id"] == "m0"


def test_a_hot_brand_has_its_share() -> None:
    """The traffic of a hot brand is close to the share asked for, and all mentions are there."""
    rows = list(Traffic(2_000, brands=50, hot=0.9).rows())
    hot = sum(b'"brand0x ' in value for _, value, _ in rows)
    assert len(rows) == 2_000
    assert 0.86 < hot / 2_000 < 0.95
    assert len(Traffic(1, brands=50).watchlist().brands) == 50


def test_the_last_clock_ends_the_log() -> None:
    """The last record of a raw log is the clock that everything lies below."""
    raw = Traffic(50, brands=3).raw()
    assert last_clock_ms(raw) > max(published for published, _, _ in Traffic(50, brands=3).rows())


def test_a_failing_contestant_is_named() -> None:
    """The error names the contestant, never passing a failure off as a figure."""
    with pytest.raises(BadInput, match="engine_aiokafka"):
        contestant("engine_aiokafka", {"broker": "127.0.0.1:1"}, 60.0)


def test_a_missing_broker_is_said_before_anything_is_filled() -> None:
    """Nothing runs against a broker that does not answer."""
    with pytest.raises(Unreachable, match="make kafka"):
        run_bench("engine", "127.0.0.1:1", quick=True)


def test_the_report_has_a_table_and_json(tmp_path: Path) -> None:
    """The fastest stands first, and the files are where they were asked for."""
    lines = table_lines(FOUND)
    assert lines[0].startswith("veille")
    assert "30.00 x" in lines[1]
    paths = write_report(FOUND, tmp_path / "figures")
    assert msgspec.json.decode(paths[0].read_bytes()) == FOUND
    assert all(path.stat().st_size > 0 for path in paths)
