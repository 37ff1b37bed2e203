"""What goes to stdout: lines for programs and for people; a reader that has gone away ends the command quietly."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import msgspec
import typer

from streams.errors import BadInput

_decode = msgspec.json.decode
_encode = msgspec.json.encode


def emit(line: str | bytes) -> None:
    """Write one line to stdout and flush it, so that a pipe sees it at once. Raises `BadInput` where it cannot be written."""
    data = line if isinstance(line, bytes) else line.encode("utf-8", "replace")
    if sys.stdout is None:  # as Python has it where the command was started without one
        raise BadInput("there is no stdout to write to; send it to a file, or to /dev/null")
    try:
        sys.stdout.buffer.write(data + b"\n")
        sys.stdout.buffer.flush()
    except OSError as error:
        # What is left in the buffer would raise again when the interpreter closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(0) from None
        raise BadInput(f"stdout cannot be written: {error.strerror}") from None


def note(line: str) -> None:
    """Write one line for people to stderr."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def cloudevent(headers: Sequence[tuple[str, bytes]], value: bytes | None) -> dict[str, Any]:
    """Return a record in CloudEvents binary mode as the CloudEvents JSON object (structured mode)."""
    found: dict[str, str] = {}
    for name, content in headers:
        found.setdefault(name, (content or b"").decode("utf-8", "replace"))
    event = {
        "specversion": found.get("ce_specversion", "1.0"),
        "id": found.get("ce_id", ""),
        "type": found.get("ce_type", ""),
        "source": found.get("ce_source", ""),
        "subject": found.get("ce_subject", ""),
        "time": found.get("ce_time", ""),
        "dataschema": found.get("ce_dataschema", ""),
        "datacontenttype": found.get("content-type", "application/json"),
    }
    event = {name: word for name, word in event.items() if word}
    return {**event, "data": _decode(value) if value else None}


def event_line(event: dict[str, Any]) -> bytes:
    """Return a CloudEvents object as one line of JSON."""
    return _encode(event)
