"""What is usual for a brand: expected counts with season, time zone and dispersion."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from streams.detect.formulas import count_tail
from streams.detect.season import CELL_WEIGHT, DAY_WEIGHT, HOUR_WEIGHT, KEEP, PRIOR_HOURS, Season, local_hour

#: Forgetting of the rate, an hour: half-lives of four days, 16 hours for the shadow.
_KEEP, _KEEP_SHADOW = 0.5 ** (1.0 / 96.0), 0.5 ** (1.0 / 16.0)
#: Hours without any learning after which the past is as good as forgotten.
_LONGEST_GAP = 336
#: Hours of history below which volume alone says nothing.
COLD_HOURS = 24.0


class Baseline(msgspec.Struct, array_like=True, gc=False):
    """Expected count of a brand, hour by hour, and how surprising a window's count is.

    N ~ negative binomial with mean m = rate x season x hours x live and Var = phi m + phi_1h m^2 / a, where rate ~ Gamma(a, b)
    with forgetting (half-life four days), phi >= 1 learned by window length from squared residuals (each capped at 8 times
    the current one, a robust scale). Only the update of the rate is capped, at m + 3 standard deviations, and not on
    the first day. A shadow learns everything and can take over after a level shift (`rebase`).
    Assumed before any data: Gamma(0.5, 0.5), one mention an hour give or take anything.

    ``learn_one(hour, count)`` takes whole hours, zeros too; ``score_one`` gives -log10 P(N >= count).

    >>> base = Baseline()
    >>> for hour in range(240):
    ...     base.learn_one(hour, 10.0 + hour % 3, "UTC")
    >>> m = base.expected(240.0, 241.0, "UTC")
    >>> 7 < m < 13, base.score_one(12.0, m, 1) < 1.0, base.score_one(60.0, m, 1) > 6.0
    (True, True, True)
    """

    a: float = 0.5
    b: float = 0.5
    shadow_a: float = 0.5
    shadow_b: float = 0.5
    #: Dispersion of windows of 5 min, 1 h, 6 h, 24 h.
    phi: list[float] = msgspec.field(default_factory=lambda: [1.5, 2.0, 3.0, 4.0])
    season: Season = msgspec.field(default_factory=Season)
    #: Hours learned, and the next hour to learn (hours since 1970; -1: none).
    hours: float = 0.0

    @property
    def rate(self) -> float:
        """Mentions an hour, season taken out."""
        return self.a / self.b

    @property
    def cold(self) -> bool:
        """Too little history for volume to mean anything."""
        return self.hours < COLD_HOURS

    def expected(self, start: float, end: float, timezone: str, live: float = 1.0) -> float:
        """Return the expected count between two times in hours since 1970 (fractions allowed)."""
        total, at = 0.0, start
        while at < end - 1e-9:
            hour = int(at)
            upto = min(end, hour + 1.0)
            total += (upto - at) * self.season.factor(hour, timezone)
            at = upto
        return total * self.rate * live

    def variance(self, mean: float, window: int, share: float = 1.0) -> float:
        """Return the predictive variance of a count with this mean in window number ``window`` (0: 5 min ... 3: 24 h).

        ``share``: the part of all mentions that is counted, each by itself: that part of a burst only comes along (thinning).
        """
        phi = 1.0 + (self.phi[window] - 1.0) * share
        known = self.a
        return phi * mean + mean * mean * self.phi[1] / (known if known >= 0.5 else 0.5)

    def score_one(self, count: float, mean: float, window: int) -> float:
        """Return -log10 P(N >= count), before any recalibration."""
        return count_tail(count, mean, self.variance(mean, window))

    def learn_one(self, hour: int, count: float, timezone: str, live: float = 1.0, everything: float | None = None) -> None:
        """Take one whole hour's count; ``live`` is the share of sources that were up: a dead source is no zero.

        ``everything``: the count for the shadow, where what rings was left out of ``count``.
        """
        if live <= 0.05:
            return
        factor = self.season.factor(hour, timezone)
        mean = self.rate * factor * live
        self._learn_shadow(count if everything is None else everything, factor * live)
        if not self.cold:
            self.learn_dispersion(1, count, mean)
            count = min(count, mean + 3.0 * self.variance(mean, 1) ** 0.5 + 3.0)
        self.a = self.a * _KEEP + count
        self.b = self.b * _KEEP + factor * live
        self.hours += live
        self.season.learn_one(hour, timezone, count / self.phi[1], self.rate * live / self.phi[1])

    def learn_shadow(self, hour: int, count: float, timezone: str, live: float = 1.0) -> None:
        """Take an hour of which nothing is ordinary: only the shadow learns it."""
        if live > 0.05:
            self._learn_shadow(count, self.season.factor(hour, timezone) * live)

    def _learn_shadow(self, count: float, share: float) -> None:
        self.shadow_a = self.shadow_a * _KEEP_SHADOW + count
        self.shadow_b = self.shadow_b * _KEEP_SHADOW + share

    def learn_dispersion(self, window: int, count: float, mean: float) -> None:
        """Let a window's squared residual move its dispersion."""
        self.learn_dispersions(window, (count,), mean)

    def learn_dispersions(self, window: int, counts: Sequence[float], mean: float) -> None:
        """Let several residuals, one after the other, move a window's dispersion; ``mean`` is that of each."""
        if self.cold or mean <= 0.0:
            return
        phi, usual = self.phi[window], mean * mean
        size = max(self.a, 0.5)
        hourly = self.phi[1]
        pace = 0.02 * mean / (mean + 0.3)
        for count in counts:
            own = usual * (phi if window == 1 else hourly) / size
            squared = (count - mean) ** 2 - own
            squared = squared / mean if squared > 0.0 else 0.0
            most = 8.0 * phi
            phi += pace * ((squared if squared < most else most) - phi)
            phi = 1.0 if phi < 1.0 else 200.0 if phi > 200.0 else phi
        self.phi[window] = phi

    def skip(self, start: int, hours: int, timezone: str, live: float = 1.0) -> None:
        """Take ``hours`` empty hours from ``start`` on: one by one up to two weeks, what lies before in closed form."""
        if hours > _LONGEST_GAP:
            gone = hours - _LONGEST_GAP
            keep = _KEEP**gone
            self.a, self.b = self.a * keep, self.b * keep + live * (1.0 - keep) / (1.0 - _KEEP)
            keep = _KEEP_SHADOW**gone
            self.shadow_a, self.shadow_b = self.shadow_a * keep, self.shadow_b * keep + live * (1.0 - keep) / (1.0 - _KEEP_SHADOW)
            self.hours += gone * live
            start, hours = start + gone, _LONGEST_GAP
        if live == 1.0 and not self.hours and self == Baseline():
            self._take(_from_nothing(start, hours, timezone))
        elif live > 0.05:
            self._learn_empty(start, hours, timezone, live)

    def _take(self, other: Baseline) -> None:
        """Become a copy of ``other``, whose season has no cells of its own yet."""
        season = other.season
        self.a, self.b, self.shadow_a, self.shadow_b = other.a, other.b, other.shadow_a, other.shadow_b
        self.phi, self.hours = list(other.phi), other.hours
        self.season = Season(list(season.hours_n), list(season.hours_m), list(season.days_n), list(season.days_m), learned=season.learned)

    def _learn_empty(self, start: int, hours: int, timezone: str, live: float) -> None:
        """Do what `learn_one` does with so many counts of zero, to the last bit, but sooner: most hours of most brands are empty."""
        season = self.season
        while hours and not season.hours_n:
            self.learn_one(start, 0.0, timezone, live)
            start, hours = start + 1, hours - 1
        a, b, shadow_a, shadow_b, known, phi = self.a, self.b, self.shadow_a, self.shadow_b, self.hours, self.phi[1]
        hours_n, hours_m, days_n, days_m = season.hours_n, season.hours_m, season.days_n, season.days_m
        for hour in range(start, start + hours):
            day, local = local_hour(hour, timezone)
            hour_m, day_m = hours_m[local], days_m[day]
            factor = (HOUR_WEIGHT * PRIOR_HOURS[local] + hours_n[local]) / (HOUR_WEIGHT + hour_m)
            factor *= (DAY_WEIGHT + days_n[day]) / (DAY_WEIGHT + day_m)
            cell = season.cells.get(day * 24 + local) if season.cells else None
            if cell is not None:
                factor = (CELL_WEIGHT * factor + cell[0] * factor) / (CELL_WEIGHT + cell[1])
            if known >= COLD_HOURS and (mean := a / b * factor * live) > 0.0:
                squared, most = mean**2 - mean * mean * phi / (a if a > 0.5 else 0.5), 8.0 * phi
                squared = squared / mean if squared > 0.0 else 0.0
                phi += 0.02 * mean / (mean + 0.3) * ((squared if squared < most else most) - phi)
                phi = 1.0 if phi < 1.0 else 200.0 if phi > 200.0 else phi
            share = factor * live
            shadow_a, shadow_b = shadow_a * _KEEP_SHADOW, shadow_b * _KEEP_SHADOW + share
            a, b, known = a * _KEEP, b * _KEEP + share, known + live
            level = a / b * live / phi
            if level > 0.0:
                season.learned += 1
                if season.learned > 336:
                    cell = season.cells.setdefault(day * 24 + local, [0.0, 0.0])
                    cell[0], cell[1] = cell[0] * 0.85, cell[1] * 0.85 + level
                hours_n[local] *= KEEP
                hours_m[local] = hour_m * KEEP + level
                days_n[day] *= KEEP
                days_m[day] = day_m * KEEP + level
        self.a, self.b, self.shadow_a, self.shadow_b, self.hours, self.phi[1] = a, b, shadow_a, shadow_b, known, phi

    def rebase(self) -> None:
        """The shadow takes over: what was a level shift is usual from now on."""
        self.a, self.b = self.shadow_a, self.shadow_b


