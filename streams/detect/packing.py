"""A brand's state as bytes: without what follows from the rest, and compressed where it is large."""

from __future__ import annotations

import sys

import cramjam
import msgspec

from schemas.enriched import BrandSettings
from streams.detect.brand import Brand
from streams.detect.feed import NO_MARKS, Marks
from streams.errors import Fatal

#: First byte of a saved state. Up to format 2 authors stood in it by name, up to 3 another pooled tail of scores, up to 4
#: each answer to what had eased let it ring again: a replay would differ; up to 5 alarms were counted where nobody read it.
FORMAT = 6
#: States of more bytes are compressed, by zstd as for Kafka: that of a busy brand to two fifths.
_LARGE, _LEVEL = 4096, 6

_encoder = msgspec.msgpack.Encoder()
_brand = msgspec.msgpack.Decoder(Brand)
_settings = msgspec.msgpack.Decoder(BrandSettings)


class Packed(msgspec.Struct, array_like=True, gc=False):
    """A brand as bytes, and what must be known of it unless it is unpacked. ``w`` is the one that counts."""

    w: int
    timer: int
    version: int
    settled: bool
    sources: tuple[str, ...]
    blind: tuple[str, ...]
    #: Whether its feeds are compared with those of others.
    compared: bool
    compressed: bool
    state: bytes
    marks: Marks = NO_MARKS
    #: Nothing happened yet: ``state`` are the settings that were told.
    told: bool = False


_packed = msgspec.msgpack.Decoder(Packed)


def pack(brand: Brand) -> Packed:
    """Return ``brand`` as bytes; it stays as it is."""
    book, copies, counts = brand.book, brand.copies, brand.counts
    index, bands = book.index, copies.bands
    book.tidy()
    # Both are made anew from stories and signatures; the others are computed where they are missing.
    book.index, copies.bands = {}, {}
    brand.factors, counts.six, counts.day = [], [], []
    state = _encoder.encode(brand)
    book.index, copies.bands = index, bands
    compressed = len(state) > _LARGE
    if compressed:
        state = bytes(cramjam.zstd.compress(state, level=_LEVEL))
    compared = brand.volume_class >= 0
    return Packed(
        brand.w, brand.timer, brand.version, brand.settled, tuple(brand.sources), tuple(brand.blind), compared, compressed,
        state, brand.marks,
    )  # fmt: skip


def told(settings: BrandSettings) -> Packed:
    """Return a brand of which only its settings are known: of many brands nobody ever speaks."""
    return Packed(-1, 0, settings.version, bool(settings.match_hash), (), (), False, False, _encoder.encode(settings), told=True)


def unpack(packed: Packed) -> Brand:
    """Return the brand that was packed."""
    if packed.told:
        settings = _settings.decode(packed.state)
        brand = Brand(id=settings.brand, w=packed.w)
        brand.settle(settings)
        return brand
    brand = _brand.decode(cramjam.zstd.decompress(packed.state) if packed.compressed else packed.state)
    brand.w = packed.w
    # msgspec leaves defaults out by identity: a string that was loaded must be the interned one, or bytes differ.
    brand.timezone = sys.intern(brand.timezone)
    brand.book.find_keys()
    return brand


def save(packed: Packed) -> bytes:
    """Return the bytes of a checkpoint."""
    return bytes((FORMAT,)) + _encoder.encode(packed)


def load(value: bytes) -> Packed:
    """Return what a checkpoint saved. Raises `Fatal` where another version of Veille did."""
    if value[0] != FORMAT:
        raise Fatal("detect's states were saved by another version: delete its changelog and committed offsets, and it reads its log anew")
    return _packed.decode(memoryview(value)[1:])
