"""Raw records beside their mentions: of what type they are, when they were sent, which version a marker names."""

from __future__ import annotations

import msgspec

from schemas.mention import WatchlistMarker
from streams.engine.stage import Record, header
from streams.enrich.decode import EARLIEST_MS, LATEST_MS
from streams.reading import reader

CLOCK, MARKER = b"veille.clock", b"veille.watchlist.marker"
CONTROL = frozenset((CLOCK, MARKER))

_marker = reader(WatchlistMarker)


def type_in(record: Record) -> bytes | None:
    """Return the CloudEvents type of a record with headers, where it stands first in what Veille publishes."""
    name, value = record.headers[0]
    return value if name == "ce_type" else header(record, "ce_type")


def sent_at(record: Record) -> int:
    """Return a record's Kafka timestamp, which a publisher may set to anything, within what can be written."""
    stamp = record.timestamp
    return stamp if EARLIEST_MS <= stamp <= LATEST_MS else min(max(stamp, EARLIEST_MS), LATEST_MS)


def read_marker(record: Record) -> int | None:
    """Return the version that a marker names; None where it is none."""
    try:
        return _marker(record.value).version
    except msgspec.DecodeError:
        return None
