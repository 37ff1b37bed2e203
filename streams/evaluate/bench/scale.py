"""``scale``: 10, 1,000 and 100,000 brands, one brand with 90 % of the traffic, one and two workers.

Every round is Veille's contestant of ``pipeline`` over seeded mentions that name one brand each. Time runs from its first record, so
that the settings of all brands, which each raw partition tells once, are in it. A run of next to no mentions says what that start takes;
it is not counted to the mentions, which are as many as one likes, but told beside them (``start_seconds`` of CPU, ``us_with_start``).
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from typing import Any

import msgspec

from streams.errors import BadInput
from streams.evaluate.bench.pipeline import clear, play, prepare
from streams.evaluate.bench.traffic import Traffic
from streams.rounding import six

HOT_SHARE = 0.9
#: Mentions of the run that measures the start.
_FEW = 100


def run(broker: str, quick: bool, *, mentions: int = 0, counts: tuple[int, ...] = ()) -> dict[str, Any]:
    """Return ``brands``, ``hot_brand`` and ``workers``; see the package."""
    mentions = mentions or (1_000 if quick else 100_000)
    counts = counts or ((10, 200) if quick else (10, 1_000, 100_000))
    limit = 120.0 if quick else 1800.0
    brands = []
    rates = {}
    for count in counts:
        start = play(broker, "veille", Traffic(_FEW, brands=count), timeout_seconds=limit)["cpu_seconds"]
        found = play(broker, "veille", Traffic(mentions, brands=count), timeout_seconds=limit)
        rates[count] = found["records"] / found["seconds"]
        brands.append(
            {
                "count": count, "us_per_mention": six(1e6 * (found["cpu_seconds"] - start) / (found["records"] - _FEW)),
                "us_with_start": six(1e6 * found["cpu_seconds"] / found["records"]),
                "start_seconds": six(start), "per_second": six(rates[count]), "peak_rss_mb": found["peak_rss_mb"],
            }
        )  # fmt: skip
    middle = counts[len(counts) // 2]
    hot = play(broker, "veille", Traffic(mentions, brands=middle, hot=HOT_SHARE), timeout_seconds=limit)
    ratio = hot["records"] / hot["seconds"] / rates[middle]
    workers = [{"count": count, "per_second": six(_together(broker, count, Traffic(mentions, brands=middle), limit))} for count in (1, 2)]
    return {
        "rounds": 1, "mentions": mentions, "brands": brands, "workers": workers,
        "hot_brand": {"brands": middle, "share": HOT_SHARE, "throughput_ratio": six(ratio)},
    }  # fmt: skip


def _together(broker: str, count: int, traffic: Traffic, limit: float) -> float:
    """Return mentions a second of ``count`` workers in one group, from the first record of the first to the end of the last."""
    run = f"bench-{uuid.uuid4().hex[:8]}"
    job = msgspec.json.encode(prepare(broker, run, traffic) | {"together": count}).decode()
    command = [sys.executable, "-m", "streams.evaluate.bench.contestants.scale_veille", job]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(count)]
    results = []
    try:
        for process in processes:
            out, _ = process.communicate(timeout=limit)
            if process.returncode:
                raise BadInput(f"a worker of the scale bench failed (exit {process.returncode})")
            results.append(msgspec.json.decode(out.strip().splitlines()[-1]))
    except subprocess.TimeoutExpired as error:
        raise BadInput(f"the workers did not finish within {limit:g} s") from error
    finally:
        for process in processes:
            process.kill()
            process.wait()
        clear(broker, run)
    seconds: float = max(result["ended"] for result in results) - min(result["began"] for result in results if result["began"])
    return traffic.mentions / seconds
