"""brand.signals -> crisis.events, crisis.state and crisis.statements, for one partition."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from schemas.cloudevents import Headers, header_maker, type_of
from schemas.command import ForwardedCommand
from schemas.crisis import EVENT_TYPES, Crisis
from schemas.desk import CLOSED
from schemas.response import Claim, Statement
from schemas.signal import Signal, SignalWatermark
from streams.captures import captured, kept, take
from streams.clock import rfc3339
from streams.crisis import commands
from streams.crisis.brand import on_signal, on_timer
from streams.crisis.gated import Cell
from streams.crisis.life import next_due
from streams.crisis.recent import whole
from streams.crisis.settings import CrisisSettings
from streams.crisis.state import BrandState
from streams.engine.stage import Checkpoint, Output, Record, StateRecord
from streams.errors import LogGap
from streams.reading import reader

_read_signal = reader(Signal)
_read_watermark = reader(SignalWatermark)
_read_forwarded = reader(ForwardedCommand)
_state = msgspec.msgpack.Decoder(BrandState)
_pack = msgspec.msgpack.Encoder()
_json = msgspec.json.Encoder()
#: Bytes of a brand's state from which on commands may add nothing: a state that is too large to be saved would stop the worker for good.
_MOST_STATE = 500_000
_makers: dict[str, Callable[[str, str, str], Headers]] = {name.removeprefix("veille.crisis."): header_maker(name) for name in EVENT_TYPES}
_statement_headers = header_maker("veille.statement")
_claim_headers = header_maker("veille.claim")


class CrisisPartition:
    """Keeps the crises of the brands of one partition of ``brand.signals``.

    State: one `BrandState` for each brand with the offset it is computed up to; cut: (next offset, watermark). A
    signal whose ``seq`` it has, a command whose offset it has, and a record below a brand's own offset are skipped; a
    hole in ``seq`` raises `LogGap`. A timer due at d fires after all signals of its brand up to and including d.
    ``cell`` is what the plans say of roles and holding statements.
    """

    def __init__(self, partition: int, settings: CrisisSettings, cell: Cell | None = None) -> None:
        self.partition = partition
        self._cell = cell or Cell()
        self.watermark: int | None = None
        self._settings = settings
        self._brands: dict[str, BrandState] = {}
        self._progress: dict[str, int] = {}
        self._dirty: dict[str, None] = {}
        self._next = 0
        self._timers: list[tuple[int, str]] = []
        self._armed: dict[str, int] = {}
        self._busy = False

    @property
    def busy(self) -> bool:
        """Whether a brand of this partition has, or lately had, a crisis: somebody may wait for time to pass."""
        return self._busy

    def paged(self, since_ms: int) -> tuple[int, int]:
        """Return how many crises began to page a person from ``since_ms`` on: (confirmed by a person, not confirmed)."""
        paged = [life.confirmed for state in self._brands.values() for life in state.lives if life.paged_ms >= max(since_ms, 1)]
        return sum(paged), len(paged) - sum(paged)

    def restore(self, states: Mapping[bytes, bytes], cut: bytes | None) -> None:
        """Take over brands and the cut. A brand's value is (offset it is computed up to, `BrandState`)."""
        if cut:
            self._next, self.watermark = msgspec.msgpack.decode(cut, type=tuple[int, int | None])
        for key in sorted(states):
            progress, packed = msgspec.msgpack.decode(states[key], type=tuple[int, msgspec.Raw])
            state = _state.decode(packed)
            self._brands[state.brand] = state
            self._progress[state.brand] = max(progress, self._next)
            self._busy = self._busy or bool(state.lives)
            self._arm(state)

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        """Apply records in order; return events and cards in order."""
        outputs: list[Output] = []
        for record in records:
            try:
                self._apply(record, outputs)
            except msgspec.DecodeError:
                pass  # Nothing of ours: a lost signal of ours would show as a hole in its brand's sequence.
            self._next = max(self._next, record.offset + 1)
        return outputs

    def _apply(self, record: Record, outputs: list[Output]) -> None:
        kind = type_of(record.headers)
        if kind == b"veille.signal":
            signal = _read_signal(record.value)
            state = self._brand(signal.brand, record.offset)
            if state is not None:
                self._on_signal(state, signal, outputs)
        elif kind == b"veille.command.forwarded":
            forwarded = _read_forwarded(record.value)
            state = self._brand(forwarded.command.brand, record.offset)
            if state is not None:
                self._on_command(state, forwarded, outputs)
        elif kind == b"veille.watermark" and record.offset >= self._next:
            self._on_watermark(_read_watermark(record.value).time_ms, record.offset, outputs)

    def _brand(self, brand: str, offset: int) -> BrandState | None:
        """Return the brand's state, or None where it is computed beyond ``offset`` already."""
        if offset < self._progress.get(brand, self._next):
            return None
        state = self._brands.get(brand)
        if state is None:
            state = self._brands[brand] = BrandState(brand=brand)
        self._progress[brand] = offset + 1
        self._dirty[brand] = None
        return state

    def _on_signal(self, state: BrandState, signal: Signal, outputs: list[Output]) -> None:
        if signal.seq <= state.signal_seq:
            return
        if signal.seq != state.signal_seq + 1:
            raise LogGap(f"brand.signals: {state.brand} jumps from {state.signal_seq} to {signal.seq}")
        self._fire(state, signal.at_ms, outputs)
        state.signal_seq = signal.seq
        state.now_ms = max(state.now_ms, signal.at_ms)
        for event, card in on_signal(state, whole(state.told, signal), self._settings):
            self._tell(state, event, card, event != "asked", signal.at_ms, outputs)
        self._after(state)

    def _on_command(self, state: BrandState, forwarded: ForwardedCommand, outputs: list[Output]) -> None:
        command = forwarded.command
        if forwarded.offset <= state.commands.get(forwarded.partition, -1):
            return
        state.commands[forwarded.partition] = forwarded.offset
        repeated = command.id in state.command_ids
        if not repeated:
            state.command_ids.append(command.id)
            del state.command_ids[: -self._settings.keep_commands]
        now = max(state.now_ms, self.watermark or 0) or min(max(command.at_ms, 0), 253_402_300_799_000)
        full = command.command in commands.GROWING and len(_pack.encode(state)) > _MOST_STATE
        answers, records = commands.apply(state, command, now, self._cell, repeated, full)
        for event, card, current in answers:
            self._tell(state, event, card, current, now, outputs)
        for stated in records:
            outputs.append(_stated(state, stated, now))
        self._after(state)

    def _on_watermark(self, time_ms: int, offset: int, outputs: list[Output]) -> None:
        if self.watermark is not None and time_ms <= self.watermark:
            return
        self.watermark = time_ms
        while self._timers and self._timers[0][0] < time_ms:
            due, brand = heapq.heappop(self._timers)
            if self._armed.get(brand) != due:
                continue
            del self._armed[brand]
            state = self._brand(brand, offset)
            if state is None:
                # Computed beyond this record: it fired then. Later records arm it again.
                self._arm(self._brands[brand], past=time_ms)
                continue
            self._fire(state, time_ms, outputs)
            self._after(state)

    def _fire(self, state: BrandState, before_ms: int, outputs: list[Output]) -> None:
        """Let everything happen that is due before ``before_ms``."""
        while True:
            dues = [(due, i) for i, life in enumerate(state.lives) if (due := next_due(life, state, self._settings)) is not None]
            if not dues or min(dues)[0] >= before_ms:
                return
            due, index = min(dues)
            at = max(due, state.now_ms)
            for event, card in on_timer(state, state.lives[index], due, at, self._settings):
                self._tell(state, event, card, True, at, outputs)
            state.now_ms = at

    def _after(self, state: BrandState) -> None:
        """Forget the oldest closed crises beyond what is kept, and set the next timer."""
        self._busy = self._busy or bool(state.lives)
        closed = [life for life in state.lives if life.card.phase in CLOSED]
        for life in closed[: max(0, len(closed) - self._settings.keep_closed)]:
            state.lives.remove(life)
        self._arm(state)

    def _arm(self, state: BrandState, past: int | None = None) -> None:
        dues = [due for life in state.lives if (due := next_due(life, state, self._settings)) is not None]
        if not dues:
            self._armed.pop(state.brand, None)
            return
        due = min(dues)
        if past is not None:
            due = max(due, past)
        if self._armed.get(state.brand) != due:
            self._armed[state.brand] = due
            heapq.heappush(self._timers, (due, state.brand))

    def _tell(self, state: BrandState, event: str, card: Crisis, current: bool, at_ms: int, outputs: list[Output]) -> None:
        take(state.registers, card.crisis_id, captured(event, card))
        value = _json.encode(card)
        headers = _makers[event](f"{state.brand}-{card.seq}", card.crisis_id, rfc3339(at_ms))
        outputs.append(Output("crisis.events", state.brand.encode(), value, headers))
        if current:
            lasting = kept(card)
            held = value if lasting is card else _json.encode(lasting)
            outputs.append(Output("crisis.state", card.crisis_id.encode(), held, headers))

    def checkpoint(self, next_offset: int, *, full: bool = False) -> Checkpoint:
        """Return changed brands, the cut (next offset, watermark) and ``next_offset``."""
        names = list(self._brands) if full else list(self._dirty)
        self._dirty.clear()
        states = []
        for name in names:
            progress = max(self._progress[name], 0)
            packed = _pack.encode((progress, self._brands[name]))
            states.append(StateRecord(name.encode(), progress, packed))
        return Checkpoint(states, _pack.encode((self._next, self.watermark)), next_offset)


def _stated(state: BrandState, stated: Statement | Claim, at_ms: int) -> Output:
    """Number what the gate records, and return it for ``crisis.statements``: nothing else is written there."""
    state.statement_seq += 1
    make = _claim_headers if isinstance(stated, Claim) else _statement_headers
    headers = make(f"{state.brand}-{state.statement_seq}", stated.crisis_id, rfc3339(at_ms))
    value = _json.encode(msgspec.structs.replace(stated, seq=state.statement_seq))
    return Output("crisis.statements", state.brand.encode(), value, headers)
