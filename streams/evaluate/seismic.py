"""SEISMIC (Zhao et al., KDD 2015) without follower counts: a reference for the exam ``cascades``, not part of detection."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: The paper's memory kernel for Twitter: constant up to 5 minutes, then a power law.
_START: Final = 300.0
_THETA: Final = 0.242
_LEVEL: Final = 6.27e-4
#: The paper's correction of infectiousness after a while, for cascades whose degrees are not known.
_DAMPING: Final = 0.803


def _mass(u: Floats) -> Floats:
    """Integral of the kernel over [0, u] s."""
    late = np.maximum(u, _START)
    tail = _LEVEL * _START / _THETA * (1.0 - (late / _START) ** -_THETA)
    return np.asarray(_LEVEL * np.minimum(u, _START) + tail, dtype=np.float64)


def _moment(u: Floats) -> Floats:
    """Integral of s times the kernel over [0, u] s."""
    early, late = np.minimum(u, _START), np.maximum(u, _START)
    tail = _LEVEL * _START ** (1.0 + _THETA) / (1.0 - _THETA) * (late ** (1.0 - _THETA) - _START ** (1.0 - _THETA))
    return np.asarray(_LEVEL * early * early / 2.0 + tail, dtype=np.float64)


def final_size(times: Floats, now: float) -> float:
    """Return ln of the predicted final number of reactions at ``now`` (s since the root) from reactions at ``times`` (s, ascending).

    Infectiousness p is the triangular-kernel estimate over the last half of the cascade, eq. 5; the prediction is eq. 7 with
    every degree 1, so that p is a reproduction number. Where p > 1 the prediction is infinite: the paper's case; ln of the
    size then goes on with p, to keep the order.
    """
    now = max(now, 1.0)
    roots = np.concatenate([[0.0], times])
    start = np.maximum(now / 2.0 - roots, 0.0)
    end = now - roots
    between = _mass(end) - _mass(start)
    exposure = float(np.sum(2.0 / now * (_moment(end) - _moment(start)) + (2.0 * roots / now - 1.0) * between))
    weight = float(np.sum(np.maximum(1.0 - 2.0 * (now - times) / now, 0.0)))
    p = _DAMPING * weight / max(exposure, 1e-9)
    pending = float(np.sum(1.0 - _mass(end)))
    if p >= 0.99:
        return math.log1p(len(times) + 100.0 * pending) + p
    return math.log1p(len(times) + p * pending / (1.0 - p))
