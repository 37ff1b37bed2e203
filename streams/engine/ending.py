"""How a worker ends: what it says, with which code, and by force where it must."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import traceback
from types import TracebackType
from typing import Self

import structlog
from aiokafka.errors import KafkaConnectionError

from streams.clock import monotonic
from streams.engine.connection import no_broker
from streams.engine.settings import EngineSettings
from streams.errors import Unreachable, VeilleError

log = structlog.get_logger(__name__)


def verdict(error: BaseException | None, broker: str) -> int:
    """Log why the worker ends and return its exit code."""
    if error is None:
        log.info("stopped")
        return 0
    if isinstance(error, KafkaConnectionError):
        error = Unreachable(no_broker(broker, error))
    if isinstance(error, VeilleError):
        log.error("worker ends", kind=type(error).__name__, reason=str(error))
        return error.exit_code
    # The text of an unknown error may hold text of a mention: its place in the code says enough.
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames[-6:]]
    log.error("worker ends", kind=type(error).__name__, reason="unknown error; nothing was acknowledged", at=places)
    return 1


class Guard:
    """A thread that ends the process when the event loop can no longer do it: nothing in the loop can tell that it hangs.

    ``stop_grace_seconds`` bounds the time from `stopping` until the context is left; ``stall_seconds`` how long the loop may stand
    still while `beat` runs in it.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._stop_seconds = settings.stop_grace_seconds
        self._stall_seconds = settings.stall_seconds
        self._beat_at: float | None = None
        self._stopping_at: float | None = None
        self._finished = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="veille-guard", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._finished.set()

    def stopping(self) -> None:
        """A stop was asked for, or the worker has failed. Safe in a signal handler."""
        if self._stopping_at is None:
            self._stopping_at = monotonic()

    async def beat(self) -> None:
        """Show, from the event loop, that it moves. Runs until cancelled."""
        try:
            while True:
                self._beat_at = monotonic()
                await asyncio.sleep(0.2)
        finally:
            self._beat_at = None

    def _watch(self) -> None:
        seen = monotonic()
        while not self._finished.wait(0.1):
            now = monotonic()
            if now - seen > 2.0:
                # The whole process was asleep (a suspended machine, SIGSTOP): that is no hang of the loop.
                self._beat_at = self._beat_at and now
            seen = now
            if self._stopping_at is not None and now - self._stopping_at > self._stop_seconds:
                self._end(f"the stop took longer than {self._stop_seconds:g} s")
            beat_at = self._beat_at
            if beat_at is not None and now - beat_at > self._stall_seconds:
                self._end(f"the event loop stood still for {self._stall_seconds:g} s: a stage does not return")

    @staticmethod
    def _end(reason: str) -> None:
        sys.stderr.write(f"veille: {reason}; ended by force, nothing more was acknowledged\n")
        sys.stderr.flush()
        os._exit(1)
