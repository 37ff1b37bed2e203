"""``pipeline``: the whole road raw -> enriched -> signals with the real stage functions.

Each contestant calls the same functions in one process and writes every output to the broker. The peers keep the stages' states in memory
and save none of them; Veille waits for its outputs, saves states and commits as ever. Time runs from the first record of enrich until
detect has applied everything.
"""

from __future__ import annotations

import statistics
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from streams.evaluate.bench.mentions import create_topic, delete_topics, fill
from streams.evaluate.bench.rounds import contestant, in_turn, table
from streams.evaluate.bench.traffic import Traffic, last_clock_ms, spread_out
from streams.rounding import six

CONTESTANTS = ("veille", "stock_faust", "bytewax", "quixstreams", "memory")
#: Volume of the dense stream: about 40 mentions of each of seven brands between two grid lines.
DENSE = 40.0
_TOPICS = ("mentions.raw", "mentions.enriched", "mentions.rejected", "brand.signals")


def prepare(broker: str, run: str, traffic: Traffic) -> dict[str, Any]:
    """Create a run's topics, fill its raw log, and return the job of a contestant."""
    raw = traffic.raw()
    for name in _TOPICS:
        create_topic(broker, f"{run}.{name}")
    fill(broker, f"{run}.mentions.raw", spread_out(raw))
    return {
        "broker": broker, "run": run, "traffic": msgspec.to_builtins(traffic), "end_ms": last_clock_ms(raw), "mentions": traffic.mentions,
    }  # fmt: skip


def clear(broker: str, run: str) -> None:
    """Delete a run's topics."""
    delete_topics(broker, [f"{run}.{name}" for name in _TOPICS])


def play(broker: str, name: str, traffic: Traffic, *, timeout_seconds: float = 1800.0) -> dict[str, Any]:
    """Run one contestant over topics of its own."""
    run = f"bench-{uuid.uuid4().hex[:8]}"
    job = prepare(broker, run, traffic)
    try:
        return contestant(f"pipeline_{name}", job, timeout_seconds)
    finally:
        clear(broker, run)


def run(broker: str, quick: bool, *, mentions: int = 0, rounds: int = 0, contestants: Sequence[str] = CONTESTANTS) -> dict[str, Any]:
    """Return ``contestants``, ``ratios`` and ``us_per_mention``; see the package. ``dense`` holds the same of a dense stream.

    The first is the simulation as it is, a mention or two of each brand and grid line: what a worker meets that reads old days again.
    """
    mentions = mentions or (1_500 if quick else 100_000)
    limit = 120.0 if quick else 1800.0
    rounds = rounds or (1 if quick else 3)
    usual = _compare(broker, Traffic(mentions), rounds, contestants, limit)
    return {**usual, "dense": _compare(broker, Traffic(mentions, volume=DENSE), rounds, contestants, limit)}


def _compare(broker: str, traffic: Traffic, rounds: int, contestants: Sequence[str], limit: float) -> dict[str, Any]:
    found = in_turn(contestants, rounds, lambda name, number: play(broker, name, traffic, timeout_seconds=limit))
    entries, ratios = table(found, "records_per_second")
    return {
        "rounds": rounds, "mentions": traffic.mentions, "volume": traffic.volume, "contestants": entries, "ratios": ratios,
        "us_per_mention": _by_stage(found["veille"]),
    }  # fmt: skip


def _by_stage(results: list[dict[str, Any]]) -> dict[str, float]:
    """Return µs of CPU a mention of Veille's worker: the stages (of the thread that runs them), and what the engine adds to them."""
    per = {name: statistics.median(1e6 * result["stages"][name] / result["records"] for result in results) for name in ("enrich", "detect")}
    total = statistics.median(1e6 * result["cpu_seconds"] / result["records"] for result in results)
    per["engine"] = total - sum(per.values())
    return {name: six(value) for name, value in {**per, "total": total}.items()}
