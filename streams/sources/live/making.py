"""From what a network says of a post to the public mention (`schemas.mention`): pure, and no JSON makes it raise."""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

import msgspec

from schemas.mention import MAX_RECORD_BYTES, Mention, json_value
from streams.clock import rfc3339
from streams.sources.dates import parse_time

#: Characters of a text that travel: enrichment reads no more. Longer ids are replaced by their hash.
MOST_TEXT: Final = 8192
_MOST_ID: Final = 512
_MOST_URL: Final = 2048
_MOST_WORD: Final = 256
_MOST_COUNT: Final = 2**53


class Ready(NamedTuple):
    """A public mention as it travels, and its id, which is its key."""

    id: str
    value: bytes


def word(value: object, most: int = _MOST_WORD) -> str | None:
    """Return a text that is no longer than ``most``; None for anything else, and for an empty one."""
    return unbroken(value) if isinstance(value, str) and 0 < len(value) <= most else None


def unbroken(text: str) -> str:
    """Return ``text`` without lone surrogates, which UTF-8 cannot carry."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def link(value: object) -> str | None:
    """Return a web address, or None."""
    return word(value, _MOST_URL) if isinstance(value, str) and value.startswith(("https://", "http://")) else None


def count(value: object) -> int | None:
    """Return a whole number from 0 on, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_COUNT else None


def inner(value: object, *path: str) -> Any:
    """Return what stands at ``path`` of nested JSON objects, or None."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def published(value: object, now_ms: int) -> int:
    """Return when a post was published, in ms; ``now_ms`` where it does not say, or says a time to come."""
    ms = parse_time(value)
    return now_ms if ms is None or ms > now_ms else ms


def identity(text: str) -> str:
    """Return an id that a mention may have: ``text``, or its hash where it is too long."""
    text = unbroken(text)
    return text if len(text) <= _MOST_ID else "h" + hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def ready(mention: Mention, source: str, now_ms: int) -> Ready | None:
    """Return ``mention`` as it travels, marked with the source and the time of its collection; None where it says nothing."""
    text = unbroken(mention.text[:MOST_TEXT]).strip()
    if not text:
        return None
    mention = msgspec.structs.replace(mention, text=text, source=source, collected_at=rfc3339(now_ms))
    value = json_value(mention)
    return Ready(mention.id, value) if len(value) <= MAX_RECORD_BYTES else None
