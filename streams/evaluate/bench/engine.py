"""``engine``: read a topic of 1,000,000 mentions, parse each, count by key, commit. What the engine itself costs.

All contestants use one decoder, keep the counts in a plain dictionary, and record where they stopped: in the consumer group, or, as
Bytewax does, in its recovery store. Time runs from the first record handled to the last commit; starting up is not counted. For Bytewax
and Quix Streams, whose last commit cannot be told from their shutting down, it runs to the last record, in their favour.
"""

from __future__ import annotations

import uuid
from typing import Any

from streams.evaluate.bench.mentions import create_topic, delete_topics, engine_mentions, fill
from streams.evaluate.bench.rounds import contestant, in_turn, table

CONTESTANTS = ("veille", "stock_faust", "bytewax", "quixstreams", "aiokafka", "confluent_kafka")


def run(broker: str, quick: bool, *, records: int = 0, rounds: int = 0) -> dict[str, Any]:
    """Return ``contestants`` and ``ratios``; see the package."""
    records = records or (8_000 if quick else 1_000_000)
    rounds = rounds or (1 if quick else 3)
    run = uuid.uuid4().hex[:8]
    topic = f"bench-{run}-engine"
    create_topic(broker, topic)
    fill(broker, topic, ((key, value, None, []) for key, value in engine_mentions(records)))
    try:
        found = in_turn(
            CONTESTANTS,
            rounds,
            lambda name, number: contestant(
                f"engine_{name}",
                {"broker": broker, "topic": topic, "group": f"bench-{run}-{name}-{number}", "records": records},
                timeout_seconds=60.0 if quick else 900.0,
            ),
        )
    finally:
        delete_topics(broker, [topic])
    contestants, ratios = table(found, "records_per_second")
    return {"rounds": rounds, "records": records, "contestants": contestants, "ratios": ratios}
