"""The rules of order over the real stage: interleavings, crashes and zombies change no signal."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.cloudevents import header_maker
from schemas.enriched import BrandSettings, Enriched, SourceState, Watermarks
from schemas.signal import Signal
from streams.detect.order import WaitingRoom
from streams.detect.settings import DetectSettings
from streams.detect.stage import DetectPartition
from streams.engine.stage import InputRecord, Output

RAW, PARTS, BRANDS = 3, 2, "abcdef"
MINUTE, START = 60_000, 1_700_000_000_000 // 3_600_000 * 3_600_000
SETTINGS = DetectSettings()
_TYPES = ("veille.enriched", "veille.watermarks", "veille.source", "veille.brand")
_make: dict[str, Callable[..., Any]] = {name: header_maker(name) for name in _TYPES}

#: (enriched partition, key, type, value)
Sent = tuple[int, bytes | None, str, bytes]


def _home(brand: str) -> int:
    return zlib.crc32(brand.encode()) % PARTS


def _mention(r: random.Random, n: int, brand: str, partition: int, offset: int, published: int, applies: int) -> Enriched:
    burst = brand == "a" and n % 3 == 0
    return Enriched(
        brand=brand, id=f"id{n}", network=r.choice(["x", "forum"]), partition=partition, offset=offset, applies_ms=applies,
        published_ms=published, author=f"author{r.randrange(400)}", source="feed", text=f"text {n}",
        root_id="root" if burst else "", kind="reply" if burst else "post", polarity="negative" if burst or n % 4 == 0 else "neutral",
        negative_pm=800 if burst or n % 4 == 0 else 100, crisis_words=("safety:poison",) if burst else (),
        terms=("soup", "glass") if burst else (f"term{n % 7}",),
    )  # fmt: skip


def _raw_outputs(seed: int) -> list[list[list[Sent]]]:
    """For each raw partition, for each raw offset, the records that enrich would write: a pure function of the seed."""
    r, logs, n = random.Random(seed), [[] for _ in range(RAW)], 0  # type: ignore[var-annotated]
    marks = [0] * RAW
    for p, log in enumerate(logs):
        first = [
            (_home(b), b.encode(), "veille.brand", msgspec.json.encode(settings_of))
            for b in BRANDS
            for settings_of in [BrandSettings(brand=b, version=1, partition=p, offset=-1, applies_ms=0, match_hash="m")]
        ]  # fmt: skip
        log.append(first)
    for minute in range(90):
        for _ in range(r.randrange(9)):
            n += 1
            p = r.randrange(RAW)
            published = START + max(0, minute - r.choice([0, 0, 0, 1, 2, 30])) * MINUTE + r.randrange(MINUTE)
            applies = max(published, marks[p])
            state = r.getstate()
            cell: list[Sent] = []
            for b in sorted(r.sample(BRANDS, r.choice([1, 1, 2, 3])) + ["a"] * (n % 3 == 0)):
                if any(c[1] == b.encode() for c in cell):
                    continue
                r2 = random.Random(str(state[1][:3]) + b)
                mention = _mention(r2, n, b, p, len(logs[p]), published, applies)
                cell.append((_home(b), b.encode(), "veille.enriched", msgspec.json.encode(mention)))
            logs[p].append(cell)
        for p, log in enumerate(logs):
            if r.random() < 0.6 or minute > 85:
                marks[p] = START + minute * MINUTE
                vector = msgspec.json.encode(Watermarks(watermarks={p: marks[p]}))
                log.append([(e, None, "veille.watermarks", vector) for e in range(PARTS)])
            if minute in (40, 60):
                state_of = SourceState(
                    source_id="feed", up=minute == 60, partition=p, offset=len(log), applies_ms=marks[p], last_ms=marks[p]
                )
                log.append([(e, None, "veille.source", msgspec.json.encode(state_of)) for e in range(PARTS)])
    for p, log in enumerate(logs):
        end = msgspec.json.encode(Watermarks(watermarks={p: START + 60 * 60 * MINUTE}))
        log.append([(e, None, "veille.watermarks", end) for e in range(PARTS)])
    return logs


def _interleaved(logs: list[list[list[Sent]]], r: random.Random, zombies: bool) -> list[list[InputRecord]]:
    """What several writers leave on the enriched partitions: each writes in order; a zombie wakes up and goes on."""
    sequences = []
    for out in logs:
        written, start = 0, 0
        asleep: list[list[Sent]] = []
        seq: list[Sent] = []
        while written < len(out):
            stop = r.randrange(written, len(out) + 1) if zombies else len(out)
            mix = [[c for o in range(start, stop) for c in out[o]], *asleep]
            asleep = [[c for o in range(stop, min(len(out), stop + r.randrange(12))) for c in out[o]]] if zombies else []
            while any(mix):
                seq.append(r.choice([m for m in mix if m]).pop(0))
            written, start = max(written, stop), max(0, stop - r.randrange(15))
        sequences.append(seq + [c for a in asleep for c in a])
    parts: list[list[InputRecord]] = [[] for _ in range(PARTS)]
    while any(sequences):
        chosen = r.choice([s for s in sequences if s])
        for _ in range(r.randrange(1, 20)):
            if chosen:
                e, key, kind, value = chosen.pop(0)
                parts[e].append(InputRecord(len(parts[e]), 0, key, value, _make[kind]("i", "s", "t")))
    return parts


def _detect(partition: int, log: list[InputRecord], r: random.Random, crashes: int) -> list[Output]:
    """Read one enriched partition to its end in random batches, restarting after each crash; return all that was sent."""
    changelog: dict[tuple[bytes, int], tuple[int, bytes | None]] = {}
    stale: list[tuple[tuple[bytes, int], tuple[int, bytes | None]]] = []
    cut: bytes | None = None
    commit, generation = 0, 0
    sent: list[Output] = []
    while True:
        generation += 1
        best: dict[bytes, tuple[int, bytes | None]] = {}
        for (state_key, _), (progress, value) in changelog.items():
            if state_key not in best or progress > best[state_key][0]:
                best[state_key] = (progress, value)
        stage = DetectPartition(partition, SETTINGS, RAW)
        stage.restore({key: value for key, (_, value) in best.items() if value is not None}, cut)
        at, crashed = commit, False
        while at < len(log) and not crashed:
            size = r.randrange(1, 60)
            for output in stage.process(log[at : at + size]):
                sent.append(output)
                if crashes and r.random() < 0.05:
                    crashes, crashed = crashes - 1, True
                    break
            if crashed:
                break
            at = min(len(log), at + size)
            if stale and r.random() < 0.3:  # the zombie of an earlier generation gets its writes out at last
                key, record = stale.pop(0)
                changelog[key] = record
            if r.random() < 0.2:
                saved = stage.checkpoint(at)
                pending = [((s.key, generation), (s.progress, s.value)) for s in saved.states]
                r.shuffle(pending)
                while pending:
                    changelog[pending[0][0]] = pending[0][1]
                    pending.pop(0)
                    if crashes and r.random() < 0.05:
                        crashes, crashed = crashes - 1, True
                        stale += pending
                        break
                if not crashed:
                    cut, commit = saved.cut, saved.commit
        if not crashed:
            return sent


def _outcome(seed: int, r: random.Random, crashes: int, zombies: bool) -> dict[str, list[bytes]]:
    """Return each brand's signals as the next stage keeps them: known ``seq`` dropped, a gap is an error."""
    kept: dict[str, list[bytes]] = {}
    for partition, log in enumerate(_interleaved(_raw_outputs(seed), r, zombies)):
        for output in _detect(partition, log, r, crashes):
            assert output.value is not None
            signal = msgspec.json.decode(output.value, type=Signal)
            mine = kept.setdefault(signal.brand, [])
            assert signal.seq <= len(mine) + 1, "a gap in seq"
            if signal.seq == len(mine) + 1:
                mine.append(output.value)
            else:
                assert mine[signal.seq - 1] == output.value, "the same seq says something else"
    return kept


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_same_signals_whatever_the_order(seed: int) -> None:
    """Random interleavings, batches, crashes, second deliveries and zombies leave the same signals, byte for byte."""
    want = _outcome(seed, random.Random(1), 0, False)
    assert want == _outcome(seed, random.Random(seed + 99), 12, True)


