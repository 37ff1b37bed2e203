"""Where a drill's crisis comes from, and how its cell speaks: from a file, or at the keyboard while the clock runs."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from schemas.crisis import Crisis
from streams.cli.output import emit, note
from streams.clock import monotonic, ms_of, wall_ms
from streams.errors import BadInput
from streams.reading import reader
from streams.respond.brief import brief
from streams.respond.drill import Drill, Entry
from streams.respond.drill_acts import Act, parse
from streams.respond.drill_report import sign, timeline_line
from streams.respond.drill_words import WORDS
from streams.respond.tasks import MINUTE
from streams.settings import Settings

Events = dict[str, list[tuple[str, Crisis]]]


class _Event(msgspec.Struct):
    """A line of ``veille crises --json``."""

    type: str
    data: Crisis


_read_event = reader(_Event)


def events_of_file(path: Path) -> Events:
    """Return {crisis: its events in order} of JSON lines. Raises `BadInput` with the line that is none."""
    found: Events = {}
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event = _read_event(line)
            for moment in (event.data.onset, event.data.updated_at, event.data.opened_at):
                if moment is not None:
                    ms_of(moment)
        except ValueError as error:  # also msgspec's: no JSON, no event, no date
            raise BadInput(f"{path}, line {number}: no crisis event ({error}); lines of veille crises --json are wanted") from None
        found.setdefault(event.data.crisis_id, []).append((event.type.removeprefix("veille.crisis."), event.data))
    return found


def events_of_simulation(seed: int, settings: Settings, language: str) -> Events:
    """Return {crisis: its events in order} that the stages find in a simulation."""
    from schemas.cloudevents import type_of
    from streams.backtest.run import backtest
    from streams.enrich.watchlist import parse_watchlist
    from streams.simulate import simulate
    from streams.sources.plan import plan

    made = simulate(seed, days=3)
    watchlist = parse_watchlist(made.watchlist_yaml(), "simulated")
    note(WORDS[language]["simulated"].format(seed=seed, mentions=len(made.mentions)))
    raw = plan(made.rows(), settings.partitions, 12, grid_seconds=settings.detect.grid_seconds)
    found: Events = {}
    for _, record in backtest(raw, watchlist, settings, timestamp_ms=wall_ms()):
        card = msgspec.json.decode(record.value or b"", type=Crisis)
        found.setdefault(card.crisis_id, []).append((type_of(record.headers).decode().removeprefix("veille.crisis."), card))
    return found


def run_script(drill: Drill, end_ms: int, acts: Path | None, language: str) -> None:
    """Run the drill with the acts of a file, in the order of their times; without a file nobody of the cell does anything."""
    lines: list[str] = []
    if acts is not None:
        try:
            lines = acts.read_text("utf-8").splitlines()
        except OSError as error:
            raise BadInput(f"{acts}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise BadInput(f"{acts}: not UTF-8") from None
    try:
        given = sorted(_acts(lines, drill, language), key=lambda act: act.after_ms or 0)
    except BadInput as error:
        raise BadInput(f"{acts}, {error}") from None
    for act in given:
        if drill.begin_ms + (act.after_ms or 0) <= end_ms:
            _do(drill, act, drill.begin_ms + (act.after_ms or 0))
    drill.advance(end_ms)


def _acts(lines: Iterable[str], drill: Drill, language: str) -> Iterable[Act]:
    for number, line in enumerate(lines, 1):
        act = parse(line, number, drill.card.brand, drill.card.crisis_id, language)
        if act is None:
            continue
        if act.after_ms is None:
            raise BadInput(WORDS[language]["begin"].format(n=number))
        yield act


def _do(drill: Drill, act: Act, at_ms: int) -> list[Entry]:
    """Give one act; an approval that names no hash is one of the text as it stands, read aloud in the room."""
    command = msgspec.structs.replace(act.command, at_ms=at_ms)
    if command.command == "approve" and "hash" not in command.args:
        text = drill.statement_hash(str(command.args.get("statement", "")))
        command = msgspec.structs.replace(command, args={**command.args, "hash": text})
    return drill.act(command)


async def run_live(drill: Drill, end_ms: int, speed: float, language: str) -> None:
    """Run the drill by the clock: what happens is printed, what the cell types is done now.

    It ends at ``end_ms``, at a line ``end``, or at the end of stdin.
    """
    started = monotonic()

    def now_ms() -> int:
        return min(end_ms, drill.begin_ms + round((monotonic() - started) * 1000 * speed))

    for words in brief(drill.card, drill.due(), language):
        emit(words)
    _show(drill, drill.log, language)
    lines = await _stdin()
    number = 0
    while now_ms() < end_ms:
        try:
            async with asyncio.timeout(0.2):
                line = await lines.get()
        except TimeoutError:
            _show(drill, drill.advance(now_ms()), language)
            continue
        number += 1
        if line is None or line.strip() == "end":
            break
        try:
            act = parse(line, number, drill.card.brand, drill.card.crisis_id, language)
        except BadInput as error:
            note(str(error))
            continue
        if act is not None:
            _show(drill, _do(drill, act, now_ms()), language)
    drill.advance(now_ms())


async def _stdin() -> asyncio.Queue[str | None]:
    """Return the lines of stdin as they come, and None at its end."""
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()
    held = bytearray()

    def take() -> None:
        data = os.read(descriptor, 65_536)
        held.extend(data)
        while (end := held.find(b"\n")) >= 0:
            queue.put_nowait(held[:end].decode("utf-8", "replace"))
            del held[: end + 1]
        if not data:
            loop.remove_reader(descriptor)
            queue.put_nowait(None)

    try:
        loop.add_reader(descriptor, take)
    except PermissionError:
        # A plain file cannot be waited for, and need not be.
        for line in [*sys.stdin.read().splitlines(), None]:
            queue.put_nowait(line)
    return queue


def _show(drill: Drill, entries: Iterable[Entry], language: str) -> None:
    for entry in entries:
        what, who, words = timeline_line(entry, language)
        said = "  ".join(part for part in (what, who, words) if part)
        minute = (entry.at_ms - drill.begin_ms) // MINUTE
        said = sign(said, language)
        emit(f"+{minute} min".ljust(10) + "".join(letter if letter.isprintable() else " " for letter in said)[:160])
