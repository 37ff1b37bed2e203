"""``latency``: from the send of the mention that tips a crisis to the crisis event in a consumer's hands.

A ``veille worker`` from enrich to crisis, at its shipped settings, reads the simulation's mentions, a new worker for each run: the day
before the first crisis at once, which is what it has learned when it begins, then the hours in which crises burn. Those first come as a
backlog; then as many a second as it read of that, which tells the capacity, since the sender takes its share of the machine like any live
source here; then 25, 50 and 75 % of the capacity, with a clock record every 100 ms of wall time. So capacity and latency are of the same
hours: calm ones cost less. An event of time T was tipped by the last mention published at or before T.

Event time runs a thousand times faster than the clock on the wall, so that there is something to measure within half a minute, and
with it the grid lines at which brands are judged and crises report. The simulation's volume is what such a rate would be at that pace.
"""

from __future__ import annotations

import bisect
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition

from schemas.signal import SignalWatermark
from streams.engine.partitioning import partition_of
from streams.engine.settings import EngineSettings
from streams.engine.stage import Output
from streams.errors import BadInput
from streams.evaluate.bench.traffic import DAY_MENTIONS, PARTITIONS, Traffic
from streams.evaluate.fault_runs import Crew, prepare_topics
from streams.rounding import six
from streams.simulate.brands import demo_watchlist
from streams.simulate.simulation import MOST_VOLUME
from streams.sources.plan import clock_record

SHARES = (0.25, 0.5, 0.75)
_TIPS = ("veille.crisis.opened", "veille.crisis.reopened", "veille.crisis.escalated", "veille.crisis.updated")
_CLOCK_SECONDS = 0.1
#: Event time beside wall time, and days before the first planted event.
_PACE, _CALM_DAYS = 1_000.0, 1.2
#: Faster than any worker reads.
_AT_ONCE = 1e9

Rows = list[tuple[int, bytes, str]]


def run(broker: str, quick: bool, *, mentions: int = 0, seconds: float = 0.0) -> dict[str, Any]:
    """Return ``capacity_per_second``, ``backlog_per_second`` and ``loads``; see the package. Events: openings, escalations, updates.

    ``mentions``: of the runs that tell the capacity.
    """
    seconds = seconds or (6.0 if quick else 30.0)
    # A quick round measures its capacity while everything is still warming up.
    calm, burning = _rows(1_000.0 if quick else 4_000.0, mentions or (6_000 if quick else 150_000), quick)
    backlog = _throughput(broker, calm, burning, _AT_ONCE)
    capacity = _throughput(broker, calm, burning, backlog)
    loads = []
    for share in SHARES[:1] if quick else SHARES:
        rate = 1_000.0 if quick else capacity * share
        calm, burning = _rows(rate, round(rate * seconds), quick)
        loads.append({"share": share, "per_second": six(rate), **_load(broker, calm, burning, rate)})
    return {"rounds": 1, "capacity_per_second": six(capacity), "backlog_per_second": six(backlog), "loads": loads}


def _rows(rate: float, mentions: int, quick: bool) -> tuple[Rows, Rows]:
    """Return the calm day and so many mentions after it, at the density of ``rate`` a second; a quick run has no calm day."""
    volume = 1.0 if quick else _volume(rate)
    before = 0 if quick else round(_CALM_DAYS * DAY_MENTIONS * volume)
    rows = list(Traffic(before + mentions, volume=volume).rows())
    return rows[:before], rows[before:]


def _volume(rate: float) -> float:
    """Return the volume of a simulation of which ``rate`` mentions a second are `_PACE` times as fast as they were published.

    Where no simulation is that large, beyond 11,000 a second, the pace is greater.
    """
    return min(MOST_VOLUME, rate * 86_400.0 / (_PACE * DAY_MENTIONS))


@contextmanager
def _worker(broker: str) -> Iterator[tuple[str, _Watcher]]:
    """Run a worker over topics of its own; yield the raw topic and who watches the others."""
    run = f"bench-{uuid.uuid4().hex[:8]}"
    prepare_topics(broker, run)
    with tempfile.TemporaryDirectory() as folder:
        watchlist = Path(folder) / "watchlist.yaml"
        watchlist.write_text(demo_watchlist(), "utf-8")
        shipped = EngineSettings().checkpoint_seconds
        with Crew(broker, run, Path(folder), watchlist, 20.0, shipped) as crew:
            crew.join()
            crew.wait_ready(90.0)
            watcher = _Watcher(broker, run)
            try:
                yield f"{run}.mentions.raw", watcher
            finally:
                watcher.stop()


