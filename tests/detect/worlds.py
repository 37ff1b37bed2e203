"""Small worlds for the detect stage: mentions of one raw partition, applied up to a time."""

from __future__ import annotations

import math
import random
from typing import Any

import msgspec

from schemas.cloudevents import header_maker
from schemas.enriched import BrandSettings, Enriched, SourceState, Watermarks
from schemas.signal import Signal
from streams.crisis.recent import Told, whole
from streams.detect.season import PRIOR_HOURS
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

    def __init__(self, settings: DetectSettings | None = None) -> None:
        self.stage = DetectPartition(0, settings or DetectSettings(), 1)
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
                published_ms=at_ms, author=author, source=more.pop("source", "feed"), text=f"text {offset}", **more,
            )
        )  # fmt: skip

    def late(self, at_ms: int, published_ms: int, author: str, **more: Any) -> None:
        """Let a mention of ``published_ms`` be delivered at ``at_ms``."""
        offset = self._offset
        self.send(
            Enriched(
                brand="acme", id=f"m{offset}", network="x", partition=0, offset=offset, applies_ms=at_ms, published_ms=published_ms,
                author=author, source="feed", text=f"text {offset}", **more,
            )
        )  # fmt: skip

    def fire(self, at_ms: int, author: str) -> None:
        """Let ``author`` say that there is a fire."""
        self.send(
            Enriched(
                brand="acme", id=f"m{self._offset}", network="x", partition=0, offset=self._offset, applies_ms=at_ms, published_ms=at_ms,
                author=author, source="feed", text="there is a fire",
            )
        )  # fmt: skip

    def numbered(self, number: int, at_ms: int, author: str, **more: Any) -> None:
        """Let a mention arrive whose id and place in the raw log do not depend on when it arrives."""
        self.send(
            Enriched(
                brand="acme", id=f"m{number}", network="x", partition=0, offset=number, applies_ms=at_ms, published_ms=at_ms,
                author=author, source="feed", text=f"text {number}", **more,
            )
        )  # fmt: skip

    def until(self, at_ms: int) -> None:
        """Let time pass."""
        self.send(Watermarks(watermarks={0: at_ms}))

    def record(self, signal: Signal) -> InputRecord:
        """Return ``signal`` as a record of ``brand.signals``."""
        headers = header_maker("veille.signal")("id", signal.brand, "time")
        return InputRecord(-1, 0, signal.brand.encode(), msgspec.json.encode(signal), headers)

    def over(self) -> list[Signal]:
        """Return the signals that passed the threshold, whole: as who reads them in order knows them."""
        told: dict[str, Told] = {}
        return [signal for signal in [whole(told, signal) for signal in self.signals] if signal.over]


def ordinary(world: World, days: int, per_hour: float, seed: int = 3, start: int = START) -> None:
    """Poisson talk with the rhythm of day and night, one in six negative."""
    r = random.Random(seed)
    for hour in range(days * 24):
        mean = per_hour * PRIOR_HOURS[hour % 24]
        count, p = 0, math.exp(-mean)
        while (p := p * r.random()) > math.exp(-2 * mean) and count < 10 * mean + 10:
            count += 1
        for at in sorted(r.randrange(HOUR) for _ in range(round(r.gauss(mean, math.sqrt(mean))) if mean > 1 else count)):
            world.say(
                start + hour * HOUR + at, f"a{r.randrange(5000)}", polarity=r.choice(["negative", *["neutral"] * 4, "positive"]),
                negative_pm=300, terms=(f"w{r.randrange(60)}", f"v{r.randrange(60)}"),
            )  # fmt: skip
        world.until(start + (hour + 1) * HOUR)


def burst(world: World, at: int, count: int, minutes: float = 60.0, **more: Any) -> None:
    """A cascade of angry replies to one post."""
    world.say(at, "first", polarity="negative", negative_pm=800, crisis_words=("safety:poison",))
    root = f"m{world._offset - 1}"
    for i in range(count):
        values: dict[str, Any] = {"polarity": "negative", "negative_pm": 800, "crisis_words": ("safety:poison",)}
        values |= {"root_id": root, "parent_id": root, "kind": "reply"}
        world.say(at + round((i + 1) * minutes * 60_000 / count), f"b{i}", **(values | more))
    world.until(at + round(minutes * 60_000) + 60_000)
