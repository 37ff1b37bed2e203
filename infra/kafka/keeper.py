"""Ends brokers whose starter is gone: a process that waits until the other end of a pipe closes, however that came about.

A starter that gets SIGKILL can clean nothing up; its end of the pipe closes all the same.

    python keeper.py FOLDER remove|keep     reads "+PID" and "-PID" lines until end of file
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

#: How long a kept store may take to be closed before its broker is killed.
GRACE_SECONDS = 20.0


class Keeper:
    """The starter's side. ``remove``: the folder goes too. Register each broker with `watch`; `close` is the orderly end."""

    def __init__(self, folder: Path, *, remove: bool) -> None:
        # A session of its own: Ctrl-C in the terminal is meant for the starter, which ends the brokers in order.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(folder), "remove" if remove else "keep"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        """Process id of the other side."""
        return self._process.pid

    def watch(self, pid: int) -> None:
        """``pid`` has to go when the starter goes."""
        self._tell(f"+{pid}\n")

    def forget(self, pid: int) -> None:
        """``pid`` has ended and was waited for."""
        self._tell(f"-{pid}\n")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()

    def close(self) -> None:
        """Let the other side end what is left, and wait for it."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    # An orphan that has ended is waited for by the system; until then it is a zombie and holds nothing.
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0] != "Z"
    return True


def _end(pids: set[int], number: int, seconds: float) -> None:
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, number)
    deadline = time.monotonic() + seconds
    while any(map(_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)


def main() -> None:
    """Wait for the end of the starter, then end what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folder, remove = sys.argv[1], sys.argv[2] == "remove"
    pids: set[int] = set()
    for line in sys.stdin:
        (pids.add if line[0] == "+" else pids.discard)(int(line[1:]))
    if not remove:
        _end(pids, signal.SIGTERM, GRACE_SECONDS)
    _end(pids, signal.SIGKILL, GRACE_SECONDS)
    while remove and os.path.exists(folder):
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
