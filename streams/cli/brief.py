"""``veille brief CRISIS``: twelve lines that say what a person must know."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

import typer

from streams.cli.options import Broker, Json, Language, Run, language_of, load_settings, run_async
from streams.errors import BadInput
from streams.settings import Settings

HELP = """Print the brief of a crisis: what is said, since when, how big, what is not known, what is due.

Example: veille brief acme-20260101T060000-1 --language fr

Exit codes: 0 done; 3 no broker; 4 no such crisis, or bad settings."""


def command(
    crisis: Annotated[str, typer.Argument(metavar="CRISIS", help="Id of the crisis, as `veille crises` shows it.")],
    language: Language = "",
    json: Json = False,
    broker: Broker = None,
    run: Run = None,
) -> None:
    """Read the crisis's card and tasks, and print the brief."""
    settings = load_settings(broker=broker, run=run)
    run_async(_print(settings, crisis, language_of(language, settings), json))


async def _print(settings: Settings, crisis: str, language: str, json: bool) -> None:
    import orjson

    from streams.cli.output import emit
    from streams.respond.brief import brief

    card, tasks = await card_and_tasks(settings, crisis)
    lines = brief(card, tasks, language)
    if json:
        emit(orjson.dumps({"crisis_id": crisis, "language": language, "lines": lines}))
    for line in [] if json else lines:
        emit("".join(letter if letter.isprintable() else " " for letter in line))


async def card_and_tasks(settings: Settings, crisis: str) -> tuple[Any, list[Any]]:
    """Return the latest `Crisis` of ``crisis.state`` and its latest `Task` each. Raises `BadInput` where there is no such crisis."""
    import msgspec

    from schemas.crisis import Crisis
    from schemas.response import Task
    from streams.cli.connection import consumer
    from streams.reading import reader

    read_card, read_task = reader(Crisis), reader(Task)
    card: Crisis | None = None
    tasks: dict[str, Task] = {}
    async with consumer(settings) as client:
        async for value in _values(client, settings.topic("crisis.state"), crisis.encode()):
            with suppress(msgspec.DecodeError):  # nothing of ours
                card = read_card(value)
        if card is None:
            raise BadInput(f"there is no crisis {crisis}: veille crises prints their ids (crisis_id in --json)")
        async for value in _values(client, settings.topic("crisis.tasks"), card.brand.encode()):
            with suppress(msgspec.DecodeError):
                task = read_task(value)
                # A command that fits no task is answered by a refused one, which is none to do.
                if task.crisis_id == crisis and task.state != "refused":
                    tasks[task.task_id] = task
    return card, list(tasks.values())


async def _values(client: Any, topic: str, key: bytes) -> AsyncIterator[bytes]:
    """Yield the values under ``key`` that lie in the topic now."""
    from streams.cli.connection import places_of, records_of
    from streams.engine.partitioning import partition_of

    places = await places_of(client, topic)
    if not places:
        return
    async for records in records_of(client, [places[partition_of(key, len(places))]]):
        for record in records:
            if record.key == key and record.value:
                yield record.value
