"""A seeded fuzzer of the enrich stage: ``python -m tests.enrich.fuzz COUNT [SEED]``.

Mutates right mentions byte by byte and field by field. It ends with code 1 where something raises, a record gives no output, or an
input costs more than 50 times the median (CPU time of a record alone in its batch; the dearest are timed again, the least counts, since
the machine interrupts).
"""

from __future__ import annotations

import gc
import heapq
import json
import sys
import time
from random import Random
from statistics import median

from streams.engine.stage import InputRecord
from streams.enrich import language, stories
from streams.enrich.stage import EnrichPartition
from tests.enrich.records import NOW, date, stage

#: An input may cost so many times the median; so many of the dearest are timed again.
_MOST, _AGAIN = 50, 200
_CHARS = "aeé \u202e\u0000\ud800😀#@http://\\\"'{}[]\u0300कا日\ufeff?*\n\t_-."
_VALUES: tuple[object, ...]
_VALUES = (None, True, -1, 0, 10**30, 1e308, "", "x" * 3000, [], {}, [[]], {"a": 1}, "2023-11-14T22:13:20Z", "0000-00-00", "9" * 400)
_FIELDS = ("id", "network", "text", "published_at", "author", "url", "lang", "kind", "parent_id", "root_id", "engagement", "country")


def record(rng: Random, offset: int) -> InputRecord:
    """Return one more or less broken raw mention."""
    words = "".join(rng.choices(_CHARS, k=rng.randrange(60)))
    text = f"acme {words} @bolt #BoycottAcme" if rng.random() < 0.8 else words
    if rng.random() < 0.002:
        text = (text + " ") * (60_000 // (len(text) + 1))
    data: dict[str, object] = {
        "id": f"id{rng.randrange(10**6)}",
        "network": rng.choice(("x", "press", "facebook")),
        "text": text,
        "published_at": date(rng.randrange(-(10**6), 10**6)),
        "author": {"id": "1", "handle": words[:10], "followers": rng.randrange(10**6), "created_at": date(0)},
        "url": f"https://a.example/{words}",
    }
    for _ in range(rng.choice((0, 0, 1, 3))):
        data[rng.choice(_FIELDS)] = rng.choice(_VALUES)
    value = bytearray(json.dumps(data).encode())
    for _ in range(rng.choice((0, 0, 0, 1, 5))):
        value[rng.randrange(len(value))] = rng.randrange(256)
    if rng.random() < 0.02:
        del value[rng.randrange(len(value)) :]
    headers = (("ce_type", b"veille.clock"),) if rng.random() < 0.02 else ()
    return InputRecord(offset, NOW, None, bytes(value), headers)


def main(count: int, seed: int, most: float | None = None) -> int:
    """Feed ``count`` records; return the exit code. Costs are judged with ``most`` alone: times are no matter of a test suite."""
    rng = Random(seed)
    part = stage()
    # The slower language library reads its model at its first text.
    first = {"id": "0", "network": "x", "text": "acme xyzzyqwv kjhgfdq", "published_at": date(0)}
    part.process([InputRecord(0, NOW, None, json.dumps(first).encode())])
    gc.collect()
    gc.freeze()
    gc.disable()
    costs: list[int] = []
    dearest: list[tuple[int, int, InputRecord]] = []
    for offset in range(1, count + 1):
        raw = record(rng, offset)
        begin = time.process_time_ns()
        outputs = part.process([raw])
        cost = time.process_time_ns() - begin
        if not outputs and not raw.headers:
            sys.stdout.write(f"record {offset} of seed {seed} gave nothing\n")
            return 1
        for output in outputs:
            if output.topic == "mentions.enriched":
                (output.value or b"").decode("utf-8", "strict")
        heapq.heappush(dearest, (cost, offset, raw))
        if len(dearest) > _AGAIN:
            heapq.heappop(dearest)
        if offset % 17 == 0:
            costs.append(cost)
        if offset % 10_000 == 0:
            gc.collect()
    middle = median(costs)
    cost, raw = max(((_least(part, raw), raw) for _, _, raw in dearest), key=lambda pair: pair[0])
    gc.enable()
    gc.unfreeze()
    line = f"{count} records, median {middle / 1000:.1f} us, dearest {cost / 1000:.0f} us"
    sys.stdout.write(f"{line} ({len(raw.value or b'')} bytes), ratio {cost / middle:.1f}\n")
    if most is not None and cost > most * middle:
        sys.stdout.write(f"too dear: {(raw.value or b'')[:2000]!r}\n")
        return 1
    return 0


def _least(part: EnrichPartition, raw: InputRecord) -> int:
    """Return the least CPU time in ns of several goes at one record, each at the start of a log."""
    times = []
    for _ in range(5):
        part.restore({}, None)
        forget()
        begin = time.process_time_ns()
        part.process([raw])
        times.append(time.process_time_ns() - begin)
    return min(times)


def forget() -> None:
    """Empty the caches of single texts, so that a second go costs what the first did."""
    language._guess.cache_clear()
    stories._canonical.cache_clear()


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1, _MOST))
