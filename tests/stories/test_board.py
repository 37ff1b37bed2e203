"""The crisis room on a broker: what a person declares stands on the page within seconds, and it ends when told."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from schemas.topics import load_topics
from streams.cli.main import app
from streams.engine.topics import partition_counts
from tests.stories.road import story_settings, worker

VEILLE = [sys.executable, "-m", "streams.cli.main"]


@contextmanager
def board(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command on a free port: its process and the address that it names."""
    command = [*VEILLE, "board", "--port", "0", *options]
    # The context of the process closes its pipe and waits for it.
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()}) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert found, said
            yield process, found[0]
        finally:
            process.kill()


def until(base: str, said: str) -> str:
    """Return the page once it says ``said``."""
    while said not in (page := httpx.get(f"{base}/").text):
        time.sleep(0.1)
    return page


def test_a_declared_crisis_stands_on_the_page(embedded_broker: str, tmp_path: Path) -> None:
    """Declared, acknowledged, with its tasks; a room that is opened later shows the same. SIGINT ends it with a reader still there."""
    settings = story_settings(embedded_broker, "room").model_copy(update={"stages": "enrich,detect,commands,crisis,evidence,respond"})
    (tmp_path / "watchlist.yaml").write_text("brands:\n  - {id: acme, names: [Acme]}\n", "utf-8")
    where = ("--broker", embedded_broker, "--run", "room")
    asyncio.run(partition_counts(settings, list(load_topics())))
    with worker(settings, tmp_path / "watchlist.yaml", tmp_path / "worker.log"), board(*where) as (process, base):
        until(base, "No crisis is open.")
        fire = ("--headline", "Fire in the <plant>", "--terms", "fire", "--by", "ada", "--role", "on_call", "--wait", "60")
        assert CliRunner().invoke(app, ["crisis", "open", "--brand", "acme", *fire, *where]).exit_code == 0
        page = until(base, "nobody has it yet")
        assert "Fire in the &lt;plant&gt;" in page
        crisis = re.findall(r"veille crisis ack (\S+)", page)[0]
        assert CliRunner().invoke(app, ["crisis", "ack", crisis, "--by", "ada", *where]).exit_code == 0
        until(base, "with ada")
        until(base, "Pause scheduled posts")
        assert httpx.get(f"{base}/ready").status_code == 200
        with board(*where, "--language", "fr") as (later, other):
            assert "prise par ada" in until(other, "Fire in the")
            later.terminate()
            assert later.wait(30) == 128 + signal.SIGTERM
        with httpx.stream("GET", f"{base}/events") as reader:
            next(reader.iter_bytes())
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--run", "no-such-run"), 4, "`veille topics apply --run no-such-run` creates what is missing"),
        (("--language", "de"), 4, "--language is en or fr"),
        (("--broker", "127.0.0.1:1"), 3, "no Kafka answers at 127.0.0.1:1"),
    ],
)
def test_what_is_missing_is_said(embedded_broker: str, options: tuple[str, ...], code: int, said: str) -> None:
    """Topics that are not there, a language that it does not speak, a broker that does not answer: one sentence, and its exit code."""
    command = [*VEILLE, "board", "--port", "0", "--broker", embedded_broker, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "PYTHONPATH": os.getcwd()})
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
