"""Where ``veille`` begins: an interrupt ends it quietly from the first moment on, while the rest is still being imported."""

from __future__ import annotations

import os
import signal
from types import FrameType


def main() -> None:
    """Import the command line, then run it."""
    # An exception would come up in the middle of somebody's import; nothing is open yet, so there is nothing to close.
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:  # whoever started us may have asked that it be ignored
        signal.signal(signal.SIGINT, _end)
    from streams.cli.main import main as run

    signal.signal(signal.SIGINT, usual)
    run()


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(130)


if __name__ == "__main__":
    main()
