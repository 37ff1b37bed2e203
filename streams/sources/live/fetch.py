"""One question at a time, to whom the operator named: `streams.fetch` with what a source needs, and what the answers mean."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Final, NamedTuple

import httpx

from streams.clock import WallClock
from streams.fetch import Limits, NotFetched, content, fetch
from streams.inside import Resolve, resolve
from streams.sources.dates import parse_time
from streams.sources.live.trouble import Trouble

MAX_BODY_BYTES: Final = 4 << 20
_SECONDS: Final = 45.0


class Answer(NamedTuple):
    """An answer with its whole body, unpacked."""

    status: int
    headers: httpx.Headers
    body: bytes


@cache
def agent() -> str:
    """Return how we call ourselves."""
    return f"veille/{version('veille')}"


@cache
def trust() -> ssl.SSLContext:
    """Return the public authorities, read once."""
    return httpx.create_ssl_context(trust_env=False)


class Fetcher:
    """Fetches for one source. Addresses inside the network are reached only with ``allow_private``, and only of the URL's own host."""

    def __init__(self, *, allow_private: bool, lookup: Resolve = resolve, max_bytes: int = MAX_BODY_BYTES) -> None:
        self._allow_private = allow_private
        self._lookup = lookup
        self._limits = Limits(max_bytes, _SECONDS)

    async def get(self, url: str, headers: Mapping[str, str], secret: Mapping[str, str] | None = None) -> Answer:
        """Return what ``url`` answers. ``secret`` headers go to its own origin alone. Raises `Trouble`."""
        try:
            hops = await fetch(
                url, limits=self._limits, headers={"user-agent": agent(), **headers}, secret=secret, allow_private=self._allow_private,
                lookup=self._lookup, trust=trust(),
            )  # fmt: skip
            last = hops[-1]
            body = content(last, self._limits.max_bytes) if last.status == 200 else b""
        except NotFetched as error:
            inside = "private address" in str(error)
            mend = "allow_private: true lets its own host lie in your network, and no other" if inside else "is the URL right, is it up?"
            raise Trouble(str(error), mend) from None
        return Answer(last.status, httpx.Headers(last.answered), body)


def after(headers: httpx.Headers, wall: WallClock) -> float:
    """Return how many seconds an answer asks to wait (``Retry-After``: a number, or a date); 0 where it does not say.

    >>> after(httpx.Headers({"retry-after": "120"}), lambda: 0)
    120.0
    >>> after(httpx.Headers({"retry-after": "Thu, 01 Jan 1970 00:02:00 GMT"}), lambda: 60_000)
    60.0
    """
    word = headers.get("retry-after", "").strip()
    if word.isascii() and word.isdigit() and len(word) < 10:
        return float(word)
    ms = parse_time(word)
    return max(0.0, (ms - wall()) / 1000) if ms is not None else 0.0


def objection(answer: Answer, wall: WallClock) -> Trouble:
    """Return what an answer that is neither 200 nor 304 means."""
    status = answer.status
    mend = {
        401: "it wants to know who asks: check the token",
        403: "it does not let us: check the token, or ask those who run it",
        404: "check the URL",
        410: "it is gone for good: take it out of the sources file",
        429: "it wants fewer questions: make the interval longer",
    }.get(status, "it is tried again")
    return Trouble(f"it answers {status}", mend, after=after(answer.headers, wall) if status in (429, 503) else 0.0)
