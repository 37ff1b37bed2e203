"""How fast a story grows: reproduction number, rates, doubling time."""

from __future__ import annotations

import math

import msgspec

from schemas.signal import Interval
from streams.detect.formulas import Z90, clip, gamma_above, gamma_quantile
from streams.networks import classes
from streams.rounding import on_grid, six

MINUTE = 60_000.0
HOUR = 3_600_000.0

#: Delay kernels by network class: a mixture of three exponentials, (shares, time constants in ms), mass 1 (``networks.yaml``).
KERNELS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    name: (found.kernel_weights, tuple(1000.0 * seconds for seconds in found.kernel_seconds)) for name, found in classes().items()
}
_DEFAULT = KERNELS["pseudonymous"]


class Growth(msgspec.Struct, array_like=True, gc=False):
    """Reproduction number of a stream of reactions, in one pass and a dozen numbers.

    R ~ Gamma(2 + sum I, 4 + sum L): I are the events of a forgetting window (1 h and 6 h), L their expected number
    for R = 1, the integral of the kernel over earlier events (Cori et al. 2013, "EpiEstim", with a prior whose mean is 0.5, so
    that a dying story eases). The kernel is a mixture of exponentials, hence exact in closed form between events. R starts high
    in every story, since the root's own audience answers first: read it beside the count, never as a gate.

    Units: times in ms, weights in events (an event may count less than 1).

    >>> g = Growth()
    >>> for minute in range(0, 60, 2):
    ...     g.learn_one(minute * 60_000, 1.0)
    >>> r = g.interval(60 * 60_000)
    >>> r.low < r.mean < r.high, g.p_growing(60 * 60_000) > 0.9
    (True, True)
    >>> g.interval(20 * 3_600_000).mean < 0.8
    True
    """

    network_class: str = "pseudonymous"
    t: float = 0.0
    n: float = 0.0
    d0: float = 0.0
    d1: float = 0.0
    d2: float = 0.0
    i1: float = 0.0
    l1: float = 0.0
    i6: float = 0.0
    l6: float = 0.0
    born: float = 0.0
    #: Events decayed over a minute, for the shape of the last minutes.
    dm: float = 0.0

    def _at(self, t_ms: float) -> tuple[float, float, float, float, float, float, float]:
        """Return (d0, d1, d2, i1, l1, i6, l6) as they stand at ``t_ms``."""
        dt = t_ms - self.t
        if dt <= 0.0 or self.n == 0.0:
            return self.d0, self.d1, self.d2, self.i1, self.l1, self.i6, self.l6
        (a0, a1, a2), (s0, s1, s2) = KERNELS.get(self.network_class, _DEFAULT)
        exp, x1, x6 = math.exp, dt / HOUR, dt / (6 * HOUR)
        e0, e1, e2, f1, f6 = exp(-dt / s0), exp(-dt / s1), exp(-dt / s2), exp(-x1), exp(-x6)
        exposure = a0 * self.d0 * (1.0 - e0) + a1 * self.d1 * (1.0 - e1) + a2 * self.d2 * (1.0 - e2)
        return (
            self.d0 * e0, self.d1 * e1, self.d2 * e2,
            self.i1 * f1, self.l1 * f1 + exposure * _mean_decay(x1, f1),
            self.i6 * f6, self.l6 * f6 + exposure * _mean_decay(x6, f6),
        )  # fmt: skip

    def at(self, t_ms: float) -> Growth:
        """Return it as it stands at ``t_ms``, where many of its numbers are read."""
        if t_ms <= self.t:
            return self
        d0, d1, d2, i1, l1, i6, l6 = self._at(t_ms)
        return Growth(self.network_class, t_ms, self.n, d0, d1, d2, i1, l1, i6, l6, self.born, self._minute(t_ms))

    def learn_one(self, t_ms: float, weight: float = 1.0) -> None:
        """Take one event at ``t_ms``; times may not go back (a time before the last counts at the last)."""
        self.d0, self.d1, self.d2, self.i1, self.l1, self.i6, self.l6 = map(on_grid, self._at(t_ms))
        if t_ms > self.t:
            self.dm = on_grid(self._minute(t_ms))
            self.t = t_ms
        if self.n > 0.0:  # the first event is the root: it is nobody's child
            self.i1 += weight
            self.i6 += weight
        else:
            self.born = t_ms
        self.n += weight
        self.d0 += weight
        self.d1 += weight
        self.d2 += weight
        self.dm += weight

    def posterior(self, t_ms: float) -> tuple[float, float]:
        """Return (shape, rate) of R's Gamma posterior: over the last hour, or six where the hour holds too little."""
        _, _, _, i1, l1, i6, l6 = self._at(t_ms)
        return (2.0 + i1, 4.0 + l1) if i1 + l1 >= 4.0 else (2.0 + i6, 4.0 + l6)

    def interval(self, t_ms: float) -> Interval:
        """Return R with its 90 % interval."""
        shape, rate = self.posterior(t_ms)
        low, high = gamma_quantile(shape, rate, -Z90), gamma_quantile(shape, rate, Z90)
        return Interval(mean=six(shape / rate), low=six(low), high=six(high))

    def median(self, t_ms: float) -> float:
        """Return R's posterior median over the last hour alone, which is what easing looks at."""
        _, _, _, i1, l1, _, _ = self._at(t_ms)
        return gamma_quantile(2.0 + i1, 4.0 + l1, 0.0)

    def p_growing(self, t_ms: float) -> float:
        """Return P(R > 1)."""
        return gamma_above(*self.posterior(t_ms), 1.0)

    score_one = p_growing

    def absorb(self, other: Growth, t_ms: float) -> None:
        """Add another stream's events, both as they stand at ``t_ms``."""
        mine, theirs = self._at(t_ms), other._at(t_ms)
        self.dm = on_grid(self._minute(t_ms) + other._minute(t_ms))
        self.d0, self.d1, self.d2, self.i1, self.l1, self.i6, self.l6 = (on_grid(x + y) for x, y in zip(mine, theirs, strict=True))
        self.t, self.n, self.born = max(self.t, t_ms), self.n + other.n, min(self.born, other.born)

    def _minute(self, t_ms: float) -> float:
        return self.dm * math.exp(min(0.0, self.t - t_ms) / MINUTE)

    def rates(self, t_ms: float) -> tuple[float, float, float, float]:
        """Return events an hour now, as decayed sums over a minute and the kernel's three time constants see it."""
        d0, d1, d2, *_ = self._at(t_ms)
        s0, s1, s2 = KERNELS.get(self.network_class, _DEFAULT)[1]
        return self._minute(t_ms) * (HOUR / MINUTE), d0 * HOUR / s0, d1 * HOUR / s1, d2 * HOUR / s2

    def doubling_minutes(self, t_ms: float) -> float | None:
        """Return ln 2 / r, or None where the story does not grow or is too small to say.

        An exponentially growing rate l e^(rt) gives the decayed sums D_s = l / (r + 1/s); the ratio of two of them gives r.
        """
        _, d1, d2, *_ = self._at(t_ms)
        if self.n < 8.0 or d2 <= 0.0:
            return None
        (_, s1, s2) = KERNELS.get(self.network_class, _DEFAULT)[1]
        ratio = (d1 / s1) / (d2 / s2)
        if ratio <= 1.0:
            return None
        r = (ratio - 1.0) / max(s2 - ratio * s1, 0.02 * s2)
        return six(clip(math.log(2.0) / r / MINUTE, 1.0, 10_000.0))


def _mean_decay(x: float, left: float) -> float:
    """Return the mean of exp(-s) over the last ``x``: what is left of an exposure spread evenly over it; ``left`` is exp(-x)."""
    return 1.0 - 0.5 * x if x < 1e-3 else (1.0 - left) / x
