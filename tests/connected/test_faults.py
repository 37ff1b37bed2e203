"""Faults on live workers: nobody can see them in what comes out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import pytest

from infra.kafka import KafkaCluster, Missing
from schemas.mention import Mention, json_value
from streams.evaluate.faults import Plan, run_faults
from streams.simulate import simulate
from streams.sources.plan import plan as raw_log

pytestmark = pytest.mark.connected

FAULTS = int(os.environ.get("VEILLE_FAULTS", "10"))
MENTIONS = int(os.environ.get("VEILLE_FAULT_MENTIONS", "40000"))
SEED = int(os.environ.get("VEILLE_FAULT_SEED", "7"))


def mentions(count: int) -> tuple[list[tuple[int, bytes, str]], str]:
    """Return ``count`` simulated mentions by time: as many seeded crowds as it takes, each with ids of its own."""
    found: list[tuple[int, bytes, str]] = []
    watchlist = ""
    seed = 0
    while len(found) < count:
        seed += 1
        made = simulate(seed, min(21, max(2, -(-count // 9000))))
        watchlist = made.watchlist
        for published_ms, mention in made.mentions:
            own = _renamed(mention, f"{seed}-")
            found.append((published_ms, json_value(own), own.id))
    found.sort(key=lambda row: (row[0], row[2]))
    return found[:count], watchlist


def _renamed(mention: Mention, prefix: str) -> Mention:
    changes = {name: prefix + value for name in ("id", "root_id", "parent_id") if (value := getattr(mention, name))}
    return msgspec.structs.replace(mention, **changes)


@pytest.mark.timeout(3600)
def test_faults_leave_no_trace(tmp_path: Path) -> None:
    """Killed, frozen and joining workers, slow acknowledgements, a broker that restarts and hangs: every mention counts exactly once, and
    nothing that a consumer can see changes."""
    rows, watchlist = mentions(MENTIONS)
    (tmp_path / "watchlist.yaml").write_text(watchlist, "utf-8")
    raw = list(raw_log(rows, 4))
    try:
        cluster = KafkaCluster().start()
    except Missing as missing:
        pytest.skip(str(missing))
    try:
        plan = Plan(mentions=MENTIONS, faults=FAULTS, seed=SEED)
        report = run_faults(cluster, tmp_path, raw, MENTIONS, tmp_path / "watchlist.yaml", plan, _say)
    finally:
        cluster.stop()
    for line in report.lines():
        _say(line)
    assert sum(report.kinds.values()) == FAULTS
    assert report.comparison.topics["crisis.events"]["records"] > 0, "a run without a crisis proves nothing"
    assert report.equal, "\n".join(report.lines())


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
