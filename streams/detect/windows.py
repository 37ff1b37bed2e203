"""Counts of a brand by minute and by hour, for its windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import add, sub

import msgspec

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
#: Places in a bin: raw mentions, votes, negative, trouble, crisis words, doubt; the last two belong to stories that ring.
RAW, VOTES, NEGATIVE, TROUBLE, CRISIS, DOUBT, RING_VOTES, RING_NEGATIVE = range(8)
SIZE = 8
#: (name, hours): 5 min and 1 h to the minute, 6 h and 24 h from a full hour on.
WINDOWS = (("5m", 1.0 / 12.0), ("1h", 1.0), ("6h", 6.0), ("24h", 24.0))
_NOTHING = (0.0,) * SIZE


class Windows(msgspec.Struct, array_like=True, gc=False):
    """Counts of the running minute, {minute: bin} of the hour before it, {hour: bin} of a day; only bins that hold something exist.

    Sums of the last hour follow minute by minute, those of 6 h and 24 h hour by hour, so that reading adds up little.

    >>> windows = Windows()
    >>> windows.add(0, (1.0, 1.0, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0))
    >>> windows.add(7 * 60_000, (1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    >>> [counts[0] for counts, start in windows.read(8 * 60_000)]
    [1.0, 2.0, 2.0, 2.0]
    """

    #: The running minute and its bin; an empty bin stands for nothing.
    minute: int = -1
    now: list[float] = []
    minutes: dict[int, list[float]] = {}
    hours: dict[int, list[float]] = {}
    #: Sums of ``minutes``; of the 5 and the 23 full hours before ``hour``, empty until somebody reads them.
    sixty: list[float] = []
    hour: int = -1
    six: list[float] = []
    day: list[float] = []

    def add(self, t_ms: int, values: Sequence[float]) -> None:
        """Add values at ``t_ms``; times may go back within the running minute only."""
        if t_ms // MINUTE_MS > self.minute:
            self.roll(t_ms // MINUTE_MS)
        now = self.now
        for i, value in enumerate(values):
            if value:
                now[i] += value

    def roll(self, minute: int) -> None:
        """Close the running minute, begin ``minute``, and drop what no window can reach."""
        minutes = self.minutes
        if self.minute >= 0 and self.now[RAW]:
            minutes[self.minute] = self.now
            hour = self.minute // 60
            total = self.hours.get(hour)
            self.hours[hour] = list(self.now) if total is None else list(map(add, total, self.now))
            self.sixty = list(map(add, self.sixty, self.now)) if self.sixty else list(self.now)
        self.minute, self.now = minute, [0.0] * SIZE
        while minutes:
            first = next(iter(minutes))
            if first >= minute - 60:
                break
            self.sixty = list(map(sub, self.sixty, minutes.pop(first)))
        if not minutes:
            self.sixty = []
        if minute // 60 != self.hour:
            self._turn(minute // 60)

    def _turn(self, hour: int) -> None:
        """Begin an hour: the running minute is its first or later one, so all hours before it are complete."""
        hours = self.hours
        while hours and (first := next(iter(hours))) < hour - 24:
            del hours[first]
        self.hour = hour
        self.six, self.day = [], []

    def close(self, hour: int) -> list[float] | None:
        """Return the sums of a past hour, or None where it held nothing."""
        if self.minute >= 0 and self.minute // 60 == hour:
            self.roll((hour + 1) * 60)
        return self.hours.get(hour)

    def read(self, t_ms: int) -> list[tuple[Sequence[float], float]]:
        """Return for each window its sums and when it starts, in hours since 1970; windows end at ``t_ms``.

        At a full minute the windows end there; within a minute what it holds so far counts as the last minute.
        """
        if t_ms // MINUTE_MS > self.minute:
            self.roll(t_ms // MINUTE_MS)
        now, last = self.now, self.minute
        sixty, part = self.sixty or _NOTHING, self.hours.get(self.hour) or _NOTHING
        rows = []
        if now[RAW] or t_ms > last * MINUTE_MS:
            last += 1
            rows.append(now)
            part = list(map(add, part, now))
            sixty = list(map(add, sixty, now))
            if (oldest := self.minutes.get(self.minute - 60)) is not None:
                sixty = list(map(sub, sixty, oldest))
        rows += [values for key in range(last - 5, self.minute) if (values := self.minutes.get(key)) is not None]
        six, day = self.six, self.day
        if not day:
            hour, hours = self.hour, self.hours
            six = self.six = _sums([values for key, values in hours.items() if hour - 5 <= key < hour])
            day = self.day = _sums([values for key, values in hours.items() if hour - 23 <= key < hour])
        return [
            (_sums(rows), (last - 5) / 60.0),
            (sixty, (last - 60) / 60.0),
            (list(map(add, six, part)), self.hour - 5.0),
            (list(map(add, day, part)), self.hour - 23.0),
        ]

    def rung(self) -> dict[int, tuple[float, float]]:
        """Return {hour: votes and negative ones that belong to what rings or rang}, as far back as a day."""
        found = {hour: (one[RING_VOTES], one[RING_NEGATIVE]) for hour, one in self.hours.items() if one[RING_VOTES]}
        if self.now and self.now[RING_VOTES]:
            votes, negative = found.get(self.minute // 60, (0.0, 0.0))
            found[self.minute // 60] = votes + self.now[RING_VOTES], negative + self.now[RING_NEGATIVE]
        return found

    def votes_between(self, first: int, last: int) -> float:
        """Return the votes of full hours ``first`` to ``last``, as far back as a day."""
        return math.fsum(values[VOTES] for key, values in self.hours.items() if first <= key <= last)


def _sums(rows: list[list[float]]) -> list[float]:
    if len(rows) == 1:
        return rows[0]
    return list(map(sum, zip(*rows, strict=True))) if rows else [0.0] * SIZE
