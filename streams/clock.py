"""The one home of wall-clock time; it is injected, so that tests and replays set it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: Returns wall time in ms since 1970 UTC.
WallClock = Callable[[], int]
#: Waits for a number of seconds.
Sleep = Callable[[float], Awaitable[None]]


def wall_ms() -> int:
    """Return wall time in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Return seconds that never go back, for measuring durations."""
    return time.monotonic()


def rfc3339(ms: int) -> str:
    """Write a time in ms as RFC 3339 in UTC; milliseconds only where there are some."""
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    rest = ms % 1000
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{rest:03d}Z" if rest else "Z")


def ms_of(text: str) -> int:
    """Return a time in RFC 3339 as ms since 1970 UTC: what `rfc3339` wrote.

    >>> ms_of(rfc3339(1_400_000_000_123))
    1400000000123
    """
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def zone_of(name: str) -> tzinfo:
    """Return the time zone called ``name``; UTC where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