@lru_cache(maxsize=256)
def _from_nothing(start: int, hours: int, timezone: str) -> Baseline:
    """Return what up to two weeks of empty hours make of nothing: the same for all brands of a new watchlist until they are spoken of."""
    base = Baseline()
    base._learn_empty(start, hours, timezone, 1.0)
    return base


class Share(msgspec.Struct, array_like=True, gc=False):
    """A share with forgetting (half-life seven days), Beta-distributed; the prior is that of ordinary mentions, assumed.

    >>> share = Share(yes=1.6, no=6.4)
    >>> share.value()
    0.2
    >>> share.learn_one(10.0, 0.0)
    >>> share.value() > 0.6
    True
    """

    yes: float
    no: float

    def value(self) -> float:
        """Return the expected share."""
        return self.yes / (self.yes + self.no)

    score_one = value

    def learn_one(self, yes: float, no: float, hours: int = 1) -> None:
        """Take counts of both kinds, of the last ``hours`` hours."""
        keep = 0.5 ** (hours / 168.0)
        # Forgetting stops at the weight of the prior, so that silence does not erase what is known.
        if self.yes + self.no > 8.0:
            keep = max(keep, 8.0 / (self.yes + self.no))
            self.yes, self.no = self.yes * keep, self.no * keep
        self.yes += yes
        self.no += no

    def rebase(self, yes: float, no: float) -> None:
        """Start anew from counts of both kinds; what was known before weighs as much as one vote."""
        known = self.value()
        self.yes, self.no = known + yes, 1.0 - known + no
