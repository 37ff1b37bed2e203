"""What people said of alarms, and the weights that follow from it."""

from __future__ import annotations

import math

import msgspec

from streams.detect.formulas import clip
from streams.detect.score import SHIPPED, Weights

#: Verdicts that are kept, the newest.
MAX_VERDICTS = 60
#: Standard deviations of the prior around the shipped values; bounds: a factor of 2, for the offset of the odds.
_SD_OFFSET, _SD_WEIGHT, _FACTOR = 0.5, 0.25, 2.0
_SWEEPS = 30


class Verdicts(msgspec.Struct, array_like=True, gc=False):
    """A logistic regression of "confirmed" on the four groups of the score, of which only an offset and the weights move.

    Maximum a posteriori with a Gaussian prior at the shipped values (0, 1, 1, 1, 1), by coordinate-wise Newton steps, a fixed
    number of them over all verdicts, so that the same verdicts give the same weights. Each stays within a factor of 2. A later
    verdict on the same alarm replaces the earlier one.

    >>> verdicts = Verdicts()
    >>> for day in range(6):
    ...     weights = verdicts.learn_one(day, (4.0, 0.5, 0.5, 0.5), confirmed=False)
    >>> [round(weight, 2) for weight in weights]
    [-0.69, 0.5, 0.83, 0.83, 0.83]
    """

    #: (alarm ms, volume, growth, tone, spread, 1 where it was confirmed)
    rows: list[tuple[int, float, float, float, float, float]] = []

    def learn_one(self, alarm_ms: int, groups: tuple[float, ...], *, confirmed: bool) -> Weights:
        """Take a verdict on the alarm at ``alarm_ms`` with its ``groups``; return the weights."""
        volume, growth, tone, spread = groups
        others = [row for row in self.rows if row[0] != alarm_ms]
        self.rows = [*others, (alarm_ms, volume, growth, tone, spread, float(confirmed))][-MAX_VERDICTS:]
        return self.weights()

    def weights(self) -> Weights:
        """Return (offset, four weights)."""
        found = list(SHIPPED)
        rows = [((1.0, *row[1:5]), row[5]) for row in self.rows]
        for _ in range(_SWEEPS):
            for place in range(5):
                deviation = _SD_WEIGHT if place else _SD_OFFSET
                slope = (SHIPPED[place] - found[place]) / deviation**2
                bend = 1.0 / deviation**2
                for values, label in rows:
                    z = math.fsum(weight * value for weight, value in zip(found, values, strict=True))
                    p = 1.0 / (1.0 + math.exp(-clip(z, -30.0, 30.0)))
                    slope += (label - p) * values[place]
                    bend += p * (1.0 - p) * values[place] ** 2
                low, high = (1.0 / _FACTOR, _FACTOR) if place else (-math.log(_FACTOR), math.log(_FACTOR))
                found[place] = clip(found[place] + slope / bend, low, high)
        return found[0], found[1], found[2], found[3], found[4]
