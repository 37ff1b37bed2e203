"""crisis.events -> crisis.tasks and crisis.notifications, for one partition. Pure: nothing is posted here."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from schemas.cloudevents import type_of
from schemas.crisis import Crisis
from schemas.signal import SignalWatermark
from streams.engine.stage import Checkpoint, Output, Record, StateRecord
from streams.errors import LogGap
from streams.reading import reader
from streams.respond.desk import BrandDesk, House, next_due, on_event, on_time
from streams.respond.playbook import Playbook, load
from streams.respond.routes import Route, load_routes
from streams.respond.settings import RespondSettings

_PREFIX = b"veille.crisis."
_read_crisis = reader(Crisis)
_read_watermark = reader(SignalWatermark)
_pack = msgspec.msgpack.Encoder()


class RespondPartition:
    """Keeps the tasks of the brands of one partition of ``crisis.events``.

    An event whose ``seq`` it has is dropped, a hole raises `LogGap`. Deadlines pass in event time: with the brand's next event, or
    with a watermark record (``veille.watermark``: every event before it was sent) where the brand is quiet. Both give the same records.
    """

    def __init__(
        self, partition: int, settings: RespondSettings, *, plans: Sequence[Playbook] = (), routes: Mapping[str, Route] | None = None
    ) -> None:
        self.partition = partition
        self._house = House(
            list(plans) or load(settings.playbooks, settings.language), dict(load_routes(settings) if routes is None else routes), settings
        )
        self._brands: dict[str, BrandDesk] = {}
        self._progress: dict[str, int] = {}
        self._dirty: dict[str, None] = {}
        self._next = 0
        self._watermark = 0
        self._timers: list[tuple[int, str]] = []
        self._armed: dict[str, int] = {}

    def restore(self, states: Mapping[bytes, bytes], cut: bytes | None) -> None:
        """Take over brands and the next offset. A brand's value is (offset it is computed up to, `BrandDesk`)."""
        self._next = int(cut) if cut else 0
        for key in sorted(states):
            progress, brand = msgspec.msgpack.decode(states[key], type=tuple[int, BrandDesk])
            self._brands[brand.brand] = brand
            self._progress[brand.brand] = max(progress, self._next)
            self._arm(brand)

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        """Return tasks and messages, in order."""
        outputs: list[Output] = []
        for record in records:
            kind = type_of(record.headers)
            try:
                if kind.startswith(_PREFIX):
                    outputs += self._on_event(kind.removeprefix(_PREFIX).decode(), record)
                elif kind == b"veille.watermark":
                    outputs += self._on_watermark(_read_watermark(record.value).time_ms, record.offset)
            except (msgspec.DecodeError, UnicodeDecodeError):
                pass  # Nothing of ours: a lost event of ours would show as a hole in its brand's sequence.
            self._next = max(self._next, record.offset + 1)
        return outputs

    def _on_event(self, event: str, record: Record) -> list[Output]:
        crisis = _read_crisis(record.value)
        name = crisis.brand
        if record.offset < self._progress.get(name, self._next):
            return []
        brand = self._brands.get(name)
        if brand is None:
            brand = self._brands[name] = BrandDesk(brand=name)
        self._touch(name, record.offset)
        if crisis.seq <= brand.seq:
            return []
        if brand.seq and crisis.seq != brand.seq + 1:
            raise LogGap(f"crisis.events: {name} jumps from {brand.seq} to {crisis.seq}")
        brand.seq = crisis.seq
        outputs = on_event(brand, event, crisis, self._house)
        self._arm(brand)
        return outputs

    def _on_watermark(self, time_ms: int, offset: int) -> list[Output]:
        outputs: list[Output] = []
        if offset < self._next or time_ms <= self._watermark:
            return outputs
        self._watermark = time_ms
        while self._timers and self._timers[0][0] < time_ms:
            due, name = heapq.heappop(self._timers)
            if self._armed.get(name) != due:
                continue
            del self._armed[name]
            brand = self._brands[name]
            if offset >= self._progress[name]:
                outputs += on_time(brand, time_ms, self._house)
                self._touch(name, offset)
            self._arm(brand, past=time_ms)
        return outputs

    def _touch(self, name: str, offset: int) -> None:
        self._progress[name] = offset + 1
        self._dirty[name] = None

    def _arm(self, brand: BrandDesk, past: int = 0) -> None:
        """Set the brand's timer; one that is computed beyond this record waits for a later watermark than ``past``."""
        due = next_due(brand, self._house)
        if due is None:
            self._armed.pop(brand.brand, None)
        elif self._armed.get(brand.brand) != (due := max(due, past)):
            self._armed[brand.brand] = due
            heapq.heappush(self._timers, (due, brand.brand))

    def checkpoint(self, next_offset: int, *, full: bool = False) -> Checkpoint:
        """Return changed brands, the next offset as the cut, and ``next_offset`` to commit."""
        names = list(self._brands) if full else list(self._dirty)
        self._dirty.clear()
        states = [StateRecord(n.encode(), self._progress[n], _pack.encode((self._progress[n], self._brands[n]))) for n in names]
        return Checkpoint(states, b"%d" % self._next, next_offset)
