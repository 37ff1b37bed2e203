"""``veille worker`` with two weak spots that signals open: what no fault from outside brings about reliably.

SIGUSR1: for a while acknowledgements of changelog writes come late. SIGUSR2: for a while the producer's buffer is tiny and every
acknowledgement late, so that it is full all the time. Only fault runs start this program.
"""

from __future__ import annotations

import asyncio
import signal
from types import FrameType
from typing import Any

from streams.clock import monotonic

#: How long a spot stays open, and how late an acknowledgement then comes, in seconds.
OPEN_SECONDS = 8.0
LATE_SECONDS = 1.5
TINY_BUFFER_BYTES = 4_096
SLOW_CHANGELOG, FULL_BUFFER = signal.SIGUSR1, signal.SIGUSR2

_until = {SLOW_CHANGELOG: 0.0, FULL_BUFFER: 0.0}


def _open(number: int, frame: FrameType | None) -> None:
    _until[signal.Signals(number)] = monotonic() + OPEN_SECONDS


def _weaken() -> None:
    """Make workers of this process use an outbox with the weak spots."""
    from streams.engine import outbox, worker

    class WeakOutbox(outbox.Outbox):
        """Tells late what is delivered, and has little room, while a spot is open."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._usual_bytes = self._max_bytes

        def send(self, outputs: Any) -> None:
            self._max_bytes = TINY_BUFFER_BYTES if monotonic() < _until[FULL_BUFFER] else self._usual_bytes
            super().send(outputs)

        def _delivered(self, topic: str, parcel: Any, future: asyncio.Future[Any]) -> None:
            spot = SLOW_CHANGELOG if topic.endswith("-changelog") else FULL_BUFFER
            late = LATE_SECONDS if monotonic() < max(_until[spot], _until[FULL_BUFFER]) else 0.0
            asyncio.get_running_loop().call_later(late, super()._delivered, topic, parcel, future)

    worker.Outbox = WeakOutbox  # type: ignore[attr-defined]


if __name__ == "__main__":
    for _number in _until:
        signal.signal(_number, _open)
    _weaken()
    from streams.cli.main import main

    main()
