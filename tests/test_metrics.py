"""The catalogue of metrics and the pages that serve it."""

from __future__ import annotations

from pathlib import Path

import httpx

from streams.engine.meter import Meter, NullMeter
from streams.http import application, serve
from streams.metrics import CATALOGUE, PrometheusMeter, exposed_names, metrics_page

ROOT = Path(__file__).resolve().parents[1]


def test_names_follow_the_conventions() -> None:
    """Names start with veille_, carry base units, and no label is unbounded."""
    for metric in CATALOGUE:
        assert metric.name.startswith("veille_")
        assert not metric.name.endswith(("_total", "_ms", "_minutes", "_milliseconds"))
        assert metric.help.endswith(".")
        assert set(metric.labels) <= {"stage", "topic", "partition", "type", "kind", "target", "outcome", "source"}
        assert (metric.kind == "histogram") == bool(metric.buckets)
        assert list(metric.buckets) == sorted(metric.buckets)


def test_the_page_is_current() -> None:
    """docs/metrics.md says what the catalogue says."""
    assert (ROOT / "docs" / "metrics.md").read_text("utf-8") == metrics_page()


def test_the_meter_has_every_method_of_the_engine() -> None:
    """Whatever the engine reports reaches a metric."""
    meter: Meter = PrometheusMeter(now=lambda: 5000)
    wanted = {name for name in vars(NullMeter) if not name.startswith("_")}
    assert wanted <= set(dir(meter))
    meter.records_in("enrich", 3)
    meter.records_out("enrich", "mentions.enriched", 2)
    meter.processed("enrich", 0.002)
    meter.checkpoint("enrich", 0.2, 4096)
    meter.lag("enrich", 1, 7)
    meter.in_progress("enrich", 1, 2)
    meter.rejected("enrich", 1)
    meter.recovered("enrich", 1, 10, 0.5)
    meter.outbox(512)
    meter.rebalance(4)
    assert isinstance(meter, PrometheusMeter)
    text = meter.exposition().decode()
    assert 'veille_records_in_total{stage="enrich"} 3.0' in text
    assert 'veille_lag_records{partition="1",stage="enrich"} 7.0' in text
    assert 'veille_last_processed_timestamp_seconds{stage="enrich"} 5.0' in text


def test_an_opening_tells_its_delay() -> None:
    """The delay of an opened crisis is the event time from its onset, in seconds."""
    meter = PrometheusMeter()
    meter.crisis_event("veille.crisis.opened", "rumour", "2026-03-02T08:00:00Z", "2026-03-02T08:10:00Z")
    meter.crisis_event("veille.crisis.eased", "rumour", "2026-03-02T08:00:00Z", "2026-03-02T09:10:00Z")
    text = meter.exposition().decode()
    assert 'veille_detection_delay_seconds_sum{kind="rumour"} 600.0' in text
    assert 'veille_crisis_events_total{type="eased"} 1.0' in text


def test_every_series_is_in_the_catalogue() -> None:
    """What /metrics shows is what the catalogue names, and nothing else (but the creation times of the library)."""
    meter = PrometheusMeter()
    shown = {line.split()[2] for line in meter.exposition().decode().splitlines() if line.startswith("# TYPE")}
    names = {metric.name + ("_total" if metric.kind == "counter" else "") for metric in CATALOGUE}
    assert {name for name in shown if not name.endswith("_created")} == names
    assert len(exposed_names()) >= len(CATALOGUE)


async def test_the_pages_answer() -> None:
    """/ping is alive at once, /ready follows the worker, /metrics is Prometheus text."""
    state = {"ready": False}
    pages = application(PrometheusMeter(), lambda: state["ready"])
    async with serve("127.0.0.1", 0, "VEILLE_HTTP__PORT", pages) as port, httpx.AsyncClient() as client:
        base = f"http://127.0.0.1:{port}"
        assert (await client.get(f"{base}/ping")).text == "pong\n"
        assert (await client.get(f"{base}/ready")).status_code == 503
        state["ready"] = True
        assert (await client.get(f"{base}/ready")).status_code == 200
        page = await client.get(f"{base}/metrics")
        assert page.headers["content-type"].startswith("text/plain")
        assert "veille_ready 1.0" in page.text
