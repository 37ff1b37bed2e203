"""``veille demo``: three simulated days through broker, worker and topics, in one command."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from streams.cli.options import Json, language_of, run_async
from streams.errors import Fatal
from streams.settings import Settings

HELP = """Run three simulated days of seven brands through an embedded broker and a worker.

The crises are printed as they open, escalate and resolve.

Five crises and three decoys are planted; the summary says what was found and how early.

With --board the crisis room shows them while they open, on a page of this machine, and stays until Ctrl-C.

Example: veille demo --seed 1

Exit codes: 0 done; 1 the worker ended by itself; 130 interrupted, with nothing left behind."""

#: Events that people want to see pass by; --json prints all.
_SHOWN = ("opened", "escalated", "eased", "resolved", "reopened", "cancelled")
_TAIL_HOURS = 48.0


def command(
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same events, byte for byte.")] = 1,
    board: Annotated[bool, typer.Option("--board", help="Serve the crisis room too, until Ctrl-C (VEILLE_BOARD__PORT).")] = False,
    json: Json = False,
) -> None:
    """Run the demonstration."""
    with TemporaryDirectory(prefix="veille-") as folder:
        run_async(_demo(seed, board=board, json=json, folder=Path(folder)))


async def _demo(seed: int, *, board: bool, json: bool, folder: Path) -> None:
    from streams.cli.board import serve_room
    from streams.cli.child import worker_process
    from streams.cli.output import emit, note
    from streams.cli.progress import Bar
    from streams.cli.truth import Score
    from streams.clock import monotonic
    from streams.engine.embedded import EmbeddedBroker
    from streams.engine.positions import PositionsReader
    from streams.engine.topics import partition_counts
    from streams.simulate import simulate
    from streams.sources.plan import plan
    from streams.sources.replay import replay

    started = monotonic()
    made = simulate(seed)
    score = Score(made)
    watchlist = folder / "watchlist.yaml"
    watchlist.write_text(made.watchlist_yaml(), "utf-8")
    note(f"{len(made.mentions)} mentions of seven brands over three days, seed {seed}; starting broker and worker")
    async with AsyncExitStack() as stack:
        broker = stack.enter_context(EmbeddedBroker())
        settings = embedded_settings(broker.bootstrap)
        if board:  # the room also shows what is to do
            settings = settings.model_copy(update={"stages": f"{settings.stages},respond"})
        counts = await partition_counts(settings, list(_topics()))
        log = folder / "worker.log"
        worker = stack.enter_context(worker_process(environment(settings, watchlist), log))
        positions = await stack.enter_async_context(PositionsReader(settings))
        show = _printer(score, json=json, note=emit)
        events = asyncio.create_task(_subscribe(settings, show))
        watch = asyncio.create_task(_alive(worker, log))
        rooms = [asyncio.create_task(serve_room(settings, language_of("", settings)))] if board else []
        raw = plan(made.rows(), counts["mentions.raw"], _TAIL_HOURS, grid_seconds=settings.detect.grid_seconds)
        bar = Bar(len(made.mentions), quiet=not sys.stderr.isatty())
        work = asyncio.create_task(replay(settings, raw, progress=bar, positions=positions, need_reader=True))
        try:
            with bar:
                done = await _first(work, watch, events, *rooms)
            await _first(asyncio.create_task(_settled(settings)), watch, events, *rooms)
            await asyncio.sleep(0.5)  # what was committed has been sent; the subscription only has to fetch it
            seconds = monotonic() - started
            note("")
            for line in score.lines():
                note(line)
            spent = f"{seconds:.0f} s, simulation, broker and worker included ({done.waited_seconds:.0f} s held back)"
            note(f"{done.mentions} mentions in {spent}")
            for room in rooms:
                note("the crisis room stays until Ctrl-C")
                await _first(room, watch)
        finally:
            for task in (events, watch, work, *rooms):
                task.cancel()
            await asyncio.gather(events, watch, work, *rooms, return_exceptions=True)


def embedded_settings(bootstrap: str) -> Settings:
    """Return the settings of a worker on the embedded broker; nothing of the caller's environment is in them."""
    from streams.engine.embedded import REWRITE_BYTES

    values = {"changelog_rewrite_bytes": REWRITE_BYTES, "checkpoint_seconds": 1.0, "session_timeout_seconds": 30.0}
    return Settings(
        _env_file=None,
        broker=bootstrap,
        worker_clock=False,
        stages="enrich,detect,commands,crisis",
        log_level="WARNING",
        engine=values,
        http={"port": 0},
    )


