"""Steps of a playbook become tasks: who, until when, done or not."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from schemas.command import Command
from schemas.crisis import Crisis
from schemas.response import Task
from streams.clock import rfc3339
from streams.respond.playbook import Playbook

MINUTE = 60_000
CORRECT_MINUTES = 60


class Kept(msgspec.Struct, kw_only=True):
    """A task with the event times (ms) at which it becomes late and escalates (0: never)."""

    task: Task
    due_ms: int
    escalate_ms: int = 0


def start(kept: dict[str, Kept], plan: Playbook, crisis: Crisis, at_ms: int) -> list[Task]:
    """Add the tasks that ``plan`` asks for now and that are not there yet; return them."""
    fresh = []
    for step in plan.due_steps(crisis):
        if step.id in kept:
            continue
        due = at_ms + step.within_minutes * MINUTE
        role = plan.roles[step.role]
        task = Task(
            task_id=f"{crisis.crisis_id}/{step.id}", crisis_id=crisis.crisis_id, brand=crisis.brand, step=step.id,
            title=step.title if plan.language == "en" else "", title_fr=step.title if plan.language == "fr" else "",
            role=step.role, deputy=role.deputy, due_at=rfc3339(due),
        )  # fmt: skip
        kept[step.id] = Kept(task=task, due_ms=due, escalate_ms=at_ms + step.escalate_minutes * MINUTE if step.escalate_minutes else 0)
        fresh.append(task)
    return fresh


def to_correct(kept: dict[str, Kept], crisis: Crisis, statement: str, at_ms: int) -> Task:
    """Return the task to correct a statement that rests on a refuted claim."""
    due = at_ms + CORRECT_MINUTES * MINUTE
    step = f"correct:{statement}"
    task = Task(
        task_id=f"{crisis.crisis_id}/{step}", crisis_id=crisis.crisis_id, brand=crisis.brand, step=step,
        title="Correct what was published: a claim that it rests on was refuted",
        title_fr="Corriger ce qui a été publié : une affirmation sur laquelle il repose est réfutée",
        role="communication", deputy="lead", due_at=rfc3339(due),
    )  # fmt: skip
    kept[step] = Kept(task=task, due_ms=due)
    return task


def remind(kept: Mapping[str, Kept], at_ms: int) -> list[Task]:
    """Return the tasks that became late or escalated to the deputy by ``at_ms``."""
    changed = []
    for entry in kept.values():
        task = entry.task
        if task.state in ("open", "late") and 0 < entry.escalate_ms < at_ms:
            entry.task = msgspec.structs.replace(task, state="escalated")
        elif task.state == "open" and entry.due_ms < at_ms:
            entry.task = msgspec.structs.replace(task, state="late")
        else:
            continue
        changed.append(entry.task)
    return changed


def settle(kept: dict[str, Kept], crisis: Crisis, command: Command, at_ms: int) -> Task:
    """Answer ``task-done`` and ``task-skip``; a command that fits no open task is answered by a refused one."""
    wanted = str(command.args.get("task", ""))
    step = wanted.removeprefix(f"{crisis.crisis_id}/")
    entry = kept.get(step)
    why = "no such task" if entry is None else f"{entry.task.state} already" if entry.task.state in ("done", "skipped") else ""
    if entry is None or why:
        return Task(
            task_id=wanted[:300], crisis_id=crisis.crisis_id, brand=crisis.brand, step=step[:200], title="", state="refused",
            done_by=command.by[:100], reason=why,
        )  # fmt: skip
    state = "done" if command.command == "task-done" else "skipped"
    entry.task = msgspec.structs.replace(
        entry.task, state=state, done_by=command.by[:100], done_at=rfc3339(at_ms), reason=str(command.args.get("reason", ""))[:1000]
    )
    return entry.task
