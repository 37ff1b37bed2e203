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
) -> Iterator[Output]:
    """Yield the raw log of ``mentions`` = (published ms, JSON, id) in time order.

    Before the first mention of each cell of ``grid_seconds`` comes a clock record with the cell's line, and at the end one
    that is ``tail_hours`` after the last mention. No mention gives no record.
    """
    grid_ms = grid_seconds * 1000
    line: int | None = None
    last = 0
    for published_ms, value, identity in mentions:
        cell = published_ms - published_ms % grid_ms
        if line is None or cell > line:
            line = cell
            yield clock_record(line, source_id)
        last = max(last, published_ms)
        key = identity.encode("utf-8", "replace")
        yield Output(TOPIC, key, value, (), partition_of(key, partitions))
    if line is not None:
        yield clock_record(last + round(tail_hours * _HOUR_MS), source_id)
