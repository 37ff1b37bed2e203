"""From a file's mentions to the raw log: mentions by partition, and the clock records that tell its time.

Pure: `veille replay` sends these records to Kafka, `veille backtest` feeds them to the same stages in memory. The
clock is a function of the mentions' times alone, so both apply the mentions in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from schemas.cloudevents import header_maker
from schemas.mention import Clock, json_value
from streams.clock import rfc3339
from streams.engine.partitioning import partition_of
from streams.engine.stage import ALL_PARTITIONS, Output

TOPIC: Final = "mentions.raw"
_HOUR_MS: Final = 3_600_000
_NEVER: Final = 2**63
_clock_headers = header_maker("veille.clock")


def clock_record(time_ms: int, source_id: str) -> Output:
    """Return the clock record of one source, for every partition of ``mentions.raw``."""
    headers = _clock_headers(f"{source_id}-{time_ms}", source_id, rfc3339(time_ms))
    return Output(TOPIC, None, json_value(Clock(source_id=source_id, time_ms=time_ms)), headers, ALL_PARTITIONS)


def plan(
    mentions: Iterable[tuple[int, bytes, str]],
    partitions: int,
    tail_hours: float = 48.0,
    source_id: str = "replay",
    grid_seconds: int = 60,
    latest_ms: int | None = None,
) -> Iterator[Output]:
    """Yield the raw log of ``mentions`` = (published ms, JSON, id) in time order.

    Before the first mention of each cell of ``grid_seconds`` comes a clock record with the cell's line, and at the end one
    that is ``tail_hours`` after the last mention. No mention gives no record. No clock is later than ``latest_ms``: one that is
    ahead of the time it arrives at is refused, and what it would have let through would wait for ever.
    """
    grid_ms = grid_seconds * 1000
    line: int | None = None
    told = last = 0
    latest = latest_ms if latest_ms is not None else _NEVER
    for published_ms, value, identity in mentions:
        cell = published_ms - published_ms % grid_ms
        if line is None or (cell > line and told < latest):
            line, told = cell, min(cell, latest)
            yield clock_record(told, source_id)
        last = max(last, published_ms)
        key = identity.encode("utf-8", "replace")
        yield Output(TOPIC, key, value, (), partition_of(key, partitions))
    if line is not None:
        yield clock_record(min(last + round(tail_hours * _HOUR_MS), latest), source_id)
