"""A watchlist and what people taught take effect in a worker that runs, without a restart, at their markers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from schemas.enriched import Enriched
from schemas.topics import load_topics
from streams.cli.child import worker_process
from streams.cli.definitions import apply_watchlist, teach_polarity
from streams.cli.demo import environment
from streams.clock import rfc3339, wall_ms
from streams.engine.topics import partition_counts
from streams.enrich.polarity import Polarity
from streams.enrich.polarity_learn import BrandPolarity
from streams.enrich.watchlist import parse_watchlist
from streams.settings import Settings
from tests.stories.road import read_all, story_settings

FIRST = "brands:\n  - {id: acme, names: [Acme]}\n"
SECOND = "brands:\n  - {id: acme, names: [Acme]}\n  - {id: bolt, names: [Bolt]}\n"
TEXT = "acme and bolt: wicked bass, sick build"


async def test_changes_take_effect_while_the_worker_runs(embedded_broker: str, tmp_path: Path) -> None:
    """A brand is named from its version's marker on; what its people taught counts from a later one, and a further apply keeps it."""
    settings = story_settings(embedded_broker, "changes")
    await partition_counts(settings, list(load_topics()))
    names = environment(settings, tmp_path) | {"VEILLE_RUN": settings.run}
    del names["VEILLE_WATCHLIST"]
    learner = BrandPolarity(Polarity.load())
    for _ in range(60):
        learner.learn("acme", "wicked bass, sick build", "en", "positive")
        learner.learn("acme", "the shop opens on monday", "en", "neutral")
    found: dict[str, list[Enriched]] = {}
    with worker_process(names, tmp_path / "worker.log"):
        reason = await _rejected(settings, "none")
        assert await apply_watchlist(settings, parse_watchlist(FIRST, "first")) == 1
        found["first"] = await _enriched(settings, "first")
        assert await teach_polarity(settings, learner.learned()) == (2, ["acme"])
        found["taught"] = await _enriched(settings, "taught")
        assert await apply_watchlist(settings, parse_watchlist(SECOND, "second")) == 3
        found["second"] = await _enriched(settings, "second")
    assert reason == b"no_brand"
    assert [(record.brand, record.version) for record in found["first"]] == [("acme", 1)]
    assert [(record.brand, record.version) for record in found["taught"]] == [("acme", 2)]
    assert {(record.brand, record.version) for record in found["second"]} == {("acme", 3), ("bolt", 3)}
    told = {name: next(record for record in found[name] if record.brand == "acme").positive_pm for name in ("first", "taught", "second")}
    assert told["first"] < told["taught"] == told["second"]
    assert next(record for record in found["second"] if record.brand == "bolt").positive_pm == told["first"]


async def _send(settings: Settings, identity: str) -> None:
    mention = {"id": identity, "network": "x", "text": TEXT, "lang": "en", "published_at": rfc3339(wall_ms())}
    async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
        await producer.send_and_wait(settings.topic("mentions.raw"), json.dumps(mention).encode(), partition=0)


async def _enriched(settings: Settings, identity: str) -> list[Enriched]:
    """Send a mention and wait for its records."""
    await _send(settings, identity)
    while True:
        records: list[Any] = [json.loads(record.value) for record in await read_all(settings, "mentions.enriched") if record.value]
        if found := [Enriched(**record) for record in records if record.get("id") == identity]:
            return found
        await asyncio.sleep(0.2)


async def _rejected(settings: Settings, identity: str) -> bytes:
    """Send a mention and wait for its refusal; return the reason."""
    await _send(settings, identity)
    while True:
        for record in await read_all(settings, "mentions.rejected"):
            if json.loads(record.value)["id"] == identity:
                reason: bytes = dict(record.headers)["__connect.errors.exception.message"]
                return reason
        await asyncio.sleep(0.2)
