"""Benchmarks on a real Kafka: each contestant in a process of its own, in turn, several rounds, medians and spread.

`run_bench` is what ``veille bench NAME`` prints; the objects are described in the contract of the command line.
"""

from __future__ import annotations

import importlib
from typing import Any

#: Benchmark -> module with ``run(broker: str, quick: bool) -> dict``.
NAMES = ("engine", "pipeline", "latency", "scale", "enrich", "recovery")


def run_bench(name: str, broker: str, quick: bool = False) -> dict[str, Any]:
    """Run one benchmark on ``broker`` (host:port,...) and return its object.

    ``quick`` runs a small round for its function only: its figures mean nothing. Raises `KeyError` for an unknown name,
    `streams.errors.Unreachable` where no broker answers, and `streams.errors.BadInput` where a contestant fails or the
    peers are not installed.
    """
    if name not in NAMES:
        raise KeyError(name)
    from streams.evaluate.bench.machine import machine, reach

    if name == "enrich":
        broker = ""
    else:
        reach(broker)

    module = importlib.import_module(f"streams.evaluate.bench.{name}")
    found: dict[str, Any] = module.run(broker, quick)
    return {"bench": name, "quick": quick, "machine": machine(broker), **found}
