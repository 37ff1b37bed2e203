"""What a feed holds: the bytes of an RSS or Atom document to public mentions. Pure; it raises `NoFeed` or nothing."""

from __future__ import annotations

import calendar
import hashlib
import io
import re
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import feedparser

from schemas.mention import Author, Mention
from streams.clock import rfc3339
from streams.sources.dates import parse_time
from streams.sources.live.making import Ready, identity, inner, link, ready, unbroken, word
from streams.sources.live.plain import plain

#: Entries of one document that are looked at.
_MOST_ENTRIES: Final = 1000
#: A document that declares entities is refused: no feed needs them, and they are how a small one unfolds into a huge one.
_ENTITY: Final = re.compile(rb"<\s*!\s*ENTITY", re.IGNORECASE)
_GLOBAL: Final = ("https://", "http://", "urn:", "tag:")


class NoFeed(Exception):
    """The bytes are no feed; the message is a fixed word."""


class Entry(NamedTuple):
    """One item: a mark by which it is known again, when it was published (ms; None: it does not say), its mention (None: it is empty)."""

    mark: str
    published_ms: int | None
    mention: Ready | None


def read_feed(body: bytes, headers: Mapping[str, str], url: str, source: str, network: str, now_ms: int) -> list[Entry]:
    """Return the items of a document, as it lists them. Raises `NoFeed`.

    ``headers`` (content type) help with its encoding; ``url`` resolves its links, and tells apart ids that are only its own.
    """
    if _ENTITY.search(body.replace(b"\0", b"")):
        raise NoFeed("it declares entities, which no feed needs")
    try:
        found = feedparser.parse(
            io.BytesIO(body), response_headers={"content-type": headers.get("content-type", ""), "content-location": url},
            sanitize_html=False, resolve_relative_uris=False,
        )  # fmt: skip
    except Exception as error:  # a parser of so many dialects fails in many ways; its words may be the document's
        raise NoFeed(f"it cannot be parsed ({type(error).__name__})") from None
    entries = found.get("entries")
    if not found.get("version") and not entries:
        raise NoFeed("it is neither RSS nor Atom")
    language = word(inner(found.get("feed"), "language"), 16)
    return [_entry(dict(entry), url, language, source, network, now_ms) for entry in entries[:_MOST_ENTRIES]]


def _entry(entry: dict[str, Any], url: str, language: str | None, source: str, network: str, now_ms: int) -> Entry:
    title, address = _text(entry.get("title")), link(entry.get("link"))
    said = _text(entry.get("summary")) or _text(next((inner(one, "value") for one in entry.get("content") or ()), ""))
    given = entry.get("id")
    if isinstance(given, str) and given.startswith(_GLOBAL):
        name = given
    elif isinstance(given, str) and given:
        name = f"{urlsplit(url).hostname}:{given}"  # a number of this site's own
    else:
        name = address or f"{urlsplit(url).hostname}:{title}:{entry.get('published', '')}"
    # A description often begins with the title, or is the same.
    text = said if said.startswith(title) else f"{title}\n{said}"
    at = _time(entry, now_ms)
    mention = Mention(
        id=identity(name),
        network=network,
        text=text,
        published_at=rfc3339(now_ms if at is None else at),
        author=Author(name=author) if (author := word(_text(entry.get("author")))) else None,
        url=address,
        lang=word(inner(entry.get("title_detail"), "language"), 16) or language,
        kind="article",
    )
    mark = hashlib.blake2b(unbroken(name).encode(), digest_size=8).hexdigest()
    return Entry(mark, at, ready(mention, source, now_ms))


def _time(entry: dict[str, Any], now_ms: int) -> int | None:
    """Return when an item was published; feedparser knows more ways to write a date than others do."""
    for name in ("published", "updated"):
        parsed = entry.get(f"{name}_parsed")
        try:
            ms = 1000 * calendar.timegm(parsed) if isinstance(parsed, time.struct_time) else parse_time(entry.get(name))
        except (ValueError, OverflowError):
            continue
        if ms is not None and ms >= 0:
            return min(ms, now_ms)
    return None


def _text(value: object) -> str:
    return plain(value) if isinstance(value, str) else ""
