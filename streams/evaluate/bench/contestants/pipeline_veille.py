"""Veille's worker with the stages enrich and detect: outputs confirmed, states saved, offsets committed, as ever."""

from __future__ import annotations

import asyncio

from streams import logs
from streams.engine.worker import Worker
from streams.evaluate.bench.contestants.road import Road
from streams.evaluate.bench.contestants.work import job


async def _main() -> None:
    todo = job()
    logs.configure("ERROR", json=True)
    road = Road(todo, worker_clock=False)
    worker = Worker(road.settings, road.specs, publish_positions=False)
    assignment = worker.members[0].assignment
    close = assignment.close

    async def closed(seconds: float) -> None:
        # The last checkpoint and its commit; leaving the group is not counted, for the others neither.
        await close(seconds)
        road.finish()

    assignment.close = closed  # type: ignore[method-assign]
    road.on_end = worker.stop
    raise SystemExit(await worker.run())


if __name__ == "__main__":
    asyncio.run(_main())
