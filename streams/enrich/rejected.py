"""What becomes of a raw record that counts for no brand: its untouched bytes, and why in Kafka Connect's headers."""

from __future__ import annotations

from schemas.cloudevents import trace_of
from streams.engine.deadletters import EXPECTED_HEADER, rejected_headers, set_aside
from streams.engine.stage import Output, Record

INPUT_TOPIC = "mentions.raw"
REJECTED_TOPIC = "mentions.rejected"

#: Reasons that say nothing bad of the publisher: the dead-letter limit does not count them.
EXPECTED = frozenset({"duplicate", "no_brand"})

#: Reasons that a raw record may be rejected for.
REASONS = EXPECTED | {
    "empty", "too_large", "not_json", "not_object", "bad_id", "bad_network", "no_text", "text_too_long", "bad_time", "too_old",
    "bad_clock", "clock_ahead", "bad_marker", "unreadable",
}  # fmt: skip


def rejected(partition: int, record: Record, reason: str) -> Output:
    """Return the record for ``mentions.rejected``; ``reason`` is one of `REASONS`, never words of the mention."""
    headers = rejected_headers(INPUT_TOPIC, partition, record.offset, "enrich", "Rejected", reason)
    if reason in EXPECTED:
        headers.append((EXPECTED_HEADER, b"1"))
    return set_aside(REJECTED_TOPIC, record, [*headers, *trace_of(record.headers)])
