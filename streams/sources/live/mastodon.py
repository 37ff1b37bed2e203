"""Hashtags of one Mastodon instance, asked for page by page from the last status that is known (``min_id``)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlsplit

import orjson

from streams.inside import Resolve, resolve
from streams.sources.dates import parse_time
from streams.sources.live.config import Mastodon
from streams.sources.live.fetch import Answer, Fetcher, objection
from streams.sources.live.making import inner, word
from streams.sources.live.post import Post
from streams.sources.live.toots import read_status
from streams.sources.live.trouble import Trouble

#: Statuses of one page, as many as an instance gives; pages of one tag in one round.
PAGE: Final = 40
_MOST_PAGES: Final = 50
#: Of a tag that is followed for the first time, statuses older than this are no news: they would all count now.
FRESH_MS: Final = 3_600_000
#: So much is asked for again in each round, ms, and the least number that is a time.
OVERLAP_MS: Final = 300_000
_SNOWFLAKE: Final = 1_000_000_000_000 << 16
#: Statuses that are known again: what a reply answers is named by a number.
_MOST_KNOWN: Final = 1000


class MastodonSource:
    """Asks for all tags of a source; it is as far as the beginning of its last whole round."""

    def __init__(self, config: Mastodon, post: Post, *, lookup: Resolve = resolve) -> None:
        self._config = config
        self._post = post
        self._host = urlsplit(config.instance).hostname or ""
        self._fetcher = Fetcher(allow_private=config.allow_private, lookup=lookup)
        self._secret = {"authorization": f"Bearer {config.token}"} if config.token else {}
        self._at: dict[str, Any] | None = None
        #: Until when the instance wants no more questions, ms.
        self._until_ms = 0
        self.interval = config.interval

    async def run(self) -> None:
        """Ask for each tag up to its end."""
        if self._at is None:
            self._at = {"tags": {}, "uris": {}, **self._post.place.load()}
        began = self._post.wall()
        for tag in self._config.tags:
            await self._follow(tag, self._at)
        self._post.well()
        self._post.reached(began)

    async def _follow(self, tag: str, at: dict[str, Any]) -> None:
        """Publish what is new under ``tag``, oldest first, a page at a time, and remember how far that is."""
        newest = at["tags"].get(tag, "")
        cursor = _behind(newest)
        for _ in range(_MOST_PAGES):
            page = await self._page(tag, cursor)
            new = await self._publish(page, at, fresh_only=not newest)
            last = max([cursor or "0", *_numbers(page)], key=int)
            # A tag that has no status yet is followed from 0 on: what comes then is new.
            at["tags"][tag] = max(at["tags"].get(tag) or "0", last, key=int)
            if new or not newest:
                self._post.place.save(at)
            if not newest or len(page) < PAGE or last == cursor:
                return
            cursor = last
        raise Trouble(f"more than {_MOST_PAGES} pages are new under a tag", "it goes on with the rest in the next round", after=1.0)

    async def _publish(self, page: list[Any], at: dict[str, Any], *, fresh_only: bool) -> bool:
        """Publish what is not known yet; return whether there was any."""
        now = self._post.wall()
        uris: dict[str, str] = at["uris"]
        new = [status for status in page if word(inner(status, "id")) not in uris]
        named = [(word(inner(status, "id")), word(inner(status, "uri"), 2048)) for status in new]
        known = uris | {number: uri for number, uri in reversed(named) if number and uri}
        told = [one for one in new if not fresh_only or (parse_time(inner(one, "created_at")) or now) >= now - FRESH_MS]
        found = [read_status(status, self._host, self._config.name, now, known.get) for status in reversed(told)]
        self._post.refuse(found.count(None))
        await self._post.deliver([one for one in found if one is not None])
        uris.update(known)
        for number in list(uris)[:-_MOST_KNOWN]:
            del uris[number]
        return bool(new)

    async def _page(self, tag: str, since: str) -> list[Any]:
        self._heed_limit()
        url = f"{self._config.instance}/api/v1/timelines/tag/{quote(tag, safe='')}?limit={PAGE}"
        answer = await self._fetcher.get(url + (f"&min_id={since}" if since else ""), {"accept": "application/json"}, self._secret)
        self._note_limit(answer)
        if answer.status != 200:
            trouble = objection(answer, self._post.wall)
            if answer.status == 429 and not trouble.after:
                trouble.after = max(1.0, (self._until_ms - self._post.wall()) / 1000)
            if answer.status in (401, 422):
                raise Trouble(f"it answers {answer.status}", "this instance shows tags to its members only: give a token")
            raise trouble
        try:
            page = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            page = None
        if not isinstance(page, list):
            raise Trouble("its answer is no list of statuses", "is the URL that of a Mastodon instance?")
        return page

    def _note_limit(self, answer: Answer) -> None:
        """Remember until when the instance wants no more questions (``X-RateLimit-Remaining``, ``X-RateLimit-Reset``)."""
        left, reset = answer.headers.get("x-ratelimit-remaining", ""), parse_time(answer.headers.get("x-ratelimit-reset"))
        if (left == "0" or answer.status == 429) and reset is not None:
            self._until_ms = reset

    def _heed_limit(self) -> None:
        wait = (self._until_ms - self._post.wall()) / 1000
        if wait > 0:
            raise Trouble("its limit of questions is used up", "make the interval longer, or follow fewer tags", after=wait)


def _numbers(page: list[Any]) -> list[str]:
    """Return the numbers of the statuses of a page; they grow with time."""
    found = [word(inner(status, "id"), 64) for status in page]
    return [number for number in found if number is not None and number.isascii() and number.isdecimal()]


def _behind(newest: str) -> str:
    """Return the number from which to ask: what comes late from another server is numbered by when it was written.

    Mastodon's numbers are ms since 1970, and 16 bits. Numbers of other software that are none stay as they are.

    >>> _behind("110000000000000000"), _behind("17"), _behind("")
    ('109999980339200000', '17', '')
    """
    number = int(newest or "0")
    return str(number - (OVERLAP_MS << 16)) if _SNOWFLAKE < number < 1 << 63 else newest
