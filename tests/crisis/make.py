"""Records of ``brand.signals`` for tests."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.cloudevents import header_maker
from schemas.command import Command, ForwardedCommand
from schemas.crisis import Crisis
from schemas.signal import Contribution, Forecast, Signal, SignalWatermark, StoryReading
from streams.crisis.settings import CrisisSettings
from streams.crisis.stage import CrisisPartition
from streams.engine.stage import InputRecord, Output
from streams.gate.ledger import text_hash

MINUTE = 60_000
HOUR = 60 * MINUTE
START = 1_400_000_000_000


def story(story_id: str = "s1", **more: Any) -> StoryReading:
    """Return a story reading."""
    base: dict[str, Any] = {
        "by": "cascade", "score": 3.0, "terms": ("guitar", "broken"), "mentions": 40, "authors": 30, "negative_share": 0.8,
        "onset_ms": START - HOUR, "networks": {"x": 40}, "network_classes": {"pseudonymous": 40},
    }  # fmt: skip
    return StoryReading(story_id=story_id, **{**base, **more})


def signal(seq: int, minutes: float, brand: str = "acme", **more: Any) -> InputRecord:
    """Return the record of one reading, minutes after `START`."""
    at = START + int(minutes * MINUTE)
    base: dict[str, Any] = {
        "over": False, "score": 4.0, "threshold": 3.0, "step": int(minutes // 5), "stories": (story(),), "mentions": 40, "authors": 30,
        "negative_share": 0.8, "usual_day_authors": 50.0, "forecast_authors_24h": Forecast(median=100.0, low=50.0, high=200.0),
        "contributions": (Contribution(name="tone.negative", log_odds=2.0, text="80 % negative", values={"share": 80, "usual": 20}),),
    }  # fmt: skip
    value = Signal(brand=brand, seq=seq, at_ms=at, **{**base, **more})
    return InputRecord(-1, 0, brand.encode(), msgspec.json.encode(value), header_maker("veille.signal")("x", brand, ""))


def opened() -> list[InputRecord]:
    """Two readings over the threshold: an open crisis, whether one step or two open it."""
    return [signal(1, 0, over=True, margin=2.0), signal(2, 5, over=True, margin=2.0)]


def watermark(minutes: float) -> InputRecord:
    """Return the record of a watermark."""
    value = msgspec.json.encode(SignalWatermark(time_ms=START + int(minutes * MINUTE)))
    return InputRecord(-1, 0, None, value, header_maker("veille.watermark")("x", "", ""))


def command(
    name: str, offset: int, /, brand: str = "acme", crisis_id: str = "", role: str = "", by: str = "desk-1", **args: Any
) -> InputRecord:
    """Return the record of a forwarded command."""
    value = Command(id=f"c{offset}", command=name, brand=brand, by=by, at_ms=START, role=role, crisis_id=crisis_id, args=args)
    forwarded = ForwardedCommand(command=value, partition=0, offset=offset)
    return InputRecord(-1, 0, brand.encode(), msgspec.json.encode(forwarded), header_maker("veille.command.forwarded")("x", "", ""))


def approved(crisis_id: str, statement: str, text: str) -> list[InputRecord]:
    """Return the commands that bring a substantive statement through the gate, but for its release; they take the offsets 0 to 5."""
    said: list[tuple[str, str, dict[str, Any]]] = [
        ("capture", "ann", {"target": "https://example.org/letter"}),
        ("claim-add", "ann", {"claim": "k", "text": "it broke"}),
        ("claim-verify", "ann", {"claim": "k", "evidence": ["c0"]}),
        ("draft", "ann", {"statement": statement, "text": text, "claims": ["k"], "evidence": ["1"]}),
        *(("approve", who, {"statement": statement, "hash": text_hash(text)}) for who in ("bo", "cy")),
    ]
    return [command(name, n, crisis_id=crisis_id, by=by, role="lead", **args) for n, (name, by, args) in enumerate(said)]


def log(*records: InputRecord, start: int = 0) -> list[InputRecord]:
    """Number records as one log."""
    return [record._replace(offset=start + i) for i, record in enumerate(records)]


def fresh(**settings: Any) -> CrisisPartition:
    """Return a stage that has read nothing."""
    stage = CrisisPartition(0, CrisisSettings(**settings))
    stage.restore({}, None)
    return stage


def run(records: list[InputRecord], stage: CrisisPartition | None = None) -> list[Output]:
    """Process a log at once."""
    return list((stage or fresh()).process(records))


def events(outputs: list[Output]) -> list[tuple[str, Crisis]]:
    """(event type without prefix, card) of what went to crisis.events."""
    return [
        (output.headers[0][1].decode().removeprefix("veille.crisis."), msgspec.json.decode(output.value or b"", type=Crisis))
        for output in outputs
        if output.topic == "crisis.events"
    ]


def names(outputs: list[Output]) -> list[str]:
    """Return the event types."""
    return [name for name, _ in events(outputs)]
