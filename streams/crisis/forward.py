"""crisis.commands -> brand.signals: every command takes its place in its brand's one log.

What the watch must know goes into its own log, mentions.enriched, as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from schemas.cloudevents import header_maker
from schemas.command import Command, ForwardedCommand
from schemas.desk import TOLD
from streams.clock import rfc3339
from streams.engine.stage import Checkpoint, Output, Record

_headers = header_maker("veille.command.forwarded")
_decoder = msgspec.json.Decoder(Command)
_BRAND = re.compile(r"[A-Za-z0-9_.-]{1,100}")
#: The command that stands for a record nobody can read; the crisis stage refuses it, so that the refusal is recorded.
UNREADABLE = "unreadable"
#: The brand of a command that names none.
NO_BRAND = "unknown"
_MAX_BYTES = 800_000


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
            headers = _headers(f"{self._partition}-{record.offset}", command.crisis_id[:200], rfc3339(_time(command.at_ms)))
            headers += [(name, value) for name, value in record.headers if name == "traceparent"]
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
                command = _decoder.decode(value)
                if _BRAND.fullmatch(command.brand) and command.id:
                    return command
                reason = "no_id" if command.brand else "no_brand"
            except (msgspec.DecodeError, UnicodeDecodeError):
                reason = "not_a_command"
        key = (record.key or b"").decode("utf-8", "replace")
        brand = key if _BRAND.fullmatch(key) else NO_BRAND
        return Command(id=f"{self._partition}-{record.offset}", command=UNREADABLE, brand=brand, by="", at_ms=0, args={"reason": reason})

    def checkpoint(self, next_offset: int, *, full: bool = False) -> Checkpoint:
        """Return no states, the next offset as the cut, and it as what to commit."""
        return Checkpoint([], b"%d" % self._next, next_offset)


def _time(ms: int) -> int:
    """Keep a command's time within what can be written (years 1970 to 9999)."""
    return min(max(ms, 0), 253_402_300_799_000)
