"""Every signal of the whole demo comes out of its log again, and what differs is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from schemas.cloudevents import header_maker
from schemas.enriched import Enriched, Watermarks
from schemas.topics import load_topics
from streams.backtest.explain import Derivation, compare, signal_of
from streams.backtest.run import partition_counts
from streams.cli.explain import _from_topics
from streams.cli.main import app
from streams.detect.settings import DetectSettings
from streams.engine.memory import MemoryRunner
from streams.engine.partitioning import partition_of
from streams.engine.stage import InputRecord
from streams.engine.topics import partition_counts as created
from streams.enrich.watchlist import Watchlists, parse_watchlist
from streams.settings import Settings
from streams.simulate import simulate
from streams.sources.plan import plan
from streams.topology import build_specs
from tests.detect.worlds import HOUR, START
from tests.stories.road import story_settings

LOG = dict[int, list[InputRecord]]
RUNNER = CliRunner()


@pytest.fixture(scope="module")
def demo() -> tuple[LOG, dict[int, dict[str, bytes]]]:
    """The demo's enriched log by partition, and its signals by partition and id."""
    made, settings = simulate(1), Settings(_env_file=None, stages="enrich,detect")
    brands, watchlists, counts = parse_watchlist(made.watchlist_yaml(), "demo"), Watchlists(), partition_counts(settings)
    watchlists.add(brands)
    log: LOG = {}
    signals: dict[int, dict[str, bytes]] = {}

    def tap(topic: str, partition: int, record: InputRecord) -> None:
        if topic == "mentions.enriched":
            log.setdefault(partition, []).append(record)
        elif topic == "brand.signals" and (found := signal_of(record)) is not None:
            signals.setdefault(partition, {})[found[0]] = found[1]

    specs = build_specs(settings, watchlists, counts, version=brands.version)
    runner = MemoryRunner(specs, counts, timestamp_ms=2_000_000_000_000, tap=tap)
    for output in plan(made.rows(), counts["mentions.raw"]):
        runner.send([output])
        if output.partition == -1:
            runner.drain()
    runner.drain()
    return log, signals


def test_every_signal_of_the_demo_is_the_same(demo: tuple[LOG, dict[int, dict[str, bytes]]]) -> None:
    """The log of each partition gives each of its signals byte for byte, and no other."""
    log, signals = demo
    settings = DetectSettings()
    assert sum(map(len, signals.values())) > 500
    for partition, sent in signals.items():
        derived = dict(Derivation(partition, settings, 4).feed(log[partition]))
        assert set(derived) == set(sent)
        for name, value in sent.items():
            assert derived[name] == value
            found = compare(name, value, derived[name], settings)
            assert (found.verdict, found.holds) == ("same", True)
            assert found.shown.settings_hash
            assert len(found.shown.state_hash) == 16


def test_signals_that_follow_mentions_name_their_inputs(demo: tuple[LOG, dict[int, dict[str, bytes]]]) -> None:
    """The spans of a brand's signals hold every raw offset of its mentions up to the last signal, and each first one lies in one."""
    log, signals = demo
    for partition, sent in signals.items():
        spans: dict[str, dict[int, tuple[int, int]]] = {}
        for value in sent.values():
            signal = msgspec.json.decode(value)
            for raw, first, last in signal.get("inputs", []):
                low, high = spans.setdefault(signal["brand"], {}).get(raw, (first, last))
                spans[signal["brand"]][raw] = (min(low, first), max(high, last))
        firsts: dict[tuple[str, int], int] = {}
        for record in log[partition]:
            if record.headers[0][1] == b"veille.enriched":
                mention = msgspec.json.decode(record.value or b"")
                firsts.setdefault((mention["brand"], mention["partition"]), mention["offset"])
        for brand, found in spans.items():
            assert {raw: low for raw, (low, _) in found.items()} == {raw: firsts[brand, raw] for raw in found}


