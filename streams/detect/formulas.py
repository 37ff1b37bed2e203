"""Small formulas that several estimators share: decay, tails, quantiles. All natural logarithms unless named otherwise."""

from __future__ import annotations

import math

LN10 = math.log(10.0)
_ROOT2 = math.sqrt(2.0)
#: 95 % quantile of the standard normal: bounds of a central 90 % interval.
Z90 = 1.6448536269514722


def clip(value: float, low: float, high: float) -> float:
    """Return ``value`` within [low, high]."""
    return low if value < low else high if value > high else value


def normal_tail(z: float) -> float:
    """Return -log10 P(Z >= z) of a standard normal; beyond erfc's range by its asymptote.

    >>> round(normal_tail(0.0), 4), round(normal_tail(6.0), 2), round(normal_tail(60.0), 1)
    (0.301, 9.01, 783.9)
    """
    if z < 30.0:
        return -math.log10(0.5 * math.erfc(z / _ROOT2))
    return (0.5 * z * z + math.log(z * math.sqrt(2.0 * math.pi))) / LN10


def count_tail(count: float, mean: float, variance: float) -> float:
    """Return -log10 P(N >= count) of a negative binomial with this mean and variance (Poisson where variance <= mean).

    By the signed root of the deviance, a normal variable to second order (McCullagh and Nelder 1989, ch. 2), so that
    it holds for non-integer counts too; half a count is taken off for continuity.

    >>> round(count_tail(20, 5.0, 5.0), 1), round(count_tail(20, 5.0, 15.0), 1), count_tail(0, 5.0, 5.0)
    (6.3, 2.1, 0.0)
    """
    x = count - 0.5
    if x <= 0.0:
        return 0.0
    if mean < 1e-9:
        mean = 1e-9
    over = variance - mean
    if over <= 1e-9 * mean:
        deviance = x * math.log(x / mean) - (x - mean)
    else:
        size = mean * mean / over
        deviance = x * math.log(x / mean) - (x + size) * math.log((x + size) / (mean + size))
    root = math.sqrt(2.0 * deviance) if deviance > 0.0 else 0.0
    root = root if x >= mean else -root
    # As `normal_tail`, without the call.
    return -math.log10(0.5 * math.erfc(root / _ROOT2)) if root < 30.0 else normal_tail(root)


def gamma_quantile(shape: float, rate: float, z: float) -> float:
    """Return a quantile of Gamma(shape, rate) at the normal quantile ``z`` (Wilson and Hilferty 1931).

    >>> round(gamma_quantile(10.0, 2.0, 1.6449), 2)
    7.85
    """
    ninth = 1.0 / (9.0 * shape)
    root: float = max(0.0, 1.0 - ninth + z * math.sqrt(ninth))
    return shape / rate * root * root * root


def gamma_above(shape: float, rate: float, value: float) -> float:
    """Return P(G > value) of Gamma(shape, rate), by the same approximation.

    >>> round(gamma_above(10.0, 2.0, 7.85), 2)
    0.05
    """
    ninth = 1.0 / (9.0 * shape)
    z = ((value * rate / shape) ** (1.0 / 3.0) - (1.0 - ninth)) / math.sqrt(ninth)
    return 0.5 * math.erfc(z / math.sqrt(2.0))
