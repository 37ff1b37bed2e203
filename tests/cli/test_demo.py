"""The demonstration from the outside: what it prints, that a backtest says the same, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx
import pytest

VEILLE = [sys.executable, "-m", "streams.cli.main"]
ROOT = Path(__file__).resolve().parents[2]


def _by_brand(lines: list[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for line in lines:
        event = json.loads(line)
        found[event["data"]["brand"]].append(line)
    return dict(found)


@pytest.fixture(scope="module")
def live() -> subprocess.CompletedProcess[str]:
    """One whole demonstration with --json."""
    return subprocess.run([*VEILLE, "demo", "--seed", "1", "--json"], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """A backtest of the same seed."""
    folder = tmp_path_factory.mktemp("simulation")
    subprocess.run([*VEILLE, "simulate", "--seed", "1", "--out", str(folder)], cwd=ROOT, check=True, capture_output=True)
    words = ["backtest", str(folder / "mentions.jsonl.gz"), "--watchlist", str(folder / "watchlist.yaml"), "--json"]
    return subprocess.run([*VEILLE, *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_demo_finds_what_was_planted(live: subprocess.CompletedProcess[str]) -> None:
    """All five planted crises open, none of the decoys does, and it ends with 0."""
    assert live.returncode == 0, live.stderr
    assert "5 of 5 planted crises opened, 0 of 3 decoys, 0 other alarms" in live.stderr


def test_a_backtest_gives_the_same_events(live: subprocess.CompletedProcess[str], again: subprocess.CompletedProcess[str]) -> None:
    """Live through broker and worker or over the file: the same events byte for byte, brand by brand."""
    assert again.returncode == 0, again.stderr
    assert live.stdout
    assert _by_brand(live.stdout.splitlines()) == _by_brand(again.stdout.splitlines())


@pytest.mark.slow
def test_the_room_shows_the_demo_and_stays() -> None:
    """--board: its page holds all five crises once the summary is out; Ctrl-C ends it all."""
    room = {**os.environ, "VEILLE_BOARD__PORT": "0"}
    with subprocess.Popen(
        [*VEILLE, "demo", "--board"], cwd=ROOT, env=room, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as demo:
        try:
            assert demo.stderr is not None
            said = ""
            for line in demo.stderr:
                said += line
                if "stays until Ctrl-C" in line:
                    break
            address = re.search(r"http://127\.0\.0\.1:\d+/", said)
            assert address, said
            page = httpx.get(address[0]).text
        finally:
            demo.send_signal(signal.SIGINT)
    assert demo.returncode == 130
    assert "5 of 5 planted crises opened" in said
    for brand in ("quillory", "oluvia", "brivault", "kestrane", "vexomar"):
        assert f"{brand}-2025" in page


def _session_of_worker(parent: int) -> list[int]:
    """Return the processes whose parent is ``parent``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")
@pytest.mark.parametrize(("word", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_leaves_nothing_behind(word: signal.Signals, code: int) -> None:
    """Ctrl-C (or a SIGTERM) in the middle ends demo and worker, and says so by the exit code."""
    process = subprocess.Popen([*VEILLE, "demo"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    children: list[int] = []
    while not children and process.poll() is None:
        children = _session_of_worker(process.pid)
        time.sleep(0.1)
    process.send_signal(word)
    _, words = process.communicate()
    assert process.returncode == code, words
    assert children
    assert not [child for child in children if _alive(child)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's parent-death signal")
def test_a_killed_demo_takes_its_worker_along() -> None:
    """Even kill -9 of the demonstration leaves no worker behind."""
    process = subprocess.Popen([*VEILLE, "demo"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children: list[int] = []
    while not children and process.poll() is None:
        children = _session_of_worker(process.pid)
        time.sleep(0.1)
    process.kill()
    process.wait()
    assert children
    while any(_alive(child) for child in children):  # the kernel delivers in its own time
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, ValueError):
        return False
