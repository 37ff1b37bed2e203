"""Steps of a playbook become tasks: who, until when, done or not; late ones are reminded of, then go to the deputy."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from schemas.command import Command
from schemas.crisis import Crisis
from schemas.desk import OPEN, may_hold
from schemas.response import Task
from streams.clock import rfc3339
from streams.respond.playbook import Playbook, Step

MINUTE = 60_000
CORRECT_MINUTES = 60
_CORRECT = "correct:"
#: States of a task that somebody still has to do.
DUE = ("open", "late", "escalated")


class Kept(msgspec.Struct, kw_only=True):
    """A task with the event times (ms) at which it becomes late and escalates (0: never)."""

    task: Task
    due_ms: int
    escalate_ms: int = 0
    #: Who has it once it escalates.
    deputies: tuple[str, ...] = ()


def start(kept: dict[str, Kept], plan: Playbook, crisis: Crisis, at_ms: int) -> list[tuple[Task, Step]]:
    """Add the tasks that ``plan`` asks for now and that are not there yet; return them with their steps."""
    fresh = []
    for step in plan.due_steps(crisis.kind, crisis.severity, crisis.networks):
        if step.id in kept:
            continue
        due = at_ms + step.within_minutes * MINUTE
        deputy = plan.deputy_of(step.role)
        task = Task(
            task_id=f"{crisis.crisis_id}/{step.id}", crisis_id=crisis.crisis_id, brand=crisis.brand, step=step.id,
            title=step.title, title_en=step.title_en, title_fr=step.title_fr or (step.title if plan.language == "fr" else ""),
            role=step.role, people=plan.holders(step.role), deputy=deputy, channel=step.channel, opened_at=rfc3339(at_ms),
            due_at=rfc3339(due),
        )  # fmt: skip
        escalates = at_ms + step.escalate_minutes * MINUTE if step.escalate_minutes else 0
        kept[step.id] = Kept(task=task, due_ms=due, escalate_ms=escalates, deputies=plan.holders(deputy))
        fresh.append((task, step))
    return fresh


def to_correct(kept: dict[str, Kept], plan: Playbook, crisis: Crisis, statement: str, at_ms: int) -> Task:
    """Return the task to correct a statement that rests on a refuted claim; it escalates when its deadline passes."""
    due = at_ms + CORRECT_MINUTES * MINUTE
    step = f"{_CORRECT}{statement}"
    role, deputy = "communication", plan.deputy_of("communication") or "lead"
    task = Task(
        task_id=f"{crisis.crisis_id}/{step}", crisis_id=crisis.crisis_id, brand=crisis.brand, step=step,
        title="Correct what was published: a claim that it rests on was refuted",
        title_fr="Corriger ce qui a été publié : une affirmation sur laquelle il repose est réfutée",
        role=role, people=plan.holders(role), deputy=deputy, opened_at=rfc3339(at_ms), due_at=rfc3339(due),
    )  # fmt: skip
    kept[step] = Kept(task=task, due_ms=due, escalate_ms=2 * due - at_ms, deputies=plan.holders(deputy))
    return task


def next_due(kept: Mapping[str, Kept], phase: str) -> int | None:
    """Return the event time (ms) at which the next task becomes late or escalates, or None.

    A crisis that is over reminds of nothing but corrections: what is false outside stays false.
    """
    dues = [due for step, entry in kept.items() if is_due(step, phase) and (due := _due(entry)) is not None]
    return min(dues, default=None)


def remind(kept: Mapping[str, Kept], phase: str, due_ms: int) -> list[Task]:
    """Return the tasks that become late, or go to the deputy, at ``due_ms``."""
    changed = []
    for step, entry in kept.items():
        due = _due(entry)
        if not is_due(step, phase) or due is None or due > due_ms:
            continue
        if entry.task.state == "open" and entry.due_ms <= due_ms and not 0 < entry.escalate_ms <= due_ms:
            entry.task = msgspec.structs.replace(entry.task, state="late", command_id="")
        else:
            entry.task = msgspec.structs.replace(entry.task, state="escalated", people=entry.deputies, command_id="")
        changed.append(entry.task)
    return changed


def is_due(step: str, phase: str) -> bool:
    """Say whether a step is still to be done: when a crisis is over nothing is but what stands outside and is to be corrected."""
    return phase in OPEN or step.startswith(_CORRECT)


def _due(entry: Kept) -> int | None:
    if entry.task.state == "open":
        return min(entry.due_ms, entry.escalate_ms or entry.due_ms)
    return entry.escalate_ms if entry.task.state == "late" and entry.escalate_ms else None


def due(kept: Mapping[str, Kept]) -> tuple[Task, ...]:
    """Return what is still to be done, the most urgent first."""
    tasks = [entry.task for entry in kept.values() if entry.task.state in DUE]
    return tuple(sorted(tasks, key=lambda task: (task.due_at or "", task.task_id)))


def settle(kept: dict[str, Kept], crisis: Crisis, command: Command, at_ms: int, people: Mapping[str, frozenset[str]]) -> Task:
    """Answer ``task-done`` and ``task-skip``; a command that fits no open task is answered by a refused one."""
    wanted = str(command.args.get("task", ""))
    step = wanted.removeprefix(f"{crisis.crisis_id}/")
    entry = kept.get(step)
    reason = str(command.args.get("reason", "") or command.args.get("text", ""))[:1000]
    if entry is None:
        why = "no such task"
    elif entry.task.state not in DUE:
        why = f"{entry.task.state} already"
    elif command.command == "task-skip" and not reason.strip():
        why = "a task is skipped with a reason"
    else:
        why = may_hold(command.role, command.by, people)
    if entry is None or why:
        return Task(
            task_id=wanted[:300], crisis_id=crisis.crisis_id, brand=crisis.brand, step=step[:200], title="", state="refused",
            done_by=command.by[:100], reason=why, command_id=command.id,
        )  # fmt: skip
    entry.task = msgspec.structs.replace(
        entry.task, state="done" if command.command == "task-done" else "skipped", done_by=command.by[:100], done_at=rfc3339(at_ms),
        reason=reason, command_id=command.id,
    )  # fmt: skip
    return entry.task
