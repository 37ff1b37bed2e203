"""``recovery``: brand states of 4 KB, from a changelog that is not yet compacted, back in a worker's hands."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

from streams.engine.changelog import Changelog, changelog_topic, recover
from streams.engine.outbox import Outbox
from streams.engine.stage import Checkpoint, StateRecord
from streams.engine.topics import CHANGELOG_CONFIG, TopicPlan, ensure_topics
from streams.evaluate.bench.mentions import delete_topics
from streams.evaluate.bench.traffic import PARTITIONS
from streams.rounding import six
from streams.settings import Settings

BYTES_EACH = 4096


def run(broker: str, quick: bool, *, states: int = 0) -> dict[str, Any]:
    """Return ``states``, ``bytes_each``, ``seconds`` and ``per_second``; see the package.

    A quarter of the states is written a second time, as between two compactions. Partitions are read one after the other, on one core.
    """
    states = states or (400 if quick else 100_000)
    settings = Settings(broker=broker, run=f"bench-{uuid.uuid4().hex[:8]}", _env_file=None)
    name = changelog_topic(settings, "recovery")
    try:
        return asyncio.run(_measure(settings, name, states))
    finally:
        delete_topics(broker, [settings.topic(name)])


async def _measure(settings: Settings, name: str, states: int) -> dict[str, Any]:
    await ensure_topics(settings, {name: TopicPlan(PARTITIONS, config=CHANGELOG_CONFIG)})
    outbox = Outbox(settings)
    await outbox.start()
    written = 0
    for partition in range(PARTITIONS):
        changelog = Changelog(outbox, name, partition)
        changelog.generation = 1
        keys = list(range(partition, states, PARTITIONS))
        for progress, share in ((1, keys), (2, keys[: len(keys) // 4])):
            for start in range(0, len(share), 500):
                part = [StateRecord(b"brand%d" % key, progress, _state(key, progress)) for key in share[start : start + 500]]
                written += len(part)
                changelog.write(Checkpoint(part, b"cut", start))
                await outbox.room()
        await outbox.confirmed()
    await outbox.stop()
    before, cpu = time.perf_counter(), time.process_time()
    found = 0
    for partition in range(PARTITIONS):
        found += len((await recover(settings, name, partition)).states)
    seconds = time.perf_counter() - before
    if found != states:
        raise AssertionError(f"{found} of {states} states came back")
    return {
        "rounds": 1, "states": states, "bytes_each": BYTES_EACH, "records_read": written, "seconds": six(seconds),
        "cpu_seconds": six(time.process_time() - cpu), "per_second": six(states / seconds),
    }  # fmt: skip


def _state(key: int, progress: int) -> bytes:
    """Bytes that compress about as a packed state does: half of them numbers, half of them zeros."""
    import random

    return random.Random(key * 2 + progress).randbytes(BYTES_EACH // 2) + bytes(BYTES_EACH // 2)