def environment(settings: Settings, watchlist: Path) -> dict[str, str]:
    """Return the settings as the environment of a worker process."""
    engine = settings.engine
    return {
        "VEILLE_BROKER": settings.broker,
        "VEILLE_WATCHLIST": str(watchlist),
        "VEILLE_WORKER_CLOCK": "false",
        "VEILLE_STAGES": settings.stages,
        "VEILLE_LOG_LEVEL": settings.log_level,
        "VEILLE_HTTP__PORT": str(settings.http.port),
        "VEILLE_ENGINE__CHANGELOG_REWRITE_BYTES": str(engine.changelog_rewrite_bytes),
        "VEILLE_ENGINE__CHECKPOINT_SECONDS": str(engine.checkpoint_seconds),
        "VEILLE_ENGINE__SESSION_TIMEOUT_SECONDS": str(engine.session_timeout_seconds),
    }


def _topics() -> tuple[str, ...]:
    from schemas.topics import load_topics

    return tuple(load_topics())


def _printer(score: Any, *, json: bool, note: Callable[[str | bytes], None]) -> Callable[[dict[str, Any]], None]:
    from streams.cli.crisis_words import crisis_line
    from streams.cli.output import event_line
    from streams.cli.truth import lead_words

    def show(event: dict[str, Any]) -> None:
        word = event["type"].removeprefix("veille.crisis.")
        lead = lead_words(score, event) if word == "opened" else ""
        if json:
            note(event_line(event))
        elif word in _SHOWN:
            note(crisis_line(event))
            if lead:
                note(f"{'':22}{lead}")

    return show


async def _subscribe(settings: Settings, show: Callable[[dict[str, Any]], None]) -> None:
    from streams.cli.connection import consumer, places_of
    from streams.cli.crises import Once
    from streams.cli.output import cloudevent

    once = Once()
    async with consumer(settings) as client:
        client.assign(await places_of(client, settings.topic("crisis.events")))
        while True:
            for records in (await client.getmany(timeout_ms=100)).values():
                for record in records:
                    event = cloudevent(record.headers, record.value)
                    if record.key is not None and once.new(event["id"]):
                        show(event)


async def _settled(settings: Settings) -> None:
    """Return when the stages have committed all that lies in their input topics, and nothing more has come meanwhile."""
    async with _reader(settings) as client:
        from streams.cli.connection import places_of

        places = [
            place
            for topic in ("mentions.raw", "mentions.enriched", "brand.signals")
            for place in await places_of(client, settings.topic(topic))
        ]
        client.assign(places)
        before: dict[Any, int] = {}
        while True:
            ends = await client.end_offsets(places)
            committed = {place: await client.committed(place) or 0 for place in places}
            if ends == before and all(committed[place] >= ends[place] for place in places):
                return
            before = ends
            await asyncio.sleep(0.3)


def _reader(settings: Settings) -> AbstractAsyncContextManager[Any]:
    """A consumer that sees the group's commits without joining it."""
    from aiokafka import AIOKafkaConsumer

    from streams.cli.connection import running
    from streams.engine.connection import connection

    client = AIOKafkaConsumer(**connection(settings), group_id=settings.group_id, enable_auto_commit=False)
    return running(client, settings, client.stop)


async def _alive(worker: subprocess.Popen[bytes], log: Path) -> None:
    """Raise when the worker ends by itself; its last words go to stderr."""
    from streams.cli.output import note

    while worker.poll() is None:
        await asyncio.sleep(0.2)
    for line in log.read_text("utf-8", "replace").splitlines()[-20:]:
        note(f"worker: {line}")
    raise Fatal(f"the worker ended with exit code {worker.returncode}")


async def _first(work: asyncio.Task[Any], *others: asyncio.Task[Any]) -> Any:
    """Return the result of ``work``; raise what one of ``others`` raised before that."""
    done, _ = await asyncio.wait((work, *others), return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        if task in done:
            work.cancel()
            task.result()
    return await work
