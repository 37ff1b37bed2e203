"""Captures a public page: what it answered as a WARC file, and a picture of it where Chromium is there."""

from __future__ import annotations

from typing import NamedTuple

from streams.evidence.screenshot import NoShot, Shot, shoot
from streams.evidence.warc import warc
from streams.fetch import Exchange, Limits, NotFetched, fetch
from streams.inside import Resolve, resolve

WARC_NAME, SHOT_NAME = "page.warc.gz", "page.jpg"
LIMITS = Limits(max_bytes=5_000_000, seconds=30.0, redirects=5)
#: Who asks: pages are often refused to what names no browser; whoever reads a log may know who came.
_HEADERS = {"user-agent": "Mozilla/5.0 (compatible; veille evidence)", "accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Captured(NamedTuple):
    """One page: each hop, the WARC file with ``held`` bytes of the answer's body, and the picture or a word why there is none."""

    hops: list[Exchange]
    warc: bytes
    held: int
    shot: Shot | None
    why: str


async def capture(
    url: str, limit: int, *, picture: bool = True, allow_private: bool = False, lookup: Resolve = resolve, sandbox: bool = True,
    limits: Limits = LIMITS,
) -> Captured:  # fmt: skip
    """Fetch ``url`` and make its files, each of at most ``limit`` bytes. Raises `NotFetched`."""
    hops = await fetch(url, limits=limits, headers=_HEADERS, allow_private=allow_private, lookup=lookup)
    written, held = warc(hops, limit)
    if len(written) > limit:
        raise NotFetched("the headers of its answers alone are too large")
    if not picture:
        return Captured(hops, written, held, None, "not_asked")
    try:
        shot = await shoot(hops[-1], limit, allow_private=allow_private, lookup=lookup, sandbox=sandbox)
    except NoShot as none:
        return Captured(hops, written, held, None, str(none))
    return Captured(hops, written, held, shot, "")
