"""Sends one command of the desk and reads what the topics answer to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec

from schemas.cloudevents import header_maker
from schemas.command import Command
from streams.clock import rfc3339
from streams.errors import BadInput, Unreachable, VeilleError
from streams.reading import reader
from streams.settings import Settings

_headers = header_maker("veille.command")


class _Decision(msgspec.Struct):
    id: str = ""


class _Answer(msgspec.Struct):
    decision: _Decision | None = None
    command_id: str = ""


_read_answer = reader(_Answer)
Found = tuple[Sequence[tuple[str, bytes]], bytes | None]


async def give(settings: Settings, command: Command, second: str, wait_seconds: float) -> AsyncIterator[Found]:
    """Send ``command``; yield (headers, value) of what answers it.

    With ``wait_seconds`` 0 that is the command as it was sent. Else the event of ``crisis.events`` and, where that is no refusal
    and ``second`` names a topic, the record there. Raises `NoAnswer` where nothing answers in time.
    """
    from aiokafka.errors import KafkaError

    from streams.cli.connection import consumer, partition_counts, places_of, producer
    from streams.engine.access import refused
    from streams.engine.topics import apply_words

    topics = [settings.topic(name) for name in ("crisis.events", second) if name]
    target = settings.topic("crisis.commands")
    value, headers = msgspec.json.encode(command), _headers(command.id, command.crisis_id, rfc3339(command.at_ms))
    async with consumer(settings) as reader:
        if target not in await partition_counts(reader, target):
            raise BadInput(f"there is no topic {target}: run {apply_words(settings)} first")
        places = [place for topic in topics for place in await places_of(reader, topic)]
        if wait_seconds:
            reader.assign(places)
            await reader.seek_to_end(*places)
            for place in places:  # the end is fixed now, before the command is out
                await reader.position(place)
        async with producer(settings, target) as writer:
            try:
                await writer.send_and_wait(target, value, key=command.brand.encode(), headers=headers)
            except KafkaError as error:
                late = Unreachable(f"{target}: the command was not taken ({type(error).__name__})")
                raise refused(error, settings, "Write", target) or late from None
        if not wait_seconds:
            yield headers, value
            return
        deadline = asyncio.get_running_loop().time() + wait_seconds
        awaited = topics
        while awaited:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise NoAnswer(f"nothing in {awaited[0]} answers {command.id} within {wait_seconds:g} s: is a worker running?")
            found = await reader.getmany(timeout_ms=min(200, max(1, int(left * 1000))))
            for record in sorted((r for records in found.values() for r in records), key=lambda r: topics.index(r.topic)):
                if record.topic in awaited and _answers(record.value, command.id):
                    yield record.headers, record.value
                    final = dict(record.headers).get("ce_type") == b"veille.crisis.refused"
                    awaited = [] if final else [topic for topic in awaited if topic != record.topic]


class NoAnswer(VeilleError):
    """The command is out, and nobody answered in time."""

    exit_code = 1


def _answers(value: bytes | None, identity: str) -> bool:
    """Say whether a record is the answer to the command; one that nobody can read is none."""
    try:
        data = _read_answer(value)
    except msgspec.DecodeError:
        return False
    return identity in (data.decision.id if data.decision else "", data.command_id)