def test_something_rings() -> None:
    """The logs of the property test are no empty exercise: brand a rings and becomes quiet again, sources fall silent."""
    signals = [msgspec.json.decode(value, type=Signal) for value in _outcome(3, random.Random(1), 0, False)["a"]]
    assert any(signal.over for signal in signals)
    assert any(signal.quiet for signal in signals)
    assert {"blind", "sighted"} <= {signal.kind for signal in signals}


def test_waits_for_every_partition() -> None:
    """Nothing is applied while one raw partition has told no time."""
    room: WaitingRoom[int] = WaitingRoom(2)
    room.offer((1, "a", 0, 0, "b", 0, 7))
    assert not room.mark({0: 100})
    assert room.take() == []
    assert room.mark({1: 50})
    assert room.watermark == 50
    assert [entry[6] for entry in room.take()] == [7]


def test_a_second_delivery_is_applied_once() -> None:
    """The same record at a later offset of the input waits beside the first and is left out when both are due."""
    room: WaitingRoom[int] = WaitingRoom(1)
    for offset, partition in ((3, 0), (4, 0), (5, 1)):
        assert room.offer((7, "a", partition, 9, "b", offset, offset))
    assert room.commit(6) == 3
    room.mark({0: 8})
    assert [entry[6] for entry in room.take()] == [3, 5]
    assert (len(room), room.commit(6)) == (0, 6)


def test_takes_only_what_lies_below() -> None:
    """Of what waits within one second only that strictly below the watermark is taken, in order; the rest waits on."""
    room: WaitingRoom[int] = WaitingRoom(1)
    for at in (5, 3, 9, 7):
        room.offer((at, "a", 0, at, "b", at, at))
    room.mark({0: 7})
    assert [entry[6] for entry in room.take()] == [3, 5]
    assert room.take() == []
    room.mark({0: 10})
    assert [entry[6] for entry in room.take()] == [7, 9]


@pytest.mark.parametrize("late", [4, 5])
def test_drops_only_strictly_below(late: int) -> None:
    """A record below W was applied and is dropped; one at W is still to come."""
    room: WaitingRoom[int] = WaitingRoom(1)
    room.mark({0: 5})
    assert room.offer((late, "x", 0, 3, "b", 9, 1)) is (late == 5)
    assert room.commit(10) == (9 if late == 5 else 10)
