"""Recalibration: what a score means on this brand's own history."""

from __future__ import annotations

import math
from bisect import bisect_left, insort

import msgspec

from streams.detect.formulas import LN10

#: Greatest scores kept of a brand's hours.
KEPT = 60
#: Own exceedances at which own and pooled history count the same.
POOL = 50.0
#: Exceedances that the pooled scale stands for.
PRIOR = 10.0
#: Hours below u that end a run, the least mean excess, and mean excesses beyond u at which an hour is capped.
_RUN, _LEAST, _CAP = 6, 0.15, 6.0
#: Own exceedances, and above which score by how much on average.
Fit = tuple[int, float, float]


class Tail(msgspec.Struct, array_like=True, gc=False):
    """-log10 of the probability that an ordinary hour's greatest score is at least this one.

    Own history: the greatest scores of past hours (blocks, which takes care of the strong dependence between steps). Above a
    high quantile u, of a run of hours above it only the greatest (runs declustering, Coles 2001, ch. 5), the excess is
    exponential, the Gumbel case of a generalised Pareto tail (Siffer et al., "SPOT", KDD 2017): P(X >= x) = k / n exp(-(x - u) / b),
    b the mean excess. Until there are four exceedances the pooled tail counts alone, exp(-(x - start) / scale); then there are two
    ways. A *score* means something of its own, so the own tail is mixed with the pooled one, weight k / (k + 50): an odd hour of a
    silent brand is no crisis. A *surprise* (``own_start``) is a probability that was never calibrated, so where its tail begins
    is the brand's own matter, and the pooled scale stands for ten exceedances beside the own ones (the mean of a Gamma prior on it).
    An hour's score is capped at u + 6 b before it is learned, so that one crisis does not make the next one ordinary: among 30
    ordinary exceedances one in thirteen has any that is cut. Old hours are forgotten (half-life 28 days).

    Pooled start: eight runs of hours reach a score of 3 in 433 ordinary hours of the three brands of ``fashion_2021``, so it is
    3 + ln(8 / 433) (-1.6 to -0.7 with a brand left out). Pooled scale: chosen on seeds 1, 2, 3, 7 and 42 of the simulation.

    >>> tail = Tail()
    >>> round(tail.score_one(6.0), 2)
    3.04
    >>> for hour in range(200):
    ...     tail.learn_one(hour % 10 / 2.0)
    >>> tail.score_one(4.0) < tail.score_one(8.0)
    True
    """

    start: float = -1.0
    scale: float = 1.0
    blocks: float = 0.0
    #: Greatest scores of past hours, ascending; of a run of hours above u only the greatest.
    top: list[float] = []
    #: Greatest score of the run that goes on, and hours since it was above u.
    run: float = 0.0
    gap: int = _RUN
    own_start: bool = False

    def _own(self) -> int:
        return min(len(self.top), int(0.1 * self.blocks) + 1, KEPT // 2)

    def _above(self, own: int) -> tuple[float, float]:
        """Return u and the mean excess over it."""
        u = self.top[-own]
        return u, max(math.fsum(self.top[-own:]) / own - u, _LEAST)

    def learn_one(self, score: float) -> None:
        """Take the greatest score of one hour."""
        self.skip(1)
        own, top = self._own(), self.top
        if own < 4:  # too few to know what is high
            score = min(score, self.start + _CAP * self.scale)
        else:
            u, excess = self._above(own)
            score = min(score, u + _CAP * excess)
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

    def fit(self) -> Fit:
        """Return the own tail, which changes by the hour only."""
        own = self._own()
        if own < 4:
            return own, 0.0, 0.0
        u, excess = self._above(own)
        return own, u, (own * excess + PRIOR * self.scale) / (own + PRIOR) if self.own_start else excess

    def score_one(self, score: float, fit: Fit | None = None) -> float:
        """Return -log10 P(an hour starts a run whose greatest score is >= ``score``); 0 or more. ``fit``: where it is at hand."""
        own, u, excess = fit or self.fit()
        p = math.exp(-(score - self.start) / self.scale)
        if own >= 4:
            # Where the score is below u, its rank says it; above, the fitted tail.
            mine = own * math.exp(-(score - u) / excess) if score >= u else float(len(self.top) - bisect_left(self.top, score))
            mine /= self.blocks
            weight = 1.0 if self.own_start else own / (own + POOL)
            p = (1.0 - weight) * (p if p < 1.0 else 1.0) + weight * (mine if mine < 1.0 else 1.0)
        return 0.0 if p >= 1.0 else -math.log(p if p > 1e-300 else 1e-300) / LN10
