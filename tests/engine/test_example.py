"""The engine used elsewhere: the example of docs/engine.md, run as its reader would."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from streams.engine.settings import KafkaSettings
from tests.engine.counting import all_committed, counted, prepare, publish, read_all

EXAMPLE = [sys.executable, "-m", "examples.counting"]


async def test_the_example_counts_each_record_once_and_stops_when_told(embedded_broker: str) -> None:
    """What it read is committed, each record has its count, and SIGTERM is a clean end."""
    settings = KafkaSettings(broker=embedded_broker, group="counting")
    await prepare(settings)
    await publish(settings, 700)
    process = subprocess.Popen([*EXAMPLE, embedded_broker], cwd=Path(__file__).parents[2])
    try:
        await all_committed(settings)
        process.terminate()
        assert await asyncio.to_thread(process.wait, 60) == 0
    finally:
        process.kill()
        process.wait()
    counts = counted(await read_all(settings, "counts"))
    assert len(counts) == 700
    assert sorted(map(int, counts.values())) == sorted(n for n in range(1, 8) for _ in range(100))


@pytest.mark.parametrize("arguments", [[], ["-h"], ["127.0.0.1:1", "more"]])
def test_without_a_broker_it_says_how_it_is_called(arguments: list[str]) -> None:
    """Anything but one address is answered with the way it is called."""
    done = subprocess.run([*EXAMPLE, *arguments], cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "examples.counting BROKER" in done.stderr


def test_an_unreachable_broker_is_named() -> None:
    """One sentence and the exit code of the commands, no traceback."""
    done = subprocess.run([*EXAMPLE, "127.0.0.1:1"], cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert "no Kafka answers at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
