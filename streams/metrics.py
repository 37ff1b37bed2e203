"""The one catalogue of metrics: what ``/metrics`` shows, with type, unit and meaning.

docs/metrics.md is made from it, and tests hold alert rules and dashboards against it. Labels are bounded: stages, topics,
partitions, names of the sources file and fixed words, never brands or anything of a mention.

    python -m streams.metrics    write docs/metrics.md
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from streams.clock import wall_ms


class Metric(NamedTuple):
    """One metric: its name (with the unit, without `_total`), labels, meaning and, for a histogram, its buckets."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_SLOW: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
#: From a minute to two days: a snowball is found in minutes, a slow burn in hours.
_DELAY: Final = (60.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 57600.0, 86400.0, 172800.0)

CATALOGUE: Final = (
    Metric("veille_records_in", "counter", "Records that a stage applied.", ("stage",)),
    Metric("veille_records_out", "counter", "Records that a stage handed to the outbox, by topic.", ("stage", "topic")),
    Metric("veille_records_rejected", "counter", "Records that a stage refused; they are in the rejected topic.", ("stage",)),
    Metric("veille_batches_in_progress", "gauge", "Batches of a partition that wait for the stage.", ("stage", "partition")),
    Metric("veille_lag_records", "gauge", "Records of a partition that are not applied yet.", ("stage", "partition")),
    Metric("veille_last_processed_timestamp_seconds", "gauge", "Wall time at which a stage last applied records.", ("stage",)),
    Metric("veille_process_seconds", "histogram", "CPU time of one piece of a batch in a stage.", ("stage",), _FAST),
    Metric("veille_checkpoint_seconds", "histogram", "Duration of a checkpoint.", ("stage",), _SLOW),
    Metric("veille_changelog_bytes", "counter", "Bytes that checkpoints wrote to the changelog.", ("stage",)),
    Metric("veille_recovered_states", "counter", "States that were read back after a start or a rebalance.", ("stage",)),
    Metric("veille_recovery_seconds", "histogram", "Duration of one partition's recovery.", ("stage",), _SLOW),
    Metric("veille_outbox_bytes", "gauge", "Bytes that the broker has not confirmed yet."),
    Metric("veille_rebalances", "counter", "How often the group was reshuffled."),
    Metric("veille_owned_partitions", "gauge", "Input partitions that this worker owns."),
    Metric("veille_ready", "gauge", "1 when recovery is over and input and output are connected."),
    Metric("veille_crisis_events", "counter", "Events written to crisis.events, by type without its prefix.", ("type",)),
    Metric(
        "veille_detection_delay_seconds", "histogram", "Event time from the earliest mention of a crisis to its opening.", ("kind",), _DELAY
    ),
    Metric("veille_notifications", "counter", "Notifications by outcome: sent, or rejected to the dead letters.", ("outcome",)),
    Metric(
        "veille_watermark_timestamp_seconds", "gauge", "Event time up to which a stage's partition is computed.", ("stage", "partition")
    ),
    Metric(
        "veille_alarms_asked_per_week",
        "gauge",
        "Alarm budget: false alarms a week that may page a person, all brands of the newest watchlist in force together. Every worker "
        "that enriches shows it: take the maximum.",
    ),
    Metric(
        "veille_paging_openings_last_week",
        "gauge",
        "Crises that began to page a person within the last seven days of event time, by outcome: confirmed by a person, or unconfirmed "
        "(so far a false alarm).",
        ("partition", "outcome"),
    ),
    Metric(
        "veille_sampling_share",
        "gauge",
        "Share of the hottest brand's mentions that detect looked at, at the busiest since the last look (1: all of them).",
        ("partition",),
    ),
    Metric(
        "veille_suspect_feeds",
        "gauge",
        "Sources that look faulty: more than a fifth of comparable brands are loud on them at once, so their volume opens nothing.",
        ("partition",),
    ),
    Metric("veille_mentions_left_out", "counter", "Mentions of hot brands that were counted and left out of a sample.", ("partition",)),
    Metric("veille_mentions_early", "counter", "Mentions dated beyond the clock by more than the limit: moved to it.", ("partition",)),
    Metric(
        "veille_ids_forgotten",
        "counter",
        "Ids of mentions forgotten within the duplicates' window, since the capacity was reached: a second delivery would count.",
        ("partition",),
    ),
    Metric("veille_source_up", "gauge", "1 while a source of `veille collect` is heard, by its name in the sources file.", ("source",)),
    Metric("veille_source_mentions", "counter", "Mentions of a source that the broker has.", ("source",)),
    Metric("veille_source_refused", "counter", "What a source said that was no usable mention.", ("source",)),
    Metric("veille_source_last_success_timestamp_seconds", "gauge", "Wall time at which a source was last heard.", ("source",)),
    Metric("veille_waiting_mentions", "gauge", "Mentions that wait for the watermark in detect.", ("partition",)),
)
_KINDS: Final = ("snowball", "corporate", "rumour", "own_post")


