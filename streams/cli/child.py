"""A worker as a child process that never outlives its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> Callable[[], None] | None:
    """Return what makes Linux kill the child when the parent is killed; elsewhere there is nothing like it."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def worker_process(settings: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``veille worker`` under ``settings`` ({VEILLE_ name: value}) until the context ends; its output goes to ``log``.

    The settings of the caller's own environment and ``.env`` file do not reach it.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VEILLE_")} | dict(settings)
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli.main", "worker"],
            env=environment,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent(),  # one prctl call: nothing that could deadlock
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], grace_seconds: float = 5.0) -> None:
    """Ask the whole session of the process to stop, then make it."""
    for word, wait in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, word)
        except ProcessLookupError:
            break
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
