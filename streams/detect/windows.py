"""Counts of a brand by minute and by hour, for its windows."""

from __future__ import annotations

import msgspec

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
#: Places in a bin: raw mentions, votes, negative, trouble, crisis words, doubt; the last three belong to stories that ring.
RAW, VOTES, NEGATIVE, TROUBLE, CRISIS, DOUBT, RING_VOTES, RING_NEGATIVE = range(8)
SIZE = 8
#: (name, hours): 5 min and 1 h to the minute, 6 h and 24 h from a full hour on.
WINDOWS = (("5m", 1.0 / 12.0), ("1h", 1.0), ("6h", 6.0), ("24h", 24.0))


class Windows(msgspec.Struct, array_like=True):
    """{minute: bin} of the last hour and {hour: bin} of the last day; only bins that hold something exist.

    >>> windows = Windows()
    >>> windows.add(0, (1.0, 1.0, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0))
    >>> windows.add(7 * 60_000, (1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    >>> [counts[0] for counts, start in windows.read(8 * 60_000)]
    [1.0, 2.0, 2.0, 2.0]
    """

    minutes: dict[int, list[float]] = {}
    hours: dict[int, list[float]] = {}

    def add(self, t_ms: int, values: tuple[float, ...]) -> None:
        """Add one mention's values at ``t_ms``."""
        for bins, key in ((self.minutes, t_ms // MINUTE_MS), (self.hours, t_ms // HOUR_MS)):
            found = bins.get(key)
            if found is None:
                bins[key] = list(values)
            else:
                for i, value in enumerate(values):
                    if value:
                        found[i] += value

    def prune(self, t_ms: int) -> None:
        """Drop what no window can reach."""
        minute, hour = t_ms // MINUTE_MS - 60, t_ms // HOUR_MS - 24
        for key in [key for key in self.minutes if key < minute]:
            del self.minutes[key]
        for key in [key for key in self.hours if key < hour]:
            del self.hours[key]

    def read(self, t_ms: int) -> list[tuple[list[float], float]]:
        """Return for each window its sums and when it starts, in hours since 1970; windows end at ``t_ms``."""
        minute, hour = -(-t_ms // MINUTE_MS), -(-t_ms // HOUR_MS)
        minutes, hours = self.minutes, self.hours
        five = _sums([values for key in range(minute - 5, minute) if (values := minutes.get(key)) is not None])
        sixty = _sums([values for key, values in minutes.items() if minute - 60 <= key < minute])
        six = _sums([values for key in range(hour - 6, hour) if (values := hours.get(key)) is not None])
        day = _sums([values for key, values in hours.items() if hour - 24 <= key < hour])
        return [(five, (minute - 5) / 60.0), (sixty, (minute - 60) / 60.0), (six, float(hour - 6)), (day, float(hour - 24))]


def _sums(rows: list[list[float]]) -> list[float]:
    return list(map(sum, zip(*rows, strict=True))) if rows else [0.0] * SIZE
