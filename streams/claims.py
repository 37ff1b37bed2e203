"""How much a claim is in doubt, from how people react to it: used by whoever judges rumours.

"In doubt" means unverified, never false: nobody's reactions prove a claim wrong, and Veille calls none so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

#: Cues that speak for or against doubt, in the order of the weights.
CUES: Final = ("hearsay", "denial", "fact_check", "question")
#: Mentions at which a share counts half of what it would among many.
_SHRINK: Final = 4.0


class Doubt(msgspec.Struct, frozen=True):
    """Weights of the logistic model, and where they were measured (see `streams.evaluate.rumour_train`)."""

    version: int
    measured_on: list[str]
    intercept: float
    weights: list[float]


@cache
def weights() -> Doubt:
    """Return the shipped weights; read once."""
    return msgspec.json.decode(Path(__file__).with_name("claims.json").read_bytes(), type=Doubt)


def shares(cues: Mapping[str, int], mentions: int) -> tuple[float, ...]:
    """Return the square roots of the shares of mentions with each cue, shrunk towards 0 while there are few."""
    return tuple(math.sqrt(cues.get(cue, 0) / (mentions + _SHRINK)) for cue in CUES)


def in_doubt(cues: Mapping[str, int], mentions: int, known: Doubt | None = None) -> float:
    """Return the probability that a claim is in doubt, given ``cues`` counted over its root and reactions.

    Before anything is known it is near a half: claims that were confirmed and claims that were not are taken as equally frequent.

    >>> in_doubt({"denial": 8, "question": 9}, 20) > in_doubt({"question": 1}, 20)
    True
    """
    known = known or weights()
    total = known.intercept + math.fsum(w * x for w, x in zip(known.weights, shares(cues, mentions), strict=True))
    return 1.0 / (1.0 + math.exp(-total))
