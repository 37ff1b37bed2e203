"""Raw records, and a polarity that is a plain function of one text, for the tests of this room."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from schemas.brand import Brand, Watchlist
from streams.clock import rfc3339
from streams.engine.stage import InputRecord, Output
from streams.enrich.settings import EnrichSettings
from streams.enrich.stage import EnrichPartition
from streams.enrich.watchlist import Watchlists

if TYPE_CHECKING:
    from streams.enrich.polarity import Polarity

NOW = 1_700_000_000_000
CLOCK = (("ce_type", b"veille.clock"),)
MARKER = (("ce_type", b"veille.watchlist.marker"),)


class PlainPolarity:
    """Scores by a checksum: enough to see that texts and scores stay together."""

    def score(self, texts: Sequence[str], langs: Sequence[str]) -> list[tuple[int, int, str]]:
        return [(zlib.crc32(f"{lang} {text}".encode()) % 1000, 0, "") for text, lang in zip(texts, langs, strict=True)]


def mention(offset: int, text: str = "acme is fine", *, second: int = 0, **fields: Any) -> InputRecord:
    """A raw mention published ``second`` seconds after `NOW`."""
    data = {"id": f"id{offset}", "network": "twitter", "text": text, "published_at": date(second), **fields}
    return InputRecord(offset, NOW, b"k", json.dumps(data).encode())


def date(second: int) -> str:
    """Write the moment ``second`` seconds after `NOW`."""
    return rfc3339(NOW + second * 1000)


def clock(offset: int, second: int, source: str = "a", timestamp: int | None = None) -> InputRecord:
    """A clock record of ``second`` seconds after `NOW`."""
    time_ms = NOW + second * 1000
    value = json.dumps({"source_id": source, "time_ms": time_ms}).encode()
    return InputRecord(offset, time_ms if timestamp is None else timestamp, None, value, CLOCK)


def marker(offset: int, version: int) -> InputRecord:
    """A watchlist marker."""
    return InputRecord(offset, NOW, None, json.dumps({"version": version}).encode(), MARKER)


def watchlists() -> Watchlists:
    """Version 1 knows acme and bolt, version 2 bolt alone."""
    found = Watchlists()
    acme = Brand(id="acme", names=("Acme",), handles={"*": ("acme",)}, owned=("acme_official",))
    found.add(Watchlist(brands=(acme, Brand(id="bolt", names=("Bolt",)))))
    found.add(Watchlist(brands=(Brand(id="bolt", names=("Bolt",)),), version=2))
    return found


def stage(known: Watchlists | None = None, **settings: Any) -> EnrichPartition:
    """A partition at the start of its log."""
    part = EnrichPartition(
        0, EnrichSettings(**settings), known if known is not None else watchlists(), 1, cast("Polarity", PlainPolarity())
    )
    part.restore({}, None)
    return part


def kinds(outputs: Sequence[Output]) -> list[str]:
    """Name each output: its CloudEvents type, or the reason of its rejection."""
    names = []
    for output in outputs:
        headers = dict(output.headers)
        names.append((headers.get("ce_type") or headers["__connect.errors.exception.message"]).decode())
    return names
