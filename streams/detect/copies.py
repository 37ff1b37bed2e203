"""Near-copies: texts whose signatures differ in few bits are one text."""

from __future__ import annotations

import msgspec

#: Bits in which two signatures of near-copies may differ, of 64.
DISTANCE = 7
_BANDS = ((0, 4), (4, 8), (8, 12), (12, 16))
MAX_BANDS = 512


class Copies(msgspec.Struct, array_like=True):
    """The signature that a text's near-copies share: the first one seen within 7 bits that agrees in one of four 16-bit bands.

    Up to 3 differing bits are found for certain, more as long as they leave one band alone (Manku et al., WWW 2007).
    The oldest bands are forgotten first.

    >>> copies = Copies()
    >>> copies.find("1dea0d5ddab9fac5"), copies.find("1d6a055ddab9f3d4"), copies.find("0123456789abcdef")
    ('1dea0d5ddab9fac5', '1dea0d5ddab9fac5', '0123456789abcdef')
    """

    #: {band number and its digits: signature}
    bands: dict[str, str] = {}

    def find(self, key: str) -> str:
        """Return the signature that stands for ``key``, a signature of 16 hexadecimal digits; remember it where it is new."""
        bands = self.bands
        names = [f"{start}{key[start:end]}" for start, end in _BANDS]
        bits: int | None = None
        for name in names:
            known = bands.get(name)
            if known is None:
                continue
            if known == key:
                return known
            if bits is None:
                bits = int(key, 16)
            if (bits ^ int(known, 16)).bit_count() <= DISTANCE:
                return known
        for name in names:
            bands.pop(name, None)
            bands[name] = key
        while len(bands) > MAX_BANDS:
            del bands[next(iter(bands))]
        return key
