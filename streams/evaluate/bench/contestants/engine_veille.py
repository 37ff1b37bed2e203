"""Veille's engine: a worker with one stage that parses and counts, checkpoints and commits as ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from streams import logs
from streams.engine.settings import EngineSettings
from streams.engine.stage import Checkpoint, Output, Record, StageSpec
from streams.engine.worker import Worker
from streams.evaluate.bench.contestants.work import Tally, decode, job
from streams.settings import Settings


class Count:
    """Parses and counts; like the other contestants it keeps its counts in memory."""

    def __init__(self, tally: Tally, finished: asyncio.Event) -> None:
        self._tally = tally
        self._finished = finished

    def restore(self, states: Mapping[bytes, bytes], cut: bytes | None) -> None: ...

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        tally = self._tally
        tally.begin()
        counts = tally.counts
        for record in records:
            key, value = record.key, record.value
            if key is not None and value is not None:
                decode(value)
                counts[key] = counts.get(key, 0) + 1
        tally.done += len(records)
        if tally.complete:
            self._finished.set()
        return ()

    def checkpoint(self, next_offset: int, *, full: bool = False) -> Checkpoint:
        return Checkpoint([], b"", next_offset)


async def _main() -> None:
    todo = job()
    logs.configure("WARNING", json=True)
    tally = Tally(todo["records"])
    finished = asyncio.Event()
    engine = EngineSettings(max_poll_records=10_000, checkpoint_records=1_000_000)
    settings = Settings(broker=todo["broker"], group=todo["group"], engine=engine, _env_file=None)
    worker = Worker(settings, [StageSpec("count", todo["topic"], lambda _: Count(tally, finished))], publish_positions=False)
    assignment = worker.members[0].assignment
    close = assignment.close

    async def closed(seconds: float) -> None:
        # The last checkpoint and its commit; leaving the group is not counted, for the others neither.
        await close(seconds)
        tally.finish()

    assignment.close = closed  # type: ignore[method-assign]

    async def stop_when_done() -> None:
        await finished.wait()
        worker.stop()

    stopping = asyncio.ensure_future(stop_when_done())
    code = await worker.run()
    stopping.cancel()
    raise SystemExit(code)


if __name__ == "__main__":
    asyncio.run(_main())
