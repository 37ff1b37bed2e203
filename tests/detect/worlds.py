"""Small worlds for the detect stage: mentions of one raw partition, applied up to a time."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.cloudevents import header_maker
from schemas.enriched import BrandSettings, Enriched, SourceState, Watermarks
from schemas.signal import Signal
from streams.detect.settings import DetectSettings
from streams.detect.stage import DetectPartition
from streams.engine.stage import InputRecord

HOUR = 3_600_000
START = 1_740_960_000_000
_TYPES: dict[type[Any], str] = {
    Enriched: "veille.enriched", BrandSettings: "veille.brand", SourceState: "veille.source", Watermarks: "veille.watermarks",
}  # fmt: skip


class World:
    """One raw partition, one detect partition; ``signals`` holds what came out."""

    def __init__(self) -> None:
        self.stage = DetectPartition(0, DetectSettings(), 1)
        self.stage.restore({}, None)
        self.signals: list[Signal] = []
        self._offset = 0

    def send(self, value: Any) -> None:
        """Let one record of ``mentions.enriched`` arrive."""
        headers = header_maker(_TYPES[type(value)])("id", "subject", "time")
        record = InputRecord(self._offset, 0, None, msgspec.json.encode(value), headers)
        self._offset += 1
        self.signals += [msgspec.json.decode(out.value or b"", type=Signal) for out in self.stage.process([record])]

    def watch(self, brand: str = "acme", **more: Any) -> None:
        """Put a brand on the watchlist at the start."""
        version, at = more.pop("version", 1), more.pop("at", START)
        self.send(BrandSettings(brand=brand, version=version, partition=0, offset=-1, applies_ms=at, **more))

    def say(self, at_ms: int, author: str, brand: str = "acme", **more: Any) -> None:
        """Let ``author`` say something at ``at_ms``."""
        more.setdefault("polarity", "neutral")
        offset = self._offset
        self.send(
            Enriched(
                brand=brand, id=f"m{offset}", network=more.pop("network", "x"), partition=0, offset=offset, applies_ms=at_ms,
                published_ms=at_ms, author=author, source="feed", text=f"text {offset}", **more,
            )
        )  # fmt: skip

    def until(self, at_ms: int) -> None:
        """Let time pass."""
        self.send(Watermarks(watermarks={0: at_ms}))

    def over(self) -> list[Signal]:
        """Return the signals that passed the threshold."""
        return [signal for signal in self.signals if signal.over]
