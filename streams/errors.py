"""Errors as routing decisions: the class says what happens to the record and to the worker.

VeilleError
├── Rejected          the record goes to the rejected topic, everything else goes on
├── NotYet            the same records are tried again shortly; raised before anything changed
├── Fatal             nothing more is acknowledged; the worker says why and exits non-zero
│   ├── DeliveryFailed    an output did not reach the broker in time
│   ├── LogGap            input was deleted before it was read, or a sequence has a hole
│   ├── TooManyRejected   nearly all is refused: a bad deploy, not a bad mention
│   ├── Stalled           lag without progress
│   └── Forbidden         the broker does not allow it (exit code 4)
├── Unreachable       the broker does not answer (exit code 3)
└── BadInput          bad settings, file or watchlist (exit code 4)
"""

from __future__ import annotations

from typing import NamedTuple


class Mended(NamedTuple):
    """What is wrong, and what mends it: one sentence where it is read, two parts where a table has a column for each."""

    word: str
    mend: str

    def __str__(self) -> str:
        return f"{self.word}; {self.mend}"


class VeilleError(Exception):
    """Base of all errors that Veille raises. ``exit_code`` is what the command line ends with.

    ``word`` says what is wrong and ``mend`` what to do, where they were given apart; else ``word`` says all of it.
    """

    exit_code = 1

    def __init__(self, said: str | Mended = "") -> None:
        super().__init__(str(said))
        self.word, self.mend = said if isinstance(said, Mended) else (said, "")


class Rejected(VeilleError):
    """A record cannot be used; ``reason`` is a fixed word, never the record's text."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class NotYet(VeilleError):
    """Something that the records need (a watchlist version) has not arrived; nothing was changed."""


class Fatal(VeilleError):
    """The worker cannot go on without losing something."""

    exit_code = 1


class DeliveryFailed(Fatal):
    """An output did not reach the broker within its deadline."""


class LogGap(Fatal):
    """Input was deleted before it was read, or a dense sequence has a hole."""


class TooManyRejected(Fatal):
    """More records of a partition are refused than the dead-letter limit allows."""


class Stalled(Fatal):
    """There is lag, and nothing was processed for longer than the setting allows."""


class Forbidden(Fatal):
    """The broker does not allow it; the message names topic or group, and the right that is missing."""

    exit_code = 4


class Unreachable(VeilleError):
    """The broker could not be reached."""

    exit_code = 3


class BadInput(VeilleError):
    """Settings, a file or a watchlist cannot be used; the message says what to mend."""

    exit_code = 4
