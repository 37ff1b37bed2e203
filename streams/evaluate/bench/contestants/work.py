"""What every contestant does with a record, and the stopwatch."""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

import msgspec

from schemas.mention import Mention

decode = msgspec.json.Decoder(Mention).decode


def job() -> dict[str, Any]:
    """Return the job that the judge gave on the command line."""
    found: dict[str, Any] = json.loads(sys.argv[1])
    return found


class Tally:
    """Counts records by key and measures from the first record to `finish`."""

    def __init__(self, records: int) -> None:
        self.wanted = records
        self.counts: dict[bytes, int] = {}
        self.done = 0
        self._began = 0.0
        self._cpu = 0.0
        self._ended = 0.0

    def begin(self) -> None:
        """Start the watch at the first record."""
        if not self._began:
            self._began = time.perf_counter()
            self._cpu = _cpu()

    def one(self, key: bytes, value: bytes) -> None:
        """Parse one mention and count it."""
        decode(value)
        counts = self.counts
        counts[key] = counts.get(key, 0) + 1
        self.done += 1

    @property
    def complete(self) -> bool:
        """Whether everything was read."""
        return self.done >= self.wanted

    def end(self) -> None:
        """Stop the watch at the last record, for a peer whose last commit cannot be told from its shutting down."""
        self._ended = time.perf_counter()
        self._cpu = _cpu() - self._cpu

    def finish(self) -> None:
        """Stop the watch, unless `end` did, and print the result; everything read is committed by now."""
        if not self._ended:
            self.end()
        seconds = self._ended - self._began
        cpu = self._cpu
        if self.done != self.wanted or sum(self.counts.values()) != self.wanted:
            sys.stderr.write(f"read {self.done} of {self.wanted}\n")
            sys.exit(1)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps({"records": self.done, "seconds": seconds, "cpu_seconds": cpu, "peak_rss_mb": round(peak, 1)}) + "\n")
        sys.stdout.flush()


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