def _throughput(broker: str, calm: Rows, rows: Rows, rate: float) -> float:
    """Return mentions a second from the first send of ``rows``, at ``rate``, until every signal before their end was there."""
    with _worker(broker) as (topic, watcher):
        _learn(broker, topic, watcher, calm)
        began = time.perf_counter()
        _send(broker, topic, rows, rate)
        watcher.wait(rows[-1][0])
        return len(rows) / (time.perf_counter() - began)


def _learn(broker: str, topic: str, watcher: _Watcher, calm: Rows) -> None:
    """Send ``calm`` at once and wait for it: what the worker has learned when a measurement begins."""
    if calm:
        _send(broker, topic, calm, _AT_ONCE)
        watcher.wait(calm[-1][0])


def _load(broker: str, calm: Rows, rows: Rows, rate: float) -> dict[str, Any]:
    """Return what the events took of which the mentions were sent at ``rate``."""
    with _worker(broker) as (topic, watcher):
        _learn(broker, topic, watcher, calm)
        sent = _send(broker, topic, rows, rate)
        time.sleep(2.0)
    times = [published for published, _, _ in rows]
    found = []
    for received, moment in watcher.events:
        place = bisect.bisect_right(times, moment) - 1
        # What the last clock alone set off has no mention that tipped it.
        if 0 <= place < len(rows) - 1:
            found.append(1000 * (received - sent[place]))
    found.sort()
    return {"events": len(found), **{f"p{q}_ms": six(_quantile(found, q / 100)) if found else None for q in (50, 95, 99)}}


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def _send(broker: str, topic: str, rows: Rows, rate: float) -> list[float]:
    """Send at ``rate``; return the wall time of each mention's send."""
    producer = Producer(
        {"bootstrap.servers": broker, "linger.ms": 1, "partitioner": "murmur2_random", "queue.buffering.max.messages": 500_000}
    )
    sent: list[float] = []
    began = time.perf_counter()
    clock_at = began

    def put(value: bytes, key: bytes | None, place: int, headers: list[tuple[str, bytes]]) -> None:
        while True:
            try:
                producer.produce(topic, value, key, place, headers=headers)
                return
            except BufferError:
                producer.poll(0.05)

    def tell(output: Output) -> None:
        for place in range(PARTITIONS):
            put(output.value or b"", output.key, place, list(output.headers))

    for number, (published, value, identity) in enumerate(rows):
        while (now := time.perf_counter()) < began + number / rate:
            producer.poll(0)
            time.sleep(0.0005)
        if now >= clock_at:
            # A source's clock says that everything before it was sent.
            tell(clock_record(published, "bench"))
            clock_at = now + _CLOCK_SECONDS
        key = identity.encode()
        put(value, key, partition_of(key, PARTITIONS), [])
        sent.append(time.perf_counter())
    # A live clock goes on: nobody waits for the next mention to be told of the last.
    for step in range(10):
        time.sleep(_CLOCK_SECONDS)
        tell(clock_record(rows[-1][0] + 1000 * (step + 1), "bench"))
    producer.flush(30)
    return sent


class _Watcher:
    """Reads along in a thread and notes when each crisis event came (``events``: wall time, event time in ms)."""

    def __init__(self, broker: str, run: str) -> None:
        self._consumer = Consumer({"bootstrap.servers": broker, "group.id": "bench-watch", "fetch.wait.max.ms": 10, "log_level": 0})
        topics = [f"{run}.{name}" for name in ("brand.signals", "crisis.events")]
        self._consumer.assign([TopicPartition(topic, place, OFFSET_BEGINNING) for topic in topics for place in range(PARTITIONS)])
        self.events: list[tuple[float, int]] = []
        #: By partition: every signal before this time (ms) was there.
        self.told_ms = [0] * PARTITIONS
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def wait(self, time_ms: int, limit: float = 600.0) -> None:
        """Return when every signal before ``time_ms`` was there."""
        end = time.perf_counter() + limit
        while min(self.told_ms) < time_ms:
            if time.perf_counter() > end:
                raise BadInput(f"the worker did not get through the mentions within {limit:g} s")
            time.sleep(0.01)

    def _watch(self) -> None:
        while not self._stopped.is_set():
            message = self._consumer.poll(0.1)
            if message is not None and not message.error():
                self._note(message)

    def _note(self, message: Message) -> None:
        now = time.perf_counter()
        headers = dict(message.headers() or ())
        kind = (headers.get("ce_type") or b"").decode()
        if kind == "veille.watermark" and (message.topic() or "").endswith("signals"):
            told = msgspec.json.decode(message.value() or b"", type=SignalWatermark)
            self.told_ms[message.partition() or 0] = told.time_ms
        elif kind in _TIPS:
            self.events.append((now, round(1000 * datetime.fromisoformat(headers["ce_time"].decode()).timestamp())))

    def stop(self) -> None:
        """Read no more."""
        self._stopped.set()
        self._thread.join()
        self._consumer.close()
