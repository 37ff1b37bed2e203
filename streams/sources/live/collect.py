"""Runs all sources at once: each is tried again by itself, none stops another, and one clock tells how far each is."""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from streams.clock import Sleep, WallClock, wall_ms
from streams.engine.stage import Output
from streams.errors import VeilleError
from streams.inside import Resolve, resolve
from streams.metrics import PrometheusMeter
from streams.sources.live.apart import FeedReader
from streams.sources.live.bluesky import BlueskySource, Wanted
from streams.sources.live.config import Bluesky, Feeds, Mastodon, Source, Webhook
from streams.sources.live.feeds import FeedsSource
from streams.sources.live.mastodon import MastodonSource
from streams.sources.live.outlet import Outlet
from streams.sources.live.places import Places
from streams.sources.live.post import Post
from streams.sources.live.trouble import Trouble
from streams.sources.live.webhook import WebhookSource
from streams.sources.plan import clock_record

log = structlog.get_logger(__name__)
#: Seconds between two clock records of a source whose time moved.
CLOCK_SECONDS: Final = 1.0


class Live(Protocol):
    """A source at work."""

    @property
    def interval(self) -> float:
        """Seconds between two runs."""
        ...

    async def run(self) -> None:
        """Do one round, or go on until the other side is lost. Raises `Trouble` to be tried again later."""
        ...


class Collector:
    """All sources of one process. ``wanted`` returns what tells mentions of watched brands from the rest."""

    def __init__(
        self,
        sources: Sequence[Source],
        outlet: Outlet,
        places: Places,
        meter: PrometheusMeter,
        wanted: Callable[[], Wanted | None],
        *,
        wall: WallClock = wall_ms,
        sleep: Sleep = asyncio.sleep,
        lookup: Resolve = resolve,
    ) -> None:
        self._outlet = outlet
        self._sleep = sleep
        self._readers: list[FeedReader] = []
        self.posts: dict[str, Post] = {}
        self.live: dict[str, Live] = {}
        for config in sources:
            post = Post(config.name, outlet, places.of(config.name, _followed(config)), meter, wall)
            self.posts[config.name] = post
            self.live[config.name] = self._made(config, post, wanted, lookup)

    def _made(self, config: Source, post: Post, wanted: Callable[[], Wanted | None], lookup: Resolve) -> Live:
        match config:
            case Webhook():
                return WebhookSource(config, post, sleep=self._sleep)
            case Feeds():
                self._readers.append(FeedReader())
                return FeedsSource(config, post, self._readers[-1], lookup=lookup)
            case Mastodon():
                return MastodonSource(config, post, lookup=lookup)
            case Bluesky():
                return BlueskySource(config, post, wanted, lookup=lookup)

    async def run(self) -> None:
        """Collect until cancelled. Raises the `VeilleError` that ends all: a port that is taken, a right that is missing."""
        tasks = [asyncio.create_task(self._clock())]
        tasks += [asyncio.create_task(self._supervise(live, self.posts[name])) for name, live in self.live.items()]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            for reader in self._readers:
                await reader.close()
        for error in ended:
            if isinstance(error, BaseException) and not isinstance(error, asyncio.CancelledError):
                raise error

    async def _supervise(self, live: Live, post: Post) -> None:
        while True:
            try:
                await live.run()
                wait = live.interval
            except Trouble as trouble:
                wait = post.trouble(trouble)
            except VeilleError:
                raise
            except Exception as error:
                # Its text may be a stranger's: the place in the code says enough.
                frames = traceback.extract_tb(error.__traceback__)[-4:]
                places = [f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in frames]
                log.error("a source failed", source=post.name, kind=type(error).__name__, at=places)
                wait = post.trouble(Trouble(f"it failed by a fault of Veille's own ({type(error).__name__})", "please report it"))
            await self._sleep(wait)

    async def _clock(self) -> None:
        """Publish how far each source is, where that moved: a source that stands still falls silent."""
        told: dict[str, int] = {}
        while True:
            moved: list[Output] = []
            for name, post in self.posts.items():
                if post.reached_ms is not None and post.reached_ms > told.get(name, -1):
                    told[name] = post.reached_ms
                    moved.append(clock_record(post.reached_ms, name))
            await self._outlet.publish(moved)
            await self._sleep(CLOCK_SECONDS)


def _followed(config: Source) -> str:
    """Return what a position of ``config`` is a position in."""
    # A Jetstream's cursor is a time, the same on each of its servers; feeds have a position each.
    return config.instance if isinstance(config, Mastodon) else type(config).__name__.lower()
