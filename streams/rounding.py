"""How numbers are rounded before they are written."""

from __future__ import annotations


def six(value: float) -> float:
    """Round to six significant digits, as everything that leaves the stage.

    >>> six(1234567.8), six(0.000123456789)
    (1234570.0, 0.000123457)
    """
    return float(f"{value:.6g}")
