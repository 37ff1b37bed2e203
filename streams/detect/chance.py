"""From a score to a chance: told once people have said often enough what was a crisis and what was none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from streams.detect.formulas import clip
from streams.rounding import six

#: Verdicts of a brand below which its number stays a score.
LEAST = 30
_FILE = Path(__file__).parent / "data" / "chance.json"


class Map(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Log-odds of a crisis = ``offset`` + ``slope`` x the greatest number so far, where crises and decoys are as many (``rings``)."""

    offset: float
    slope: float
    rings: int


@lru_cache(maxsize=1)
def shipped() -> Map:
    """Return the map that `make train-chance` fitted on planted truth."""
    return msgspec.json.decode(_FILE.read_bytes(), type=Map)


def chance(peak: float, verdicts: Sequence[float]) -> float | None:
    """Return the probability that what rings is a crisis; None where there are fewer than `LEAST` verdicts.

    ``peak`` is the greatest number since it rings, ``verdicts`` are 1 where a person confirmed an alarm, else 0: how many crises come
    on an alarm of this brand is theirs to say (prior correction of a logistic regression, King and Zeng 2001), which of two alarms is
    rather one is the map's.

    >>> chance(3.0, [1.0] * 29) is None
    True
    >>> chance(3.0, [1.0] * 20 + [0.0] * 10) > chance(3.0, [1.0] * 10 + [0.0] * 20)
    True
    """
    if len(verdicts) < LEAST:
        return None
    confirmed = math.fsum(verdicts)
    known = shipped()
    odds = known.offset + known.slope * peak + math.log((confirmed + 1.0) / (len(verdicts) - confirmed + 1.0))
    return six(1.0 / (1.0 + math.exp(-clip(odds, -30.0, 30.0))))