class PrometheusMeter:
    """Keeps the catalogue's metrics in a registry of its own; implements `streams.engine.meter.Meter`.

    With a ``prefix`` only those that begin with it: who is no worker must not seem to be one that is not ready.
    """

    def __init__(self, *, now: Callable[[], int] = wall_ms, prefix: str = "") -> None:
        self.registry = CollectorRegistry()
        self._now = now
        self._metrics: dict[str, MetricWrapperBase] = {
            metric.name: self._make(metric) for metric in CATALOGUE if metric.name.startswith(prefix)
        }

    def shows(self, name: str) -> bool:
        """Say whether a metric is among those that are kept."""
        return name in self._metrics

    def _make(self, metric: Metric) -> MetricWrapperBase:
        if metric.kind == "counter":
            return Counter(metric.name, metric.help, metric.labels, registry=self.registry)
        if metric.kind == "gauge":
            return Gauge(metric.name, metric.help, metric.labels, registry=self.registry)
        return Histogram(metric.name, metric.help, metric.labels, registry=self.registry, buckets=metric.buckets)

    def count(self, name: str, amount: float, *labels: str) -> None:
        """Add to a counter of the catalogue."""
        metric = cast(Counter, self._metrics[name])
        (metric.labels(*labels) if labels else metric).inc(amount)

    def put(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge of the catalogue."""
        metric = cast(Gauge, self._metrics[name])
        (metric.labels(*labels) if labels else metric).set(value)

    def observe(self, name: str, value: float, *labels: str) -> None:
        """Add one value to a histogram of the catalogue."""
        metric = cast(Histogram, self._metrics[name])
        (metric.labels(*labels) if labels else metric).observe(value)

    def exposition(self) -> bytes:
        """Return the Prometheus text format."""
        return generate_latest(self.registry)

    # What the engine calls.

    def records_in(self, stage: str, count: int) -> None:
        """Count applied records and note when."""
        self.count("veille_records_in", count, stage)
        self.put("veille_last_processed_timestamp_seconds", self._now() / 1000, stage)

    def records_out(self, stage: str, topic: str, count: int) -> None:
        """Count records handed to the outbox."""
        self.count("veille_records_out", count, stage, topic)

    def processed(self, stage: str, seconds: float) -> None:
        """Observe the CPU time of a piece."""
        self.observe("veille_process_seconds", seconds, stage)

    def checkpoint(self, stage: str, seconds: float, size: int) -> None:
        """Observe a checkpoint and count its bytes."""
        self.observe("veille_checkpoint_seconds", seconds, stage)
        self.count("veille_changelog_bytes", size, stage)

    def lag(self, stage: str, partition: int, records: int) -> None:
        """Set what a partition still has to apply."""
        self.put("veille_lag_records", records, stage, str(partition))

    def in_progress(self, stage: str, partition: int, batches: int) -> None:
        """Set the batches that wait."""
        self.put("veille_batches_in_progress", batches, stage, str(partition))

    def rejected(self, stage: str, count: int) -> None:
        """Count refused records."""
        self.count("veille_records_rejected", count, stage)

    def recovered(self, stage: str, partition: int, states: int, seconds: float) -> None:
        """Count recovered states and observe how long it took."""
        self.count("veille_recovered_states", states, stage)
        self.observe("veille_recovery_seconds", seconds, stage)

    def outbox(self, size: int) -> None:
        """Set the unconfirmed bytes."""
        self.put("veille_outbox_bytes", size)

    def rebalance(self, partitions: int) -> None:
        """Count a reshuffle and set what is owned."""
        self.count("veille_rebalances", 1)
        self.put("veille_owned_partitions", partitions)

    # What the stages' glue calls.

    def crisis_event(self, event_type: str, kind: str, onset: str, time: str) -> None:
        """Count a crisis event; an opening also tells its delay. ``onset`` and ``time`` are RFC 3339."""
        word = event_type.removeprefix("veille.crisis.")
        self.count("veille_crisis_events", 1, word)
        if word == "opened" and onset and time:
            delay = (datetime.fromisoformat(time) - datetime.fromisoformat(onset)).total_seconds()
            self.observe("veille_detection_delay_seconds", max(0.0, delay), kind if kind in _KINDS else "other")


def metrics_page() -> str:
    """Return docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "Made from the catalogue in `streams/metrics.py` by `make schemas`. `GET /metrics` shows them (`VEILLE_HTTP__HOST`,",
        "`VEILLE_HTTP__PORT`; 127.0.0.1:9464 by default), and of `veille collect` those of its sources (`VEILLE_COLLECT__PORT`, 9466).",
        "Counters end in `_total`, histograms in `_bucket`, `_sum` and `_count`.",
        "",
        "| metric | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    for metric in CATALOGUE:
        name = f"{metric.name}_total" if metric.kind == "counter" else metric.name
        lines.append(f"| `{name}` | {metric.kind} | {', '.join(metric.labels) or '-'} | {metric.help} |")
    lines += ["", "## Buckets", ""]
    lines += [f"- `{metric.name}`: {_numbers(metric.buckets)} s" for metric in CATALOGUE if metric.buckets]
    return "\n".join(lines) + "\n"


def exposed_names() -> frozenset[str]:
    """Return every series name that rules and dashboards may use."""
    names: set[str] = set()
    for metric in CATALOGUE:
        endings = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}[metric.kind]
        names |= {metric.name + ending for ending in endings}
    return frozenset(names)


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


if __name__ == "__main__":
    (Path(__file__).resolve().parent.parent / "docs" / "metrics.md").write_text(metrics_page(), "utf-8")
