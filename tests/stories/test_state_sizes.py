"""How large the brands of the demo are as bytes."""

from __future__ import annotations

import msgspec

from streams.backtest.run import partition_counts
from streams.detect.feeds import FEEDS
from streams.detect.packing import load, unpack
from streams.engine.memory import MemoryRunner
from streams.enrich.watchlist import Watchlists, parse_watchlist
from streams.settings import Settings
from streams.simulate import simulate
from streams.sources.plan import plan
from streams.topology import build_specs


def test_the_busiest_brand_of_the_demo_takes_little() -> None:
    """After two days of about 1,500 mentions a day each brand takes less than 22 KB, two fifths of what it holds."""
    made, settings = simulate(1, 2), Settings(_env_file=None, stages="enrich,detect")
    brands, watchlists, counts = parse_watchlist(made.watchlist_yaml(), "demo"), Watchlists(), partition_counts(settings)
    watchlists.add(brands)
    specs = build_specs(settings, watchlists, counts, version=brands.version)
    runner = MemoryRunner(specs, counts, timestamp_ms=2_000_000_000_000)
    for output in plan(made.rows(), counts["mentions.raw"]):
        runner.send([output])
        if output.partition == -1:
            runner.drain()
    saved = [state for stage in runner.stages["detect"].values() for state in stage.checkpoint(0, full=True).states]
    states = [state.value or b"" for state in saved if state.key != FEEDS]
    assert len(states) == len(brands.brands)
    most = max(states, key=len)
    assert 10_000 < len(most) < 22_000
    assert len(most) < 0.42 * len(msgspec.msgpack.encode(unpack(load(most))))
