"""CloudEvents 1.0 in Kafka binary mode: headers built from constants for each type."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Headers = list[tuple[str, bytes]]

SOURCE = b"/veille"
#: The longest ``traceparent`` that is carried along: a header is the publisher's, and counts against the size of what we write.
MAX_TRACE_BYTES = 256
#: Where the schemas say that they are.
SCHEMA_ROOT = "https://veille.example/schemas/"

#: CloudEvents type -> schema file under ``schemas/events`` that describes the value.
SCHEMA_OF = {
    "veille.mention": "mention",
    "veille.clock": "clock",
    "veille.watchlist.marker": "watchlist_marker",
    "veille.brand.defined": "brand",
    "veille.watchlist": "watchlist",
    "veille.enriched": "enriched",
    "veille.watermarks": "watermarks",
    "veille.source": "source_state",
    "veille.brand": "brand_settings",
    "veille.baseline": "learned_baseline",
    "veille.signal": "signal",
    "veille.watermark": "signal_watermark",
    "veille.command": "command",
    "veille.command.forwarded": "forwarded_command",
    "veille.evidence": "evidence",
    "veille.task": "task",
    "veille.statement": "statement",
    "veille.claim": "claim",
    "veille.notification": "notification",
}


def header_maker(event_type: str, *, source: bytes = SOURCE) -> Callable[[str, str, str], Headers]:
    """Return ``headers(ce_id, ce_subject, ce_time)`` for one event type. ``ce_type`` always comes first."""
    schema = SCHEMA_OF.get(event_type, "crisis" if event_type.startswith("veille.crisis.") else event_type)
    before = [("ce_type", event_type.encode())]
    after = [
        ("ce_source", source),
        ("ce_specversion", b"1.0"),
        ("ce_dataschema", f"{SCHEMA_ROOT}{schema}.schema.json".encode()),
        ("content-type", b"application/json"),
    ]

    def headers(ce_id: str, subject: str, time: str) -> Headers:
        return [
            *before,
            ("ce_id", ce_id.encode()),
            ("ce_subject", subject.encode("utf-8", "replace")),
            ("ce_time", time.encode()),
            *after,
        ]

    return headers


def type_of(headers: Sequence[tuple[str, bytes]]) -> bytes:
    """Return the CloudEvents type in ``headers``, or b"" where there is none (Kafka allows a header without a value)."""
    for name, value in headers:
        if name == "ce_type":
            return value or b""
    return b""


def trace_of(headers: Sequence[tuple[str, bytes]]) -> Headers:
    """Return the ``traceparent`` to carry along, as a list of at most one: none where it is longer than any (W3C: 55 bytes).

    >>> trace_of([("traceparent", b"00-1-2-01"), ("traceparent", b"x")]), trace_of([("traceparent", b"0" * 1_000_000)])
    ([('traceparent', b'00-1-2-01')], [])
    """
    for name, value in headers:
        if name == "traceparent":
            return [(name, value)] if value and len(value) <= MAX_TRACE_BYTES else []
    return []
