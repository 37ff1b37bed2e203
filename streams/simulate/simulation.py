"""The demo's mentions: ordinary days of seven brands with the planted events, made from a seed alone."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from schemas.mention import Mention, json_value
from streams.clock import rfc3339
from streams.errors import BadInput
from streams.simulate.brands import brand_profiles, demo_watchlist
from streams.simulate.draft import Draft, finish
from streams.simulate.events import PLANS, Scene, make_event
from streams.simulate.ordinary import OrdinaryDays
from streams.simulate.people import People
from streams.simulate.rhythm import DAY_MS

#: Monday 3 March 2025, midnight UTC.
START_MS: Final = 1_740_960_000_000
#: Greatest volume of a simulation.
MOST_VOLUME: Final = 100.0
_CROWD: Final = 9000


@dataclass(frozen=True)
class PlantedEvent:
    """What was planted: ``onset_ms`` is the time of its first mention, ``crisis`` is false for a decoy."""

    name: str
    brand: str
    kind: str
    onset_ms: int
    mention_ids: tuple[str, ...]
    crisis: bool


@dataclass(frozen=True)
class Simulation:
    """``mentions``: (published ms, mention) by time; ``truth``: the planted events by onset."""

    mentions: list[tuple[int, Mention]]
    truth: list[PlantedEvent]
    watchlist: str

    def watchlist_yaml(self) -> str:
        """Return the watchlist file that goes with the mentions."""
        return self.watchlist

    def rows(self) -> Iterator[tuple[int, bytes, str]]:
        """Yield (published ms, JSON, id), as `streams.sources.plan.plan` takes them."""
        for published_ms, mention in self.mentions:
            yield published_ms, json_value(mention), mention.id

    def truth_json(self) -> list[dict[str, Any]]:
        """Return the truth in the format of the exam ``lead``."""
        return [
            {
                "name": event.name,
                "brand": event.brand,
                "kind": event.kind,
                "onset": rfc3339(event.onset_ms),
                "mention_ids": list(event.mention_ids),
                "crisis": event.crisis,
            }
            for event in self.truth
        ]

    def write(self, folder: str | Path) -> None:
        """Write ``mentions.jsonl.gz``, ``watchlist.yaml`` and ``truth.json``; the same simulation gives the same bytes."""
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        body = b"".join(value + b"\n" for _, value, _ in self.rows())
        (place / "mentions.jsonl.gz").write_bytes(gzip.compress(body, 6, mtime=0))
        (place / "watchlist.yaml").write_text(self.watchlist, encoding="utf-8")
        (place / "truth.json").write_text(json.dumps(self.truth_json(), indent=1) + "\n", encoding="utf-8")


def simulate(seed: int, days: int = 3, volume: float = 1.0) -> Simulation:
    """Return the mentions of ``days`` days (2 to 21) with the events that begin in them. The same arguments give the same mentions.

    ``volume``: brands and events have so many times their usual mentions (at volume 1 about 9,500 a day in all).
    """
    if not 2 <= days <= 21:
        raise BadInput("a simulation has 2 to 21 days")
    if not 0.1 <= volume <= MOST_VOLUME:
        raise BadInput("the volume of a simulation is 0.1 to 100 times the usual one")
    end_ms = START_MS + days * DAY_MS
    people = People(Random(f"{seed}/people"), _CROWD, START_MS)
    drafts: list[Draft] = []
    brands = {brand.id: brand.times(volume) for brand in brand_profiles()}
    for brand in brands.values():
        drafts += OrdinaryDays(brand, people, Random(f"{seed}/{brand.id}/ordinary")).make(START_MS, days)
    planted: list[tuple[Any, list[Draft]]] = []
    for plan in (plan.times(volume) for plan in PLANS):
        if plan.hour < days * 24 - 12:
            scene = Scene(brands[plan.brand], people, f"{seed}/{plan.name}", START_MS, end_ms)
            event = make_event(plan, scene)
            planted.append((plan, event))
            drafts += event
    mentions = finish(drafts)
    truth = [
        PlantedEvent(plan.name, plan.brand, plan.kind, event[0].ms, tuple(draft.id for draft in event), plan.crisis)
        for plan, event in planted
    ]
    return Simulation(mentions, sorted(truth, key=lambda event: event.onset_ms), demo_watchlist())
