"""``veille board``: the crisis room, a web page of the crises at hand."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.options import Broker, Language, Run, language_of, load_settings, run_async
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.board.room import Room
    from streams.board.server import Board

HELP = """Serve the crisis room: a web page of the crises at hand, that follows the topics.

It reads crisis.state, crisis.events and crisis.tasks, belongs to no group and writes nothing. The page asks nobody who he is: it answers
on this machine alone unless VEILLE_BOARD__HOST says otherwise.

Example: veille board --language fr

Exit codes: 3 no broker; 4 bad settings, no topics, or a port that is taken; 130 interrupted."""

#: Records of each partition of crisis.events that are read at the start; cards and tasks are read whole.
_BEFORE = 5_000
#: Seconds between two looks whether the broker still answers, how long it may take, and records after which the room is tidied.
_LOOK, _SILENCE, _TIDY = 5.0, 10.0, 2_000


def command(
    port: Annotated[int | None, typer.Option("--port", help="Port to listen on, 0 picks a free one (VEILLE_BOARD__PORT).")] = None,
    language: Language = "",
    broker: Broker = None,
    run: Run = None,
) -> None:
    """Read the topics and serve the page until Ctrl-C."""
    settings = load_settings(broker=broker, run=run)
    if port is not None:
        settings = load_settings(broker=broker, run=run, board={**settings.board.model_dump(), "port": port})
    run_async(serve_room(settings, language_of(language, settings)))


async def serve_room(settings: Settings, language: str) -> None:
    """Serve the page until cancelled; its address goes to stderr. Raises `BadInput` where topics are missing or the port is taken."""
    from streams.board.room import Room
    from streams.board.server import Board, application
    from streams.cli.connection import consumer
    from streams.cli.output import note
    from streams.clock import wall_ms
    from streams.engine.topics import require_topics
    from streams.http import serve

    await require_topics(settings, ["crisis.state", "crisis.events", "crisis.tasks"])
    board = Board(Room(settings.board.days), wall_ms, language, secrets.token_hex(4))
    place = settings.board
    async with consumer(settings) as client, serve(place.host, place.port, "VEILLE_BOARD__PORT", application(board, place)) as port:
        host = f"[{place.host}]" if ":" in place.host else place.host
        note(f"the crisis room: http://{host}:{port}/")
        looking = asyncio.create_task(_look(client, board))
        try:
            await _follow(client, settings, board)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


async def _follow(client: Any, settings: Settings, board: Board) -> None:
    """Read what is there, then what comes, for ever."""
    from streams.board.pages import Link
    from streams.cli.connection import places_of

    events = await places_of(client, settings.topic("crisis.events"))
    state = await places_of(client, settings.topic("crisis.state"))
    tasks = await places_of(client, settings.topic("crisis.tasks"))
    client.assign([*events, *state, *tasks])
    await client.seek_to_beginning(*state, *tasks)
    ends = await client.end_offsets([*events, *state, *tasks])
    first = await client.beginning_offsets(events)
    for place in events:
        client.seek(place, max(first[place], ends[place] - _BEFORE))
    names = {places[0].topic: name for name, places in (("events", events), ("state", state), ("tasks", tasks))}
    taken = 0
    while True:
        batches = await client.getmany(timeout_ms=200)
        for place, records in batches.items():
            for record in records:
                take(board.room, names[place.topic], record)
            taken += len(records)
        if board.link.reading and not [place for place in ends if await client.position(place) < ends[place]]:
            board.room.tidy()
            board.look(Link(board.link.lost_ms))
        if taken > _TIDY:
            board.room.tidy()
            taken = 0
        if batches:
            board.tell()


@cache
def _readers() -> tuple[Any, Any, Any]:
    from schemas.crisis import Crisis
    from schemas.response import Task
    from schemas.signal import SignalWatermark
    from streams.reading import reader

    return reader(Crisis), reader(Task), reader(SignalWatermark)


def take(room: Room, topic: str, record: Any) -> None:
    """Take one record of ``events``, ``state`` or ``tasks``. What nobody can read is passed over: the page is no judge of the topics."""
    import msgspec

    from streams.engine.stage import header

    read_card, read_task, read_time = _readers()
    kind = (header(record, "ce_type") or b"").decode("utf-8", "replace")
    with suppress(msgspec.DecodeError, ValueError):
        if topic == "tasks":
            room.take_task(read_task(record.value))
        elif topic == "state":
            if record.value:
                room.take_card(read_card(record.value))
        elif kind == "veille.watermark":
            room.take_time(record.partition, read_time(record.value).time_ms)
        elif record.key is not None:
            room.take_event(kind.removeprefix("veille.crisis."), read_card(record.value))


async def _look(client: Any, board: Board) -> None:
    """See every few seconds whether the broker still answers: aiokafka itself says nothing of one that is gone."""
    from aiokafka.errors import KafkaError

    from streams.board.pages import Link
    from streams.clock import wall_ms

    while True:
        await asyncio.sleep(_LOOK)
        lost = 0
        try:
            await asyncio.wait_for(client.end_offsets(list(client.assignment())[:1]), _SILENCE)
        except (KafkaError, OSError, TimeoutError):
            lost = board.link.lost_ms or wall_ms()
        board.look(Link(lost, board.link.reading))
