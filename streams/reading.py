"""Reads JSON that anybody may have written: whatever is wrong with it is one kind of error, so that a record never stops a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

T = TypeVar("T")


def reader(kind: type[T]) -> Callable[[bytes | None], T]:
    """Return what reads a value as a ``kind``. It raises `msgspec.DecodeError`, also for broken UTF-8 and for what is nested too deeply.

    >>> reader(int)(b"[" * 100_000)
    Traceback (most recent call last):
    msgspec.DecodeError: nested too deeply
    """
    decode = msgspec.json.Decoder(kind).decode

    def read(value: bytes | None) -> T:
        try:
            return decode(value or b"")
        except UnicodeDecodeError:
            raise msgspec.DecodeError("no UTF-8") from None
        except RecursionError:
            raise msgspec.DecodeError("nested too deeply") from None

    return read
