"""The benchmarks run, small, for their function only: nothing here judges a time."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from infra.kafka import KafkaCluster
from streams.evaluate.bench import run_bench

pytestmark = pytest.mark.connected

peers = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("bytewax", "quixstreams")), reason="pip install 'veille[bench]'"
)
RATE = {"median", "min", "max"}


def _machine(found: dict[str, Any]) -> None:
    assert {"cpu", "cores", "python", "broker"} <= found["machine"].keys()
    assert found["rounds"] == 1


@peers
def test_engine_compares_six_contestants(kafka: KafkaCluster) -> None:
    """Every contestant reads, parses, counts and commits everything, and is compared with Veille."""
    found = run_bench("engine", kafka.bootstrap, quick=True)
    _machine(found)
    assert set(found["contestants"]) == {"veille", "stock_faust", "bytewax", "quixstreams", "aiokafka", "confluent_kafka"}
    assert all(set(entry["records_per_second"]) == RATE for entry in found["contestants"].values())
    assert set(found["ratios"]) == set(found["contestants"]) - {"veille"}


@peers
def test_pipeline_compares_five_ways_along_the_road(kafka: KafkaCluster) -> None:
    """The real stages run to the last clock under every engine."""
    found = run_bench("pipeline", kafka.bootstrap, quick=True)
    _machine(found)
    for density in (found, found["dense"]):
        assert set(density["contestants"]) == {"veille", "stock_faust", "bytewax", "quixstreams", "memory"}
        assert set(density["us_per_mention"]) == {"enrich", "detect", "engine", "total"}


def test_latency_is_measured_on_crisis_events(kafka: KafkaCluster) -> None:
    """A load has its rate and its quantiles."""
    found = run_bench("latency", kafka.bootstrap, quick=True)
    _machine(found)
    assert found["capacity_per_second"] > 0 < found["backlog_per_second"]
    assert {"share", "per_second", "p50_ms", "p95_ms", "p99_ms"} <= found["loads"][0].keys()


def test_scale_counts_brands_and_workers(kafka: KafkaCluster) -> None:
    """Brands, the hot brand and two workers are all measured."""
    found = run_bench("scale", kafka.bootstrap, quick=True)
    _machine(found)
    assert all({"count", "us_per_mention", "us_with_start", "start_seconds", "peak_rss_mb"} <= entry.keys() for entry in found["brands"])
    assert {"share", "throughput_ratio"} <= found["hot_brand"].keys()
    assert [entry["count"] for entry in found["workers"]] == [1, 2]


def test_recovery_brings_every_state_back(kafka: KafkaCluster) -> None:
    """All states come back from a log that holds some of them twice."""
    found = run_bench("recovery", kafka.bootstrap, quick=True)
    _machine(found)
    assert {"states", "bytes_each", "seconds", "per_second"} <= found.keys()
