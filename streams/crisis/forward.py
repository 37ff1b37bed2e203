"""crisis.commands -> brand.signals: every command takes its place in its brand's one log.

What the watch must know goes into its own log, mentions.enriched, as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from schemas.cloudevents import header_maker, trace_of
from schemas.command import Command, ForwardedCommand
from schemas.desk import TOLD
from streams.clock import rfc3339
from streams.engine.stage import Checkpoint, Output, Record
from streams.reading import reader

_headers = header_maker("veille.command.forwarded")
_read_command = reader(Command)
_BRAND = re.compile(r"[A-Za-z0-9_.-]{1,100}")
#: The command that stands for a record nobody can read; the crisis stage refuses it, so that the refusal is recorded.
UNREADABLE = "unreadable"
#: The brand of a command that names none.
NO_BRAND = "unknown"
#: A receipt of evidence holds the whole command in base64, and must fit into a record.
_MAX_BYTES = 700_000
#: Bytes of the arguments beside an uploaded file, and characters of names and ids: the desk keeps these for as long as the crisis lasts.
_MAX_ARGS, _MAX_WORD = 32_768, 200
#: Times and numbers that what follows can write: deadlines hang on the time (years to 9999), states hold 64 bits.
_LATEST_MS, _GREATEST = 250_000_000_000_000, 2**63 - 1


class ForwardPartition:
    """Forwards one partition of ``crisis.commands``. Its only state is the next offset, in the cut.

    A repeat after a crash is forwarded again under the same ``ce_id``; the crisis stage drops it by its offset.
    """

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._next = 0

    def restore(self, states: Mapping[bytes, bytes], cut: bytes | None) -> None:
        """Take over the next offset to forward."""
        self._next = int(cut) if cut else 0

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        """Return a ``veille.command.forwarded`` for each new record and log that it goes into; what cannot be read goes as unreadable."""
        outputs = []
        for record in records:
            if record.offset < self._next:
                continue
            self._next = record.offset + 1
            command = self._read(record)
            place = ForwardedCommand(command=command, partition=self._partition, offset=record.offset)
            headers = _headers(f"{self._partition}-{record.offset}", command.crisis_id[:200], rfc3339(max(command.at_ms, 0)))
            headers += trace_of(record.headers)
            value = msgspec.json.encode(place)
            outputs.append(Output("brand.signals", command.brand.encode(), value, headers))
            if command.command in TOLD:
                outputs.append(Output("mentions.enriched", command.brand.encode(), value, headers))
        return outputs

    def _read(self, record: Record) -> Command:
        """Return the command in ``record``, or one called `UNREADABLE` in its place."""
        value = record.value or b""
        reason = "too_large" if len(value) > _MAX_BYTES else ""
        if not reason:
            try:
                command = _read_command(value)
                reason = wrong(command)
                if not reason:
                    return command
            except msgspec.DecodeError:
                reason = "not_a_command"
        key = (record.key or b"").decode("utf-8", "replace")
        brand = key if _BRAND.fullmatch(key) else NO_BRAND
        return Command(id=f"{self._partition}-{record.offset}", command=UNREADABLE, brand=brand, by="", at_ms=0, args={"reason": reason})

    def checkpoint(self, next_offset: int, *, full: bool = False) -> Checkpoint:
        """Return no states, the next offset as the cut, and it as what to commit."""
        return Checkpoint([], b"%d" % self._next, next_offset)


def wrong(command: Command) -> str:
    """Return in one word why a command cannot be forwarded, or ""."""
    if not _BRAND.fullmatch(command.brand) or not command.id:
        return "no_id" if command.brand else "no_brand"
    if command.at_ms > _LATEST_MS:
        return "bad_time"
    if max(map(len, (command.id, command.by, command.role, command.crisis_id, command.command))) > _MAX_WORD:
        return "too_large"
    if len(msgspec.json.encode({name: value for name, value in command.args.items() if name != "bytes_b64"})) > _MAX_ARGS:
        return "too_large"
    numbers = [value for value in (command.at_ms, *command.args.values()) if isinstance(value, int)]
    return "" if all(abs(number) <= _GREATEST for number in numbers) else "bad_number"
