"""What becomes of a raw record that counts for no brand: its untouched bytes, and why in Kafka Connect's headers."""

from __future__ import annotations

from schemas.cloudevents import trace_of
from streams.engine.stage import Output, Record

INPUT_TOPIC = "mentions.raw"
REJECTED_TOPIC = "mentions.rejected"

#: Reasons that say nothing bad of the publisher: the dead-letter limit does not count them.
EXPECTED = frozenset({"duplicate", "no_brand"})
#: Header of such a record.
EXPECTED_HEADER = ("veille-expected", b"1")

#: Header of a record that is too large to be set aside whole: how many bytes of key and value were left out.
LEFT_OUT_HEADER = "veille-left-out"
#: Bytes of key and value that fit into a record with all headers (the outbox takes a million in all).
_MOST = 998_000

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
    headers += trace_of(record.headers)
    key, value = record.key, record.value
    if len(key or b"") + len(value or b"") > _MOST:
        # With its reason it would be over the broker's limit, and nothing after it would ever be read. It still lies where the headers say.
        headers.append((LEFT_OUT_HEADER, b"%d" % (len(key or b"") + len(value or b""))))
        key = value = None
    return Output(REJECTED_TOPIC, key, value, headers)
