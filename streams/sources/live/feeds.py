"""RSS and Atom: every document is asked for with its ETag, its new items are published, and a broken one holds up no other."""

from __future__ import annotations

import hashlib
from typing import Any, Final
from urllib.parse import urlsplit

from streams.inside import Resolve, resolve
from streams.sources.live.apart import FeedReader
from streams.sources.live.config import Feeds
from streams.sources.live.entries import Entry, NoFeed
from streams.sources.live.fetch import Answer, Fetcher, objection
from streams.sources.live.post import FIRST_WAIT, LONGEST_WAIT, Post
from streams.sources.live.trouble import Trouble

#: Of a document that is seen for the first time, items older than this, or without a date, are no news: all would count now.
FRESH_MS: Final = 3_600_000
#: Items of one document that are known again: those that it lists, and before them the latest.
_MOST_SEEN: Final = 3000
_ACCEPT: Final = "application/atom+xml, application/rss+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"


class _Feed:
    """One document: its URL, what names it in the position, and until when it asked to be left alone (ms)."""

    def __init__(self, number: int, url: str) -> None:
        self.url = url
        self.key = hashlib.blake2b(url.encode(), digest_size=8).hexdigest()
        #: For people: a path or a query may hold a key.
        self.called = f"feed {number} ({urlsplit(url).hostname})"
        self.until_ms = 0
        self.failures = 0
        self.trouble: Trouble | None = None


class FeedsSource:
    """Asks for all documents of a source. It is as far as its slowest document."""

    def __init__(self, config: Feeds, post: Post, reader: FeedReader, *, lookup: Resolve = resolve) -> None:
        self._config = config
        self._post = post
        self._reader = reader
        self._fetcher = Fetcher(allow_private=config.allow_private, lookup=lookup)
        self._feeds = [_Feed(number, url) for number, url in enumerate(config.urls, 1)]
        self._at: dict[str, Any] | None = None
        self.interval = config.interval

    async def run(self) -> None:
        """Ask for each document once. Raises the `Trouble` of the first that is in some, after all were asked for."""
        if self._at is None:
            self._at = self._post.place.load()
        began = self._post.wall()
        for feed in self._feeds:
            if feed.until_ms > began:
                continue
            try:
                await self._ask(feed, self._at)
                feed.failures, feed.trouble = 0, None
            except Trouble as trouble:
                wait = trouble.after or min(LONGEST_WAIT, max(self.interval, FIRST_WAIT * 2.0 ** min(feed.failures, 20)))
                feed.failures += 1
                feed.until_ms = self._post.wall() + round(1000 * wait)
                feed.trouble = Trouble(f"{feed.called}: {trouble.said.word}", trouble.said.mend, after=self.interval)
        broken = next((feed.trouble for feed in self._feeds if feed.trouble is not None), None)
        if broken is not None:
            raise broken
        self._post.well()
        self._post.reached(began)

    async def _ask(self, feed: _Feed, at: dict[str, Any]) -> None:
        known = at.get(feed.key) or {}
        headers = {"accept": _ACCEPT}
        for name, header in (("etag", "if-none-match"), ("modified", "if-modified-since")):
            if known.get(name):
                headers[header] = known[name]
        answer = await self._fetcher.get(feed.url, headers)
        if answer.status == 304:
            return
        if answer.status != 200:
            raise objection(answer, self._post.wall)
        now = self._post.wall()
        try:
            entries = await self._reader.read(answer.body, answer.headers, feed.url, self._config.name, self._config.network, now)
        except NoFeed as error:
            raise Trouble(str(error), "look at it in a browser: is it the address of a feed?") from None
        fresh = _fresh(entries, known, now)
        self._post.refuse(sum(entry.mention is None for entry in fresh))
        # A list has its latest first: published in the order of time.
        fresh.sort(key=lambda one: one.published_ms or now)
        await self._post.deliver([entry.mention for entry in fresh if entry.mention])
        at[feed.key] = _known(answer, entries, known)
        self._post.place.save(at)


def _fresh(entries: list[Entry], known: dict[str, Any], now_ms: int) -> list[Entry]:
    """Return the items that were not seen before, each once."""
    seen = set(known.get("seen", ()))
    found = {entry.mark: entry for entry in reversed(entries) if entry.mark not in seen}
    return [entry for entry in found.values() if seen or (entry.published_ms or 0) >= now_ms - FRESH_MS]


def _known(answer: Answer, entries: list[Entry], before: dict[str, Any]) -> dict[str, Any]:
    """Return the position in a document: what makes the next question conditional, and which items are known."""
    listed = list(dict.fromkeys(entry.mark for entry in entries))
    earlier = [mark for mark in before.get("seen", ()) if mark not in set(listed)]
    found = {"seen": [*listed, *earlier][:_MOST_SEEN] or ["-"]}
    for name, header in (("etag", "etag"), ("modified", "last-modified")):
        word = answer.headers.get(header, "")
        if word and len(word) <= 256 and word.isascii() and word.isprintable():
            found[name] = word
    return found
