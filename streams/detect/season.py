"""The rhythm of a brand: hour of day and weekday in its time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

HOUR_MS = 3_600_000
#: Share of a day's mentions by local hour, mean 1: people sleep. Assumed.
PRIOR_HOURS = (
    0.55, 0.40, 0.30, 0.25, 0.25, 0.35, 0.55, 0.85, 1.10, 1.25, 1.30, 1.35,
    1.40, 1.35, 1.30, 1.30, 1.30, 1.35, 1.40, 1.45, 1.45, 1.30, 1.05, 0.85,
)  # fmt: skip
#: Mentions at which the learned factor and the assumed one count the same.
HOUR_WEIGHT, DAY_WEIGHT, CELL_WEIGHT = 20.0, 80.0, 20.0
KEEP = 0.5 ** (1.0 / 28.0)


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return a time zone; UTC where the name is unknown here."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


@lru_cache(maxsize=8192)
def local_hour(hour: int, timezone: str) -> tuple[int, int]:
    """Return (weekday, hour of day) at which the UTC hour ``hour`` (hours since 1970) starts in ``timezone``.

    >>> local_hour(481_333, "Europe/Paris")
    (3, 14)
    """
    local = datetime.fromtimestamp(hour * 3600, UTC).astimezone(zone(timezone))
    return local.weekday(), local.hour


@lru_cache(maxsize=1024)
def local_day(hour: int, timezone: str) -> tuple[tuple[int, int], ...]:
    """Return `local_hour` of the 24 hours that end with ``hour``, the earliest first."""
    return tuple(local_hour(key, timezone) for key in range(hour - 23, hour + 1))


class Season(msgspec.Struct, array_like=True, gc=False):
    """Factors of expected volume: hour of day x weekday, and from the second week on 168 cells of their own.

    Each factor is (w prior + sum of counts) / (w + sum of expected counts without that factor): a ratio shrunk towards the
    assumed rhythm, the weekday towards 1, a cell towards the product of both. Counts are forgotten over four weeks.

    >>> season = Season()
    >>> season.factor(481_333, "UTC")
    1.35
    >>> for week in range(3):
    ...     for hour in range(168):
    ...         season.learn_one(481_320 + 168 * week + hour, "UTC", 20.0 if hour % 24 == 3 else 10.0, 10.0)
    >>> season.factor(481_323, "UTC") > 1.8
    True
    """

    hours_n: list[float] = []
    hours_m: list[float] = []
    days_n: list[float] = []
    days_m: list[float] = []
    #: {weekday * 24 + hour: [counts, expected]}, kept once two weeks are known.
    cells: dict[int, list[float]] = {}
    learned: int = 0

    def factor(self, hour: int, timezone: str) -> float:
        """Return the factor of one UTC hour; 1 on average."""
        return self._factor(*local_hour(hour, timezone))

    def day(self, hour: int, timezone: str) -> list[float]:
        """Return `factor` of the 24 hours that end with ``hour``, the earliest first."""
        return [self._factor(day, local) for day, local in local_day(hour, timezone)]

    def _shares(self, day: int, local: int) -> tuple[float, float]:
        by_hour = (HOUR_WEIGHT * PRIOR_HOURS[local] + self.hours_n[local]) / (HOUR_WEIGHT + self.hours_m[local])
        return by_hour, (DAY_WEIGHT + self.days_n[day]) / (DAY_WEIGHT + self.days_m[day])

    def _factor(self, day: int, local: int) -> float:
        if not self.hours_n:
            return PRIOR_HOURS[local]
        by_hour, by_day = self._shares(day, local)
        both = by_hour * by_day
        cell = self.cells.get(day * 24 + local) if self.cells else None
        return both if cell is None else (CELL_WEIGHT * both + cell[0] * both) / (CELL_WEIGHT + cell[1])

    def learn_one(self, hour: int, timezone: str, count: float, level: float) -> None:
        """Take an hour's ``count`` where ``level`` would be usual without any season."""
        if level <= 0.0:
            return
        day, local = local_hour(hour, timezone)
        if not self.hours_n:
            self.hours_n, self.hours_m = [0.0] * 24, [0.0] * 24
            self.days_n, self.days_m = [0.0] * 7, [0.0] * 7
        by_hour, by_day = self._shares(day, local)
        self.learned += 1
        if self.learned > 336:
            cell = self.cells.setdefault(day * 24 + local, [0.0, 0.0])
            cell[0] = cell[0] * 0.85 + count / max(by_hour * by_day, 0.05)
            cell[1] = cell[1] * 0.85 + level
        self.hours_n[local] = self.hours_n[local] * KEEP + count / by_day
        self.hours_m[local] = self.hours_m[local] * KEEP + level
        self.days_n[day] = self.days_n[day] * KEEP + count / by_hour
        self.days_m[day] = self.days_m[day] * KEEP + level