def test_what_differs_is_named(demo: tuple[LOG, dict[int, dict[str, bytes]]]) -> None:
    """Other settings, a log that is cut and a changed record each have a verdict of their own."""
    log, signals = demo
    partition = max(signals, key=lambda p: len(signals[p]))
    name, sent = list(signals[partition].items())[-1]
    settings, other = DetectSettings(), DetectSettings(max_stories=1)
    half = log[partition][len(log[partition]) // 2 :]
    derived = dict(Derivation(partition, settings, 4).feed(half)).get(name)
    assert compare(name, sent, derived, settings, half[0].offset).verdict == "log_cut"
    derived = dict(Derivation(partition, other, 4).feed(log[partition])).get(name)
    assert compare(name, sent, derived, other).verdict in ("settings_changed", "same_numbers")
    assert compare(name, sent, None, other).verdict == "settings_changed"
    assert compare(name, sent, None, settings).verdict == "not_derived"
    assert compare(name, None, sent, settings).verdict == "not_recorded"
    signal = msgspec.json.decode(sent)
    changed = compare(name, sent, msgspec.json.encode(signal | {"score": signal["score"] + 1.0}), settings)
    assert changed.verdict == "differs"
    assert changed.differences == (("score", signal["score"], signal["score"] + 1.0),)
    moved = compare(name, sent, msgspec.json.encode(signal | {"state_hash": "0"}), settings)
    assert (moved.verdict, moved.holds) == ("same_numbers", True)


async def test_it_is_read_from_the_topics(embedded_broker: str) -> None:
    """Signal and log are found in the brand's partition of the topics."""
    settings = story_settings(embedded_broker, "explain")
    partitions = (await created(settings, list(load_topics())))["mentions.enriched"]
    log, sent = _burst("acme", partitions)
    partition = partition_of(b"acme", partitions)
    name, value = next(item for item in sent.items() if msgspec.json.decode(item[1]).get("over"))
    async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
        for record in log:
            topic, headers = settings.topic("mentions.enriched"), list(record.headers)
            await producer.send(topic, record.value, key=record.key, partition=partition, headers=headers)
        headers = [("ce_type", b"veille.signal"), ("ce_id", name.encode())]
        await producer.send(settings.topic("brand.signals"), value, key=b"acme", partition=partition, headers=headers)
        await producer.flush()
    assert await _from_topics(settings, name, "acme") == (value, value, 0)
    assert await _from_topics(settings, "acme-9999", "acme") == (None, None, 0)


def _burst(brand: str, raw_partitions: int) -> tuple[list[InputRecord], dict[str, bytes]]:
    """A small enriched log in which a cascade rings, and its signals."""
    rows: list[tuple[str, Any]] = [("veille.watermarks", Watermarks(watermarks=dict.fromkeys(range(raw_partitions), START)))]
    for i in range(60):
        at = START + 1 + i * 20_000
        rows.append(("veille.enriched", Enriched(
            brand=brand, id=f"m{i}", network="x", partition=0, offset=i, applies_ms=at, published_ms=at, author=f"a{i}", source="feed",
            polarity="negative", negative_pm=900, crisis_words=("safety:poison",), root_id="m0", kind="reply" if i else "post",
        )))  # fmt: skip
    rows.append(("veille.watermarks", Watermarks(watermarks=dict.fromkeys(range(raw_partitions), START + HOUR))))
    log = [
        InputRecord(i, 0, brand.encode(), msgspec.json.encode(value), header_maker(kind)("id", brand, ""))
        for i, (kind, value) in enumerate(rows)
    ]
    return log, dict(Derivation(partition_of(brand.encode(), raw_partitions), DetectSettings(), raw_partitions).feed(log))


def test_the_command_explains_files(tmp_path: Path) -> None:
    """`veille backtest --signals` keeps the signals; `veille explain --file` shows one in both languages and finds it the same."""
    made = simulate(7)
    watchlist, mentions, kept = tmp_path / "brands.yaml", tmp_path / "mentions.jsonl", tmp_path / "signals.jsonl"
    watchlist.write_text(made.watchlist_yaml(), "utf-8")
    brand = next(event.brand for event in made.truth if event.crisis)
    end = next(event.onset_ms for event in made.truth if event.brand == brand) + 6 * 3_600_000
    mentions.write_bytes(b"\n".join(value for ms, value, _ in made.rows() if ms < end))
    done = RUNNER.invoke(app, ["backtest", str(mentions), "--watchlist", str(watchlist), "--signals", str(kept), "--tail", "1"])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
    row = next(row for row in rows if row["data"].get("over"))
    words = ["explain", row["id"], "--file", str(mentions), "--watchlist", str(watchlist), "--recorded", str(kept), "--tail", "1"]
    done = RUNNER.invoke(app, words, env={"VEILLE_LANGUAGE": "fr"})
    assert done.exit_code == 0, done.output
    assert "identique : le journal redonne ce signal" in done.stdout
    done = RUNNER.invoke(app, [*words, "--json"])
    found = json.loads(done.stdout)
    assert (found["verdict"], found["holds"], found["differences"]) == ("same", True, [])
    assert all(reason["text"] and reason["text_fr"] for reason in found["signal"]["contributions"])
    assert "samples" not in found["signal"]
    row["data"]["threshold"] += 1.0
    kept.write_text(json.dumps(row), "utf-8")
    done = RUNNER.invoke(app, words)
    assert done.exit_code == 1
    assert "threshold: " in done.stdout
