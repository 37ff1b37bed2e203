"""crisis.events -> crisis.tasks, crisis.statements and crisis.notifications, for one partition. Pure: nothing is posted here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from schemas.cloudevents import header_maker, type_of
from schemas.crisis import Crisis
from schemas.response import Statement, Task
from streams.engine.stage import Checkpoint, Output, Record, StateRecord
from streams.errors import LogGap
from streams.respond import tasks
from streams.respond.gate import GATED, Ledger, decide
from streams.respond.holding import Holding
from streams.respond.notification import Notification, worth_telling
from streams.respond.playbook import Playbook, load, pick
from streams.respond.routes import Route, load_routes
from streams.respond.settings import RespondSettings

_PREFIX = b"veille.crisis."
_crisis = msgspec.json.Decoder(Crisis)
_json = msgspec.json.Encoder()
_pack = msgspec.msgpack.Encoder()
_task_headers = header_maker("veille.task")
_statement_headers = header_maker("veille.statement")
_notification_headers = header_maker("veille.notification")


class Desk(msgspec.Struct, kw_only=True):
    """What the cell has before it for one crisis."""

    ledger: Ledger = msgspec.field(default_factory=Ledger)
    tasks: dict[str, tasks.Kept] = {}
    plan: str = ""
    told_ms: int = 0
    opened_ms: int = 0


class BrandDesk(msgspec.Struct, kw_only=True):
    """All desks of one brand, the last event read and the last numbers given."""

    brand: str
    seq: int = 0
    task_seq: int = 0
    statement_seq: int = 0
    desks: dict[str, Desk] = {}


_KEEP = 50  # crises of a brand whose claims and tasks stay at hand


class RespondPartition:
    """Keeps claims, statements and tasks of the brands of one partition of ``crisis.events``.

    An event whose ``seq`` it has is dropped, a hole raises `LogGap`. Reminders are driven by the brand's events: a
    task shows as late with the first event after its deadline.
    """

    def __init__(
        self, partition: int, settings: RespondSettings, *, plans: Sequence[Playbook] = (), routes: Mapping[str, Route] | None = None
    ) -> None:
        self.partition = partition
        self._settings = settings
        self._plans = list(plans) or load(settings.playbooks, settings.language)
        self._routes = dict(load_routes(settings) if routes is None else routes)
        self._brands: dict[str, BrandDesk] = {}
        self._progress: dict[str, int] = {}
        self._dirty: dict[str, None] = {}
        self._next = 0

    def restore(self, states: Mapping[bytes, bytes], cut: bytes | None) -> None:
        """Take over brands and the next offset. A brand's value is (offset it is computed up to, `BrandDesk`)."""
        self._next = int(cut) if cut else 0
        for key in sorted(states):
            progress, brand = msgspec.msgpack.decode(states[key], type=tuple[int, BrandDesk])
            self._brands[brand.brand] = brand
            self._progress[brand.brand] = max(progress, self._next)

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        """Apply crisis events in order; return tasks, statements and notifications."""
        outputs: list[Output] = []
        for record in records:
            kind = type_of(record.headers)
            if kind.startswith(_PREFIX):
                try:
                    self._apply(kind.removeprefix(_PREFIX).decode(), record, outputs)
                except msgspec.DecodeError:
                    pass  # Nothing of ours: a lost event of ours would show as a hole in its brand's sequence.
            self._next = max(self._next, record.offset + 1)
        return outputs

    def _apply(self, event: str, record: Record, outputs: list[Output]) -> None:
        crisis = _crisis.decode(record.value or b"")
        name = crisis.brand
        if record.offset < self._progress.get(name, self._next):
            return
        brand = self._brands.get(name)
        if brand is None:
            brand = self._brands[name] = BrandDesk(brand=name)
        self._progress[name] = record.offset + 1
        self._dirty[name] = None
        if crisis.seq <= brand.seq:
            return
        if brand.seq and crisis.seq != brand.seq + 1:
            raise LogGap(f"crisis.events: {name} jumps from {brand.seq} to {crisis.seq}")
        brand.seq = crisis.seq
        at_ms = _ms(crisis.updated_at)
        for desk in brand.desks.values():
            self._tasks(brand, tasks.remind(desk.tasks, at_ms), crisis.updated_at, outputs)
        never = crisis.decision is not None and crisis.decision.command == "delete-own-post"
        if crisis.phase == "none" or (event == "refused" and not never):
            return
        desk = brand.desks.setdefault(crisis.crisis_id, Desk())
        plan = self._plan(desk, crisis)
        if crisis.opened_at is not None and crisis.phase in ("open", "escalated"):
            desk.opened_ms = desk.opened_ms or at_ms
            self._tasks(brand, tasks.start(desk.tasks, plan, crisis, at_ms), crisis.updated_at, outputs)
        self._decide(brand, desk, plan, crisis, at_ms, outputs)
        self._notify(event, desk, crisis, at_ms, outputs)
        while len(brand.desks) > _KEEP:
            del brand.desks[next(iter(brand.desks))]

    def _plan(self, desk: Desk, crisis: Crisis) -> Playbook:
        plan = pick(self._plans, crisis)
        desk.plan = plan.id
        return plan

    def _decide(self, brand: BrandDesk, desk: Desk, plan: Playbook, crisis: Crisis, at_ms: int, outputs: list[Output]) -> None:
        """Answer the command that this event carries, if it is the gate's or a task's."""
        command = crisis.decision
        if command is None:
            return
        if command.command in ("task-done", "task-skip"):
            self._tasks(brand, [tasks.settle(desk.tasks, crisis, command, at_ms)], crisis.updated_at, outputs)
        elif command.command in GATED:
            holdings: dict[str, Holding] = {holding.id: holding for one in self._plans for holding in one.holding}
            holdings |= {holding.id: holding for holding in plan.holding}
            answer = decide(desk.ledger, crisis.crisis_id, crisis.brand, command, at_ms, holdings)
            for statement in answer.statements:
                self._statement(brand, statement, crisis.updated_at, outputs)
            corrections = [tasks.to_correct(desk.tasks, crisis, key, at_ms) for key in answer.to_correct]
            self._tasks(brand, corrections, crisis.updated_at, outputs)

    def _notify(self, event: str, desk: Desk, crisis: Crisis, at_ms: int, outputs: list[Output]) -> None:
        if not worth_telling(event, crisis, at_ms, desk.told_ms, self._settings):
            return
        desk.told_ms = at_ms
        at = datetime.fromisoformat(crisis.updated_at)
        for route in self._routes.values():
            if route.wants(event, crisis, at):
                note = Notification(
                    id=f"{crisis.brand}-{crisis.seq}-{route.name}", route=route.name, event=f"veille.crisis.{event}",
                    time=crisis.updated_at, crisis=crisis,
                )  # fmt: skip
                headers = _notification_headers(note.id, crisis.crisis_id, crisis.updated_at)
                outputs.append(Output("crisis.notifications", crisis.brand.encode(), _json.encode(note), headers))

    def _tasks(self, brand: BrandDesk, changed: Iterable[Task], time: str, outputs: list[Output]) -> None:
        for task in changed:
            brand.task_seq += 1
            value = _json.encode(msgspec.structs.replace(task, seq=brand.task_seq))
            headers = _task_headers(f"{brand.brand}-{brand.task_seq}", task.crisis_id, time)
            outputs.append(Output("crisis.tasks", brand.brand.encode(), value, headers))

    def _statement(self, brand: BrandDesk, statement: Statement, time: str, outputs: list[Output]) -> None:
        brand.statement_seq += 1
        value = _json.encode(msgspec.structs.replace(statement, seq=brand.statement_seq))
        headers = _statement_headers(f"{brand.brand}-{brand.statement_seq}", statement.crisis_id, time)
        outputs.append(Output("crisis.statements", brand.brand.encode(), value, headers))

    def checkpoint(self, next_offset: int, *, full: bool = False) -> Checkpoint:
        """Return changed brands, the next offset as the cut, and ``next_offset`` to commit."""
        names = list(self._brands) if full else list(self._dirty)
        self._dirty.clear()
        states = [StateRecord(n.encode(), self._progress[n], _pack.encode((self._progress[n], self._brands[n]))) for n in names]
        return Checkpoint(states, b"%d" % self._next, next_offset)


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
