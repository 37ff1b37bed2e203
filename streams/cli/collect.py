"""``veille collect``: publishes what live sources say to mentions.raw."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.options import Broker, Run, Watchlist, load_settings, run_async
from streams.settings import Settings

if TYPE_CHECKING:
    from schemas.brand import Watchlist as Brands
    from streams.errors import VeilleError
    from streams.sources.live.bluesky import Wanted
    from streams.sources.live.config import Source

HELP = """Collect mentions from live sources: a webhook, feeds, Mastodon, Bluesky; publish them to mentions.raw with their clock.

All sources of the file run at once, and none stops another. What cannot be reached is said once, with its mend, and tried again. Of Bluesky
only what may name a watched brand is published: the brands are those of the topic `watchlist`, or of --watchlist. How far each source
was read is kept in --state, so that a restart goes on from there.

Example: veille collect sources.yaml --broker kafka:9092

Exit codes: 0 stopped, or checked; 3 no broker; 4 bad sources, settings or state, a port that is taken, or a right that is missing;
130 interrupted, after a clean end."""


def command(
    sources: Annotated[Path, typer.Argument(metavar="SOURCES", help="Sources file (YAML), see docs/sources.md.")],
    check: Annotated[bool, typer.Option("--check", help="Only say whether the file can be used.")] = False,
    watchlist: Watchlist = None,
    state: Annotated[Path | None, typer.Option("--state", metavar="DIR", help="Where positions are kept (VEILLE_COLLECT__STATE).")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of /metrics, /ping and /ready (VEILLE_COLLECT__PORT).")] = None,
    broker: Broker = None,
    run: Run = None,
) -> None:
    """Read the file and collect until stopped."""
    from streams.cli.output import emit
    from streams.plurals import counted
    from streams.sources.live.config import load_sources

    found = load_sources(sources)
    if check:
        emit(f"{sources}: {counted(len(found), 'source')}: {', '.join(one.name for one in found)}")
        return
    settings = load_settings(broker=broker, run=run, watchlist=str(watchlist) if watchlist else None)
    given = {"port": port, "state": str(state) if state else None}
    changed = {name: value for name, value in given.items() if value is not None}
    if changed:
        settings = load_settings(broker=broker, run=run, watchlist=settings.watchlist, collect={**settings.collect.model_dump(), **changed})
    from streams import logs

    logs.configure(settings.log_level)
    run_async(_collect(settings, found, Path(settings.collect.state or sources.with_suffix(".state"))))


class Watched:
    """What is watched: of several watchlists the one with the greatest version. ``wanted`` tells mentions that may name a brand of it."""

    def __init__(self) -> None:
        self._version = -1
        self.wanted: Wanted | None = None
        #: What ended the following of the topic.
        self.error: VeilleError | None = None

    def take(self, watchlist: Brands) -> None:
        """Take a watchlist; mentions are matched as enrichment will match them."""
        from streams.engine.stage import InputRecord
        from streams.enrich.ahead import read_ahead
        from streams.enrich.brands import BrandMatcher

        if watchlist.version <= self._version:
            return
        self._version, matcher = watchlist.version, BrandMatcher(watchlist)

        def wanted(value: bytes) -> bool:
            (found,) = read_ahead([InputRecord(0, 0, None, value)], matcher)
            return not isinstance(found, str) and bool(found[-1])  # the brands that it names

        self.wanted = wanted


async def _watch(settings: Settings, watched: Watched, stack: AsyncExitStack) -> None:
    """Take the watchlist file, or what the topic holds and will hold."""
    from streams.cli.definitions import latest_watchlist
    from streams.engine.access import refused
    from streams.engine.connection import no_broker
    from streams.engine.topics import require_topics
    from streams.enrich.watchlist import load_watchlist
    from streams.errors import Unreachable
    from streams.sources.watchlists import following

    if settings.watchlist:
        watched.take(load_watchlist(Path(settings.watchlist)))
        return
    await require_topics(settings, ["watchlist"])
    latest = await latest_watchlist(settings)
    if latest is not None:
        watched.take(latest)
    work = asyncio.current_task()

    def failed(error: BaseException) -> None:
        watched.error = refused(error, settings) or Unreachable(no_broker(settings.broker, error))
        if work is not None:
            work.cancel()

    await stack.enter_async_context(following(settings, watched.take, failed))


async def _collect(settings: Settings, sources: tuple[Source, ...], folder: Path) -> None:
    """Collect until SIGTERM, which is a clean end, or Ctrl-C."""
    work = asyncio.create_task(_work(settings, sources, folder))
    stopped = asyncio.Event()

    def stop() -> None:
        stopped.set()
        work.cancel()

    if threading.current_thread() is threading.main_thread():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    try:
        await work
    except asyncio.CancelledError:
        if not stopped.is_set():
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            raise


async def _work(settings: Settings, sources: tuple[Source, ...], folder: Path) -> None:
    import structlog

    from streams.http import application, serve
    from streams.metrics import PrometheusMeter
    from streams.sources.live.collect import Collector
    from streams.sources.live.config import Bluesky
    from streams.sources.live.outlet import KafkaOutlet
    from streams.sources.live.places import Places

    log = structlog.get_logger(__name__)
    meter, place = PrometheusMeter(prefix="veille_source_"), settings.collect
    async with AsyncExitStack() as stack:
        places = Places(folder)
        stack.callback(places.close)
        outlet = await stack.enter_async_context(KafkaOutlet(settings))
        watched = Watched()
        if any(isinstance(one, Bluesky) for one in sources):
            await _watch(settings, watched, stack)
        collector = Collector(sources, outlet, places, meter, lambda: watched.wanted)
        pages = application(meter, lambda: not outlet.away)
        port = await stack.enter_async_context(serve(place.host, place.port, "VEILLE_COLLECT__PORT", pages))
        log.info("ready", sources=len(sources), host=place.host, port=port)
        try:
            await collector.run()
        except asyncio.CancelledError:
            if watched.error is not None:
                raise watched.error from None
            raise
