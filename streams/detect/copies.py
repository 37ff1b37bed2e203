"""Near-copies: texts whose signatures differ in few bits are one text."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

#: Bits in which two signatures of near-copies may differ, of 64. Counted with `Copies.find` on six real sets, each in its order: 7 joins
#: 871 texts to one that shares most of its words, 101 to one that shares some, 1 to another text; 8 joins 1,021, 163, 4; 9 1,176, 228, 4;
#: 10 1,275, 309, 13. A stricter count of five sets: 7 630, 82, 0; 8 775, 131, 1; 9 874, 202, 6; 10 923, 313, 4. Up to the eighth a bit
#: brings two to three copies for a doubtful one and hardly another text.
DISTANCE = 8
MAX_TEXTS = 128


class Copies(msgspec.Struct, array_like=True, gc=False):
    """The signature that a text's near-copies share: the newest one within 8 bits that agrees in one of four 16-bit bands.

    Up to 3 differing bits are found for certain, more as long as they leave one band alone (Manku et al., WWW 2007).
    The oldest signatures are forgotten first.

    >>> copies = Copies()
    >>> copies.find("1dea0d5ddab9fac5"), copies.find("1d6a055ddab9f3d4"), copies.find("0123456789abcdef")
    ('1dea0d5ddab9fac5', '1dea0d5ddab9fac5', '0123456789abcdef')
    """

    #: Signatures in the order in which they came; {band number * 65536 + its 16 bits: signature} follows from them.
    known: dict[int, None] = {}
    bands: dict[int, int] = {}

    def find(self, key: str) -> str:
        """Return the signature that stands for ``key``, a signature of 16 hexadecimal digits; remember it where it is new."""
        try:
            bits = int(key, 16)
        except ValueError:
            return key
        known = self.known
        if bits in known or len(key) != 16:
            return key
        if known and not self.bands:
            self.bands = _bands(known)
        a, b, c, d = bits & 0xFFFF, 0x10000 | (bits >> 16 & 0xFFFF), 0x20000 | (bits >> 32 & 0xFFFF), 0x30000 | (bits >> 48 & 0xFFFF)
        bands = self.bands
        for band in (d, c, b, a):
            near = bands.get(band)
            if near is not None and (bits ^ near).bit_count() <= DISTANCE:
                return f"{near:016x}"
        bands[a] = bands[b] = bands[c] = bands[d] = bits
        known[bits] = None
        if len(known) > MAX_TEXTS:
            # The older half at once, so that one text more costs little.
            self.known = dict.fromkeys(list(known)[MAX_TEXTS // 2 :])
            self.bands = {}
        return key


def _bands(known: Iterable[int]) -> dict[int, int]:
    bands: dict[int, int] = {}
    for bits in known:
        bands[bits & 0xFFFF] = bands[0x10000 | (bits >> 16 & 0xFFFF)] = bits
        bands[0x20000 | (bits >> 32 & 0xFFFF)] = bands[0x30000 | (bits >> 48 & 0xFFFF)] = bits
    return bands
