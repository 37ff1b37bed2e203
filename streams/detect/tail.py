"""Recalibration: what a score means on this brand's own history."""

from __future__ import annotations

import math
from bisect import insort

import msgspec

from streams.detect.formulas import LN10

#: Greatest scores kept of a brand's hours.
KEPT = 60
#: Own exceedances at which own and pooled history count the same.
POOL = 50.0
#: Hours below u that end a run, and the least mean excess.
_RUN, _LEAST = 6, 0.15


class Tail(msgspec.Struct, array_like=True):
    """-log10 of the probability that an ordinary hour's greatest score is at least this one.

    Own history: the greatest scores of past hours (blocks, which takes care of the strong dependence between steps). Above a
    high quantile u, of a run of hours above it only the greatest (runs declustering, Coles 2001, ch. 5), the excess is
    exponential, the Gumbel case of a generalised Pareto tail (Siffer et al., "SPOT", KDD 2017): P(X >= x) = k / n exp(-(x - u) / b),
    b the mean excess. Until a brand has 50 exceedances its tail is mixed with the pooled one, exp(-(x - start) / scale): weight
    k / (k + 50) for its own. An hour's score is capped at u + 4 b before it is learned, so that one crisis does not make the
    next one ordinary; old hours are forgotten (half-life 28 days).

    Pooled start and scale: chosen on seeds 1, 2, 3, 7 and 42 of the simulation, not measured on real scores.

    >>> tail = Tail()
    >>> round(tail.score_one(6.0), 2)
    2.65
    >>> for hour in range(200):
    ...     tail.learn_one(hour % 10 / 2.0)
    >>> tail.score_one(4.0) < tail.score_one(8.0)
    True
    """

    start: float = -0.1
    scale: float = 1.0
    blocks: float = 0.0
    #: Greatest scores of past hours, ascending; of a run of hours above u only the greatest.
    top: list[float] = []
    #: Greatest score of the run that goes on, and hours since it was above u.
    run: float = 0.0
    gap: int = _RUN

    def _own(self) -> int:
        return min(len(self.top), int(0.1 * self.blocks) + 1, KEPT // 2)

    def learn_one(self, score: float) -> None:
        """Take the greatest score of one hour."""
        self.skip(1)
        own = self._own()
        top = self.top
        u = top[-own] if own >= 4 else self.start + 2.0 * self.scale
        excess = max(math.fsum(top[-own:]) / own - u, _LEAST) if own >= 4 else self.scale
        score = min(score, u + 4.0 * excess)
        if score >= u:
            if self.gap <= _RUN:
                self.gap = 0
                if score <= self.run:
                    return
                if self.run in top:
                    top.remove(self.run)
            self.gap, self.run = 0, score
        if len(top) >= KEPT and score <= top[0]:
            return
        insort(top, score)
        if len(top) > KEPT:
            del top[0]

    def skip(self, blocks: int) -> None:
        """Take ``blocks`` hours without any score (in closed form)."""
        keep = 0.5 ** (blocks / 672.0)
        self.blocks = self.blocks * keep + (1.0 - keep) / (1.0 - 0.5 ** (1.0 / 672.0))
        self.gap += blocks
        if len(self.top) > max(8, 0.4 * self.blocks):
            del self.top[0]

    def score_one(self, score: float) -> float:
        """Return -log10 P(an hour starts a run whose greatest score is >= ``score``); 0 or more."""
        prior = min(1.0, math.exp(-(score - self.start) / self.scale))
        top = self.top
        own = self._own()
        if own >= 4:
            u = top[-own]
            excess = max(math.fsum(top[-own:]) / own - u, _LEAST)
            # Where the score is below u, its rank says it; above, the fitted tail.
            p = own / self.blocks * math.exp(-(score - u) / excess) if score >= u else sum(t >= score for t in top) / self.blocks
            weight = own / (own + POOL)
            prior = (1.0 - weight) * prior + weight * min(1.0, p)
        return max(0.0, -math.log(max(prior, 1e-300)) / LN10)
