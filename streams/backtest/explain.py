"""Derives a signal anew from the log that it came from, and says whether it is the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal, NamedTuple

import msgspec

from schemas.cloudevents import type_of
from schemas.signal import Signal
from streams.detect.reading import TOPIC, settings_hash
from streams.detect.settings import DetectSettings
from streams.detect.stage import DetectPartition
from streams.engine.stage import Record, header

Verdict = Literal["same", "same_numbers", "settings_changed", "log_cut", "differs", "not_derived", "not_recorded"]

#: Records given to the stage at once; the results do not depend on it.
_CHUNK = 500
#: Where a signal stands in the logs, and what it was made with: no number that anybody decides by.
_PLACES = frozenset({"inputs", "state_hash", "settings_hash"})
_MOST = 30
_signal = msgspec.json.Decoder(Signal)


class Explained(NamedTuple):
    """A signal as it was sent (``recorded``) and as the log gives it (``derived``), and the fields in which they differ.

    ``log_start`` is the first input offset that was there; above 0 the log is cut. ``differences``: (field, recorded, derived).
    """

    signal_id: str
    recorded: Signal | None
    derived: Signal | None
    verdict: Verdict
    differences: tuple[tuple[str, Any, Any], ...] = ()
    log_start: int = 0

    @property
    def holds(self) -> bool:
        """The log gives the numbers that were sent; also where nothing was left to hold them against."""
        return self.verdict in ("same", "same_numbers", "not_recorded")

    @property
    def shown(self) -> Signal:
        """The signal to show: as it was sent, where that is kept. Raises LookupError where neither is there."""
        found = self.recorded or self.derived
        if found is None:
            raise LookupError(self.signal_id)
        return found


def signal_of(record: Record) -> tuple[str, bytes] | None:
    """Return (id, value) of a record of ``brand.signals`` that is a signal."""
    if record.value is None or not record.headers or type_of(record.headers) != b"veille.signal":
        return None
    return (header(record, "ce_id") or b"").decode("utf-8", "replace"), record.value


class Derivation:
    """Takes one partition of ``mentions.enriched`` from its beginning, and gives every signal that it makes.

    The state before the first record is taken to be empty, as it was where the log begins at offset 0.
    """

    def __init__(self, partition: int, settings: DetectSettings, raw_partitions: int) -> None:
        self._stage = DetectPartition(partition, settings, raw_partitions)
        self._stage.restore({}, None)

    def feed(self, records: Iterable[Record]) -> Iterator[tuple[str, bytes]]:
        """Take the next records; yield (id, value) of the signals that they complete."""
        source = iter(records)
        while batch := list(islice(source, _CHUNK)):
            for output in self._stage.process(batch):
                if output.topic == TOPIC and output.value is not None:
                    yield dict(output.headers)["ce_id"].decode(), output.value


def compare(signal_id: str, recorded: bytes | None, derived: bytes | None, settings: DetectSettings, log_start: int = 0) -> Explained:
    """Hold a signal as it was sent against what the log gives. ``settings`` are those of ``derived``."""
    sent = _signal.decode(recorded) if recorded is not None else None
    found = _signal.decode(derived) if derived is not None else None
    if sent is None:
        return Explained(signal_id, None, found, "not_recorded", (), log_start)
    if sent == found:
        return Explained(signal_id, sent, found, "same", (), log_start)
    other = sent.settings_hash != settings_hash(settings)
    if found is None:
        verdict: Verdict = "settings_changed" if other else "log_cut" if log_start else "not_derived"
        return Explained(signal_id, sent, None, verdict, (), log_start)
    differences = tuple(islice(_differences("", msgspec.to_builtins(sent), msgspec.to_builtins(found)), _MOST))
    if {name.partition("[")[0] for name, _, _ in differences} <= _PLACES:
        verdict = "same_numbers"
    else:
        verdict = "settings_changed" if other else "log_cut" if log_start else "differs"
    return Explained(signal_id, sent, found, verdict, differences, log_start)


def _differences(name: str, one: Any, two: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield (path, one, two) of every leaf in which two plain values differ."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted({*one, *two}, key=str):
            yield from _differences(f"{name}.{key}" if name else str(key), one.get(key), two.get(key))
    elif isinstance(one, list | tuple) and isinstance(two, list | tuple) and len(one) == len(two):
        for place, (left, right) in enumerate(zip(one, two, strict=True)):
            yield from _differences(f"{name}[{place}]", left, right)
    elif one != two:
        yield name, one, two
