"""One live worker: the stages of `streams.topology` on Kafka, with their metrics and the watchlist's topic."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from schemas.brand import Watchlist
from schemas.topics import load_topics
from streams.clock import wall_ms
from streams.engine.ending import Guard
from streams.engine.topics import partition_count, require_topics
from streams.engine.worker import Worker, run_worker
from streams.enrich.language import load_models
from streams.enrich.watchlist import Watchlists, load_watchlist
from streams.errors import Fatal
from streams.http import application, serve
from streams.metrics import PrometheusMeter
from streams.respond.agent import notify
from streams.respond.playbook import Playbook, of_brands
from streams.settings import Settings
from streams.sources.watchlists import following
from streams.topology import build_specs

log = structlog.get_logger(__name__)


async def _main(settings: Settings, guard: Guard) -> int:
    watchlists = Watchlists()
    # Version 0 names nobody: with the topic as the watchlist, mentions before the first marker concern no brand.
    version = 0
    plans: tuple[Playbook, ...] = ()
    watchlists.add(Watchlist(brands=(), version=version))
    if settings.watchlist:
        found = load_watchlist(Path(settings.watchlist))
        watchlists.add(found)
        version = found.version
        plans = of_brands({brand.id: brand.plan for brand in found.brands if brand.plan}, Path(settings.watchlist).parent)
    meter = PrometheusMeter()
    stages = {name.strip() for name in settings.stages.split(",")}
    await require_topics(settings, [t.name for t in load_topics().values() if stages & {*t.producers, *t.consumers}])
    async with AsyncExitStack() as stack:
        # Detect alone asks; others may have no right to.
        partitions = {"mentions.raw": await partition_count(settings, "mentions.raw") if "detect" in stages else 0}
        if "enrich" in stages:
            await asyncio.to_thread(load_models)  # before the worker is ready, so that no mention waits for it
        specs = build_specs(settings, watchlists, partitions, version=version, wall_clock=wall_ms, meter=meter, brand_plans=plans)
        worker = Worker(settings, specs, meter=meter)
        if "enrich" in stages:
            await stack.enter_async_context(following(settings, watchlists.add, worker.fail))
        http = settings.http
        pages = application(meter, lambda: worker.ready)
        port = await stack.enter_async_context(serve(http.host, http.port, "VEILLE_HTTP__PORT", pages))
        if http.port == 0:
            log.info("http", host=http.host, port=port)
        if "respond" in stages:
            telling = asyncio.create_task(notify(settings, meter))

            def ended(task: asyncio.Task[None]) -> None:
                if not task.cancelled():
                    worker.fail(task.exception() or Fatal("notifications are no longer delivered"))

            telling.add_done_callback(ended)
            stack.push_async_callback(_cancelled, telling)
        return await run_worker(settings, [], worker=worker, guard=guard)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def run_live(settings: Settings) -> int:
    """Run a worker until SIGINT, SIGTERM or an error that it may not survive; return the exit code."""
    # The guard outlasts the loop: what hangs after the worker has ended is bounded too.
    with Guard(settings.engine) as guard:
        return asyncio.run(_main(settings, guard))
