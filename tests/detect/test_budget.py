"""The alarm budget of a brand, under the ceiling for all brands together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.brand import Brand as Watched
from schemas.brand import Watchlist
from schemas.enriched import BrandSettings
from schemas.mention import json_value
from streams.clock import rfc3339
from streams.detect.brand import Brand
from streams.detect.stage import DetectPartition
from streams.engine.memory import MemoryRunner
from streams.engine.stage import InputRecord, Output
from streams.enrich.brands import BrandMatcher
from streams.enrich.outputs import brand_settings
from streams.enrich.watchlist import Watchlists
from streams.settings import Settings
from streams.sources.plan import clock_record
from streams.topology import build_specs
from tests.detect.worlds import HOUR, START

MINUTE = 60_000


@given(own=st.lists(st.floats(0, 1000), min_size=1, max_size=40), ceiling=st.floats(0.001, 1000))
def test_brands_together_never_ask_for_more_than_the_ceiling(own: list[float], ceiling: float) -> None:
    """Whatever each asks for: the sum stays below the ceiling, no brand gets more than it asked for, and thresholds follow."""
    brands = tuple(Watched(id=f"b{i}", names=(f"B{i}",), alarms_per_week=asked) for i, asked in enumerate(own))
    found = {}
    for output in brand_settings(BrandMatcher(Watchlist(brands=brands, alarms_per_week=ceiling)), 1, 0, -1, 0):
        settings = msgspec.json.decode(output.value or b"", type=BrandSettings)
        brand = Brand(id=settings.brand)
        brand.settle(settings)
        found[brand.id] = brand
    assert math.fsum(brand.budget.asked for brand in found.values()) <= ceiling * (1 + 1e-9)
    for i, asked in enumerate(own):
        budget = found[f"b{i}"].budget
        assert budget.asked <= asked
        assert budget.threshold() == pytest.approx(math.log10(168.0 / max(budget.asked, 1e-6)))


def test_without_a_ceiling_each_brand_has_what_it_asks() -> None:
    """0 is none."""
    watched = Watched(id="a", names=("A",), alarms_per_week=7.0)
    (output,) = brand_settings(BrandMatcher(Watchlist(brands=(watched,))), 1, 0, -1, 0)
    brand = Brand(id="a")
    brand.settle(msgspec.json.decode(output.value or b"", type=BrandSettings))
    assert brand.budget.asked == 7.0


def _raw() -> list[Output]:
    """A crisis of one brand in each of two watchlist versions; the second has more brands under the same ceiling."""
    raw = [clock_record(START, "feed")]
    number = 0
    for version, hour, name in ((1, 1, "Acme"), (2, 30, "Beta")):
        if version == 2:
            marker = (("ce_type", b"veille.watchlist.marker"),)
            raw += [Output("mentions.raw", None, json_value({"version": 2}), marker, p) for p in (0, 1)]
        for i in range(120):
            at = START + hour * HOUR + i * 20_000
            number += 1
            mention = {
                "id": f"m{number}", "network": "x", "text": f"{name} poison scandal boycott now, take {number}",
                "published_at": rfc3339(at), "author": {"id": f"u{number}"}, "root_id": f"root-{name}", "kind": "reply",
            }  # fmt: skip
            raw.append(Output("mentions.raw", None, json_value(mention), (), number % 2))
            raw.append(clock_record(at, "feed"))
        raw.append(clock_record(START + (hour + 5) * HOUR, "feed"))
    return raw


def _run(raw: Sequence[Output], batch: int) -> tuple[list[tuple[int, InputRecord]], list[float]]:
    """Return the signals, and what all brands together ask after each batch."""
    watchlists = Watchlists()
    for version, names in ((1, ("Acme", "Calm")), (2, ("Acme", "Calm", "Beta", "Gamma"))):
        brands = tuple(Watched(id=name.lower(), names=(name,), alarms_per_week=5.0) for name in names)
        watchlists.add(Watchlist(brands=brands, version=version, alarms_per_week=3.0))
    counts = dict.fromkeys(("mentions.raw", "mentions.enriched", "brand.signals", "crisis.commands", "crisis.events"), 2)
    signals: list[tuple[int, InputRecord]] = []

    def tap(topic: str, partition: int, record: InputRecord) -> None:
        if topic == "brand.signals" and record.key is not None:
            signals.append((partition, record))

    runner = MemoryRunner(
        build_specs(Settings(stages="enrich,detect"), watchlists, counts), counts, timestamp_ms=START + 40 * HOUR, tap=tap
    )
    asked = []
    for start in range(0, len(raw), batch):
        runner.send(raw[start : start + batch])
        runner.drain()
        stages = [stage for stage in runner.stages["detect"].values() if isinstance(stage, DetectPartition)]
        asked.append(math.fsum(brand.budget.asked for stage in stages for brand in stage.brands.values()))
    return signals, asked


def test_the_ceiling_reaches_detect_through_the_log_and_a_replay_agrees() -> None:
    """The number of brands is that of the version in force; other batches give the same bytes for each brand."""
    raw = _raw()
    (one, asked), (two, _) = _run(raw, 1), _run(raw, 57)
    assert max(asked) <= 3.0 + 1e-9
    assert asked[-1] == pytest.approx(3.0)
    keyed = [sorted((record.key or b"", record.headers[1][1], record.value) for _, record in found) for found in (one, two)]
    assert keyed[0] == keyed[1]
    shares = {(record.key, msgspec.json.decode(record.value or b"")["alarms_per_week"]) for _, record in one}
    assert (b"acme", 1.5) in shares
    assert (b"beta", 0.75) in shares
