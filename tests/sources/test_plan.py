"""The raw log made from a file."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.cloudevents import type_of
from schemas.mention import Clock
from streams.engine.partitioning import partition_of
from streams.engine.stage import ALL_PARTITIONS
from streams.sources.plan import plan

TIMES = st.lists(st.integers(min_value=0, max_value=10_000_000), max_size=60).map(sorted)


@given(TIMES, st.integers(min_value=1, max_value=8))
def test_the_clock_is_never_ahead_of_a_mention(times: list[int], partitions: int) -> None:
    """Before each mention stands the clock of its minute, and no clock is later than a mention after it."""
    clock = -1
    for output in plan([(ms, str(ms).encode(), f"m{i}") for i, ms in enumerate(times)], partitions):
        if type_of(output.headers) == b"veille.clock":
            assert output.partition == ALL_PARTITIONS
            now = msgspec.json.decode(output.value or b"", type=Clock).time_ms
            assert now >= clock
            clock = now
        else:
            published = int(output.value or b"0")
            assert clock == published - published % 60_000
            assert output.partition == partition_of(output.key or b"", partitions)


@given(TIMES)
def test_every_mention_is_planned_once_and_the_clock_runs_on(times: list[int]) -> None:
    """No mention is lost, and the last record is the clock at the end plus the tail."""
    outputs = list(plan([(ms, b"{}", f"m{i}") for i, ms in enumerate(times)], 3, tail_hours=2))
    assert sum(1 for output in outputs if output.key is not None) == len(times)
    if times:
        assert msgspec.json.decode(outputs[-1].value or b"", type=Clock).time_ms == times[-1] + 7_200_000
    else:
        assert outputs == []


@given(TIMES, st.integers(min_value=0, max_value=12_000_000))
def test_no_clock_is_later_than_the_time_it_arrives_at(times: list[int], now: int) -> None:
    """Mentions of today, or from 2035: the clock goes as far as now, so that all before is judged, and no farther."""
    outputs = list(plan([(ms, b"{}", f"m{i}") for i, ms in enumerate(times)], 3, tail_hours=2, latest_ms=now))
    clocks = [msgspec.json.decode(one.value or b"", type=Clock).time_ms for one in outputs if type_of(one.headers) == b"veille.clock"]
    assert sum(1 for output in outputs if output.key is not None) == len(times)
    if times:
        assert clocks == sorted(clocks)
        assert clocks[-1] == min(now, times[-1] + 7_200_000)
