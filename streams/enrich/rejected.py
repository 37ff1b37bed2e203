"""What becomes of a raw record that counts for no brand: its untouched bytes, and why in Kafka Connect's headers."""

from __future__ import annotations

from streams.engine.stage import Output, Record

INPUT_TOPIC = "mentions.raw"
REJECTED_TOPIC = "mentions.rejected"

#: Reasons that say nothing bad of the publisher: the dead-letter limit does not count them.
EXPECTED = frozenset({"duplicate", "no_brand"})
#: Header of such a record.
EXPECTED_HEADER = ("veille-expected", b"1")

#: Reasons that a raw record may be rejected for.
REASONS = EXPECTED | {
    "empty", "too_large", "not_json", "not_object", "bad_id", "bad_network", "no_text", "text_too_long", "bad_time", "too_old",
    "bad_clock", "clock_ahead", "bad_marker", "unreadable",
}  # fmt: skip


def rejected(partition: int, record: Record, reason: str) -> Output:
    """Return the record for ``mentions.rejected``; ``reason`` is one of `REASONS`, never words of the mention."""
    headers = [
        ("__connect.errors.topic", INPUT_TOPIC.encode()),
        ("__connect.errors.partition", b"%d" % partition),
        ("__connect.errors.offset", b"%d" % record.offset),
        ("__connect.errors.stage", b"enrich"),
        ("__connect.errors.exception.class.name", b"Rejected"),
        ("__connect.errors.exception.message", reason.encode()),
    ]
    if reason in EXPECTED:
        headers.append(EXPECTED_HEADER)
    for name, value in record.headers:
        if name == "traceparent":
            headers.append((name, value))
    return Output(REJECTED_TOPIC, record.key, record.value, headers)
