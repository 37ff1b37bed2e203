"""How numbers are rounded before they are written or kept."""

from __future__ import annotations


def six(value: float) -> float:
    """Round to six significant digits, as everything that leaves the stage.

    >>> six(1234567.8), six(0.000123456789)
    (1234570.0, 0.000123457)
    """
    return float(f"{value:.6g}")


#: Floats of this size are multiples of 1/1024, so that adding it rounds, half to even; counts up to 2^41 may be of either sign.
GRID = 1.5 * 2.0**42


def on_grid(count: float) -> float:
    """Round to a multiple of 1/1024, as counts that are kept: sums of such counts are exact, and short once they are compressed.

    >>> on_grid(0.5), on_grid(2.0 / 3.0)
    (0.5, 0.6669921875)
    """
    return (count + GRID) - GRID
