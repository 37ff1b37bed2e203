"""Names as numbers: an author or a signature that is only ever compared takes five bytes instead of seventeen."""

from __future__ import annotations

import xxhash


def number_of(name: str) -> int:
    """Return the 32-bit number that stands for a name. In a table of 1,000 one new name in four million is taken for a known one.

    >>> number_of("5af3c1d2e4b60798") == number_of("5af3c1d2e4b60798") < 2**32
    True
    """
    return xxhash.xxh3_64_intdigest(name.encode("utf-8", "replace")) & 0xFFFF_FFFF
