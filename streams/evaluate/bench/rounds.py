"""Runs contestants in turn, each in a process of its own, and summarises what they measured."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from streams.errors import BadInput
from streams.rounding import six


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, min and max."""
    return {"median": six(statistics.median(values)), "min": six(min(values)), "max": six(max(values))}


def contestant(module: str, job: dict[str, Any], timeout_seconds: float = 1800.0) -> dict[str, Any]:
    """Run ``python -m streams.evaluate.bench.contestants.MODULE`` with ``job`` as JSON; return the object it prints last.

    Raises `BadInput` with the end of its stderr where it fails.
    """
    command = [sys.executable, "-m", f"streams.evaluate.bench.contestants.{module}", json.dumps(job)]
    with tempfile.TemporaryFile("w+") as errors:
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=timeout_seconds, check=False)
        except subprocess.TimeoutExpired as error:
            raise BadInput(f"contestant {module} did not finish within {timeout_seconds:g} s") from error
        errors.seek(0)
        if done.returncode or not done.stdout.strip():
            raise BadInput(f"contestant {module} failed (exit {done.returncode}):\n{errors.read()[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def in_turn(names: Sequence[str], rounds: int, play: Callable[[str, int], dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Play every contestant once a round; the order turns by one each round, so that nobody is always first."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in [*names[turn:], *names[:turn]]:
            found[name].append(play(name, number))
    return found


def table(found: dict[str, list[dict[str, Any]]], unit: str) -> tuple[dict[str, Any], dict[str, float]]:
    """Return ``contestants`` and ``ratios`` (Veille's median over each other's)."""
    contestants: dict[str, Any] = {}
    for name, results in found.items():
        contestants[name] = {
            unit: spread([result["records"] / result["seconds"] for result in results]),
            "cpu_us": six(statistics.median(1e6 * result["cpu_seconds"] / result["records"] for result in results)),
        }
    own = contestants["veille"][unit]["median"]
    ratios = {name: six(own / entry[unit]["median"]) for name, entry in contestants.items() if name != "veille"}
    return contestants, ratios
