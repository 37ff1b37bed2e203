"""What the cell has before it for each crisis of one brand, and what an event or the passing of time makes of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from schemas.cloudevents import header_maker
from schemas.crisis import Crisis
from schemas.response import Notification, Task
from streams.clock import ms_of, rfc3339
from streams.engine.stage import Output
from streams.respond import tasks, tell
from streams.respond.playbook import Playbook, people, pick
from streams.respond.routes import Route
from streams.respond.settings import RespondSettings

_json = msgspec.json.Encoder()
_task_headers = header_maker("veille.task")
_notification_headers = header_maker("veille.notification")
_KEEP = 50  # crises of a brand whose tasks stay at hand; the one that was silent longest goes


class Desk(msgspec.Struct, kw_only=True):
    """What the cell has before it for one crisis, and its latest card."""

    card: Crisis
    tasks: dict[str, tasks.Kept] = {}
    told: dict[str, tell.Told] = {}


class BrandDesk(msgspec.Struct, kw_only=True):
    """All desks of one brand, the last event read, the event time reached and the last numbers given."""

    brand: str
    seq: int = 0
    now_ms: int = 0
    task_seq: int = 0
    desks: dict[str, Desk] = {}


class House(NamedTuple):
    """What does not change while a worker runs: plans, routes and settings."""

    plans: Sequence[Playbook]
    routes: Mapping[str, Route]
    settings: RespondSettings

    @property
    def every_ms(self) -> int:
        """Least time between two messages that only update a crisis."""
        return self.settings.update_minutes * tasks.MINUTE


def on_event(brand: BrandDesk, event: str, crisis: Crisis, house: House) -> list[Output]:
    """Apply ``veille.crisis.<event>``: first what was due before it, then tasks and messages."""
    at_ms = ms_of(crisis.updated_at)
    outputs = on_time(brand, at_ms, house)
    brand.now_ms = max(brand.now_ms, at_ms)
    if crisis.phase == "none" or event == "refused":
        return outputs
    desk = brand.desks.pop(crisis.crisis_id, None) or Desk(card=crisis)
    brand.desks[crisis.crisis_id] = desk
    writer = _Writer(brand, rfc3339(brand.now_ms), outputs)
    plan = pick(house.plans, crisis)
    desk.card = msgspec.structs.replace(crisis, decision=None, to_correct=())
    if crisis.opened_at is not None and crisis.phase in ("open", "escalated"):
        for task, step in tasks.start(desk.tasks, plan, crisis, at_ms):
            task = writer.task(task)
            route = house.routes.get(step.route)
            if route is not None and (not route.brands or crisis.brand in route.brands):
                writer.tell(f"t{task.seq}", route, "veille.task.opened", desk, (task,))
    command = crisis.decision
    if command is not None and command.command in ("task-done", "task-skip"):
        writer.task(tasks.settle(desk.tasks, crisis, command, at_ms, people([plan])))
    for key in crisis.to_correct:
        task = writer.task(tasks.to_correct(desk.tasks, plan, crisis, key, at_ms))
        _remind(writer, desk, house, [task], "veille.task.opened")
    for route in tell.due_now(desk.told, event, crisis, at_ms, house.routes, house.every_ms):
        writer.tell(str(crisis.seq), route, f"veille.crisis.{event}", desk)
    while len(brand.desks) > _KEEP:
        del brand.desks[next(iter(brand.desks))]
    return outputs


def next_due(brand: BrandDesk, house: House) -> int | None:
    """Return the event time (ms) at which something happens by itself, or None."""
    dues = [
        due
        for desk in brand.desks.values()
        for due in (tasks.next_due(desk.tasks, desk.card.phase), tell.next_due(desk.told, house.every_ms))
        if due is not None
    ]
    return min(dues, default=None)


def on_time(brand: BrandDesk, before_ms: int, house: House) -> list[Output]:
    """Let everything happen that is due before ``before_ms``: reminders, escalations, messages that waited."""
    outputs: list[Output] = []
    while (due := next_due(brand, house)) is not None and due < before_ms:
        brand.now_ms = max(brand.now_ms, due)
        writer = _Writer(brand, rfc3339(brand.now_ms), outputs)
        for name in sorted(brand.desks):
            desk = brand.desks[name]
            changed = [writer.task(task) for task in tasks.remind(desk.tasks, desk.card.phase, due)]
            for state in ("late", "escalated"):
                _remind(writer, desk, house, [task for task in changed if task.state == state], f"veille.task.{state}")
            for route, event in tell.waited(desk.told, desk.card, due, house.every_ms):
                if route in house.routes:
                    writer.tell(f"{desk.card.seq}w", house.routes[route], f"veille.crisis.{event}", desk)
    return outputs


def _remind(writer: _Writer, desk: Desk, house: House, late: Sequence[Task], event: str) -> None:
    """Tell of tasks over the routes that heard of the crisis; a mute silences it."""
    if not late or desk.card.muted_until is not None:
        return
    at = datetime.fromisoformat(writer.time)
    for route in house.routes.values():
        if route.name in desk.told and route.wants(event.removeprefix("veille."), desk.card, at):
            writer.tell(f"t{late[-1].seq}", route, event, desk, tuple(late))


class _Writer:
    """Numbers records and puts them among the outputs, at one event time."""

    def __init__(self, brand: BrandDesk, time: str, outputs: list[Output]) -> None:
        self.brand, self.time, self._outputs = brand, time, outputs
        self._key = brand.brand.encode()

    def task(self, task: Task) -> Task:
        """Record a task; return it with its number."""
        self.brand.task_seq += 1
        task = msgspec.structs.replace(task, seq=self.brand.task_seq)
        headers = _task_headers(f"{self.brand.brand}-{task.seq}", task.crisis_id, self.time)
        self._outputs.append(Output("crisis.tasks", self._key, _json.encode(task), headers))
        return task

    def tell(self, number: str, route: Route, event: str, desk: Desk, about: Iterable[Task] = ()) -> None:
        note = Notification(
            id=f"{self.brand.brand}-{number}-{route.name}", route=route.name, event=event, time=self.time, crisis=desk.card,
            tasks=tuple(about) or tasks.due(desk.tasks)[:10],
        )  # fmt: skip
        headers = _notification_headers(note.id, desk.card.crisis_id, self.time)
        self._outputs.append(Output("crisis.notifications", self._key, _json.encode(note), headers))
