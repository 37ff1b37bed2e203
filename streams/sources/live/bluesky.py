"""Bluesky's posts by a Jetstream (https://github.com/bluesky-social/jetstream), from the last cursor on: those that may name a brand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import orjson
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from streams.clock import monotonic
from streams.inside import Refused, Resolve, pin, resolve
from streams.sources.live.config import Bluesky
from streams.sources.live.fetch import agent, trust
from streams.sources.live.making import Ready
from streams.sources.live.post import Post
from streams.sources.live.skeets import POST, read_event, time_us
from streams.sources.live.trouble import Trouble

log = structlog.get_logger(__name__)
#: Says whether the public mention in these bytes may name a watched brand; None while nobody knows what is watched.
Wanted = Callable[[bytes], bool]
_PORTS: Final = {"ws": 80, "wss": 443}
#: After a drop so much is heard again, µs.
OVERLAP_US: Final = 5_000_000
#: Mentions that are handed over at once, and seconds after which fewer are.
_BATCH, _EVERY = 200, 1.0
#: A stream of the whole network that says nothing for so many seconds is stuck.
SILENCE: Final = 60.0
_MAX_EVENT: Final = 1 << 20
#: A gap after a cursor that is worth a word, µs: servers keep a day or so.
_GAP_US: Final = 300_000_000


class BlueskySource:
    """Listens until the connection is lost. It is as far as the last event that it took."""

    interval = 1.0

    def __init__(
        self, config: Bluesky, post: Post, wanted: Callable[[], Wanted | None], *, lookup: Resolve = resolve, silence: float = SILENCE
    ) -> None:
        self._config = config
        self._post = post
        self._wanted = wanted
        self._lookup = lookup
        self._silence = silence
        self._ready: list[Ready] = []
        #: Time of the last event that was taken, and of the last whose mentions are on the broker, µs; 0: none yet.
        self._taken = 0
        self._sent: int | None = None

    async def run(self) -> None:
        """Connect and take events. Raises `Trouble` when the connection is refused, or lost."""
        if self._wanted() is None:
            raise Trouble(
                "there is no watchlist yet, so it is not known what to keep", "run veille watchlist apply, or give --watchlist", after=5
            )
        if self._sent is None:
            self._sent = time_us({"time_us": self._post.place.load().get("cursor")}) or 0
        # What was taken and not sent is heard again.
        self._ready, self._taken = [], self._sent
        cursor = f"&cursor={max(1, self._sent - OVERLAP_US)}" if self._sent else ""
        uri = f"{self._config.url}?wantedCollections={POST}{cursor}"
        try:
            target = await pin(self._config.url, allow_private=self._config.allow_private, lookup=self._lookup, ports=_PORTS)
            tls = trust() if uri.startswith("wss:") else None
            async with connect(
                uri, host=target.address, port=target.port, ssl=tls, proxy=None, max_size=_MAX_EVENT, user_agent_header=agent(),
                open_timeout=20, ping_interval=20, ping_timeout=20, close_timeout=2,
            ) as stream:  # fmt: skip
                await self._listen(stream)
        except Refused as refused:
            raise Trouble(str(refused), "allow_private: true lets it lie in your own network") from None
        except InvalidStatus as error:
            raise Trouble(f"it answers {error.response.status_code}", "is the URL that of a Jetstream's /subscribe?") from None
        except (WebSocketException, OSError, TimeoutError, ValueError) as error:
            raise Trouble(f"the connection is lost or refused ({type(error).__name__})", "it is tried again; is the URL right?") from None

    async def _listen(self, stream: ClientConnection) -> None:
        before, first = self._sent or 0, True
        sent_at = heard_at = monotonic()
        while True:
            try:
                async with asyncio.timeout(max(0.01, _EVERY - (monotonic() - sent_at))):
                    message: str | bytes | None = await stream.recv()
            except TimeoutError:
                message = None
            now = monotonic()
            if message is not None:
                heard_at = now
                self._take(message)
                gap = self._taken - before
                if first and before and gap > _GAP_US:
                    log.warning("the server no longer has all posts", source=self._post.name, missing_minutes=gap // 60_000_000)
                first = first and gap == 0
            elif now - heard_at > self._silence:
                raise Trouble("the stream says nothing any more", "it is tried again; another Jetstream may do better")
            if len(self._ready) >= _BATCH or now - sent_at >= _EVERY:
                await self._send()
                sent_at = monotonic()

    def _take(self, message: str | bytes) -> None:
        try:
            event: Any = orjson.loads(message)
        except orjson.JSONDecodeError:
            self._post.refuse(1)
            return
        at = time_us(event)
        now = self._post.wall()
        if at is None or at > (now + 300_000) * 1000:
            self._post.refuse(1)
            return
        mention = read_event(event, self._config.name, now)
        wanted = self._wanted()
        if mention is not None and wanted is not None and wanted(mention.value):
            self._ready.append(mention)
        self._taken = max(self._taken, at)

    async def _send(self) -> None:
        """Hand over what was kept, then remember how far that is."""
        taken = self._taken
        await self._post.deliver(self._ready)
        self._ready = []
        if taken > (self._sent or 0):
            self._sent = taken
            self._post.place.save({"cursor": taken})
            self._post.well()
            self._post.reached(taken // 1000)
