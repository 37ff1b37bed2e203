"""The report of a drill: what was done when, what was late. HTML on its own (no script, nothing fetched), for the screen and for paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from schemas.crisis import Crisis
from schemas.response import Claim, Statement, Task
from streams.clock import ms_of
from streams.plurals import counted
from streams.respond.brief import brief, unbroken
from streams.respond.brief_words import EVENTS
from streams.respond.drill import Drill, Entry
from streams.respond.drill_words import STATES, UNDONE, WORDS
from streams.respond.playbook import in_language
from streams.respond.refusals import refusal_in
from streams.respond.tasks import DUE, MINUTE

_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)  # fmt: skip


class Step(NamedTuple):
    """One step of the cell; times in minutes since the opening. ``late`` is how far beyond its deadline (0: in time)."""

    step: str
    title: str
    role: str
    state: str
    opened: int
    due: int
    ended: int | None
    by: str
    reason: str
    late: int
    escalated: bool

    @property
    def took(self) -> int | None:
        """Minutes from its opening to its end, or None."""
        return None if self.ended is None else self.ended - self.opened


def steps(drill: Drill, language: str) -> list[Step]:
    """Return every step that opened, in the plan's order, told in ``language``; what is not done by the end is late by then."""
    found = []
    escalated = {e.record.step for e in drill.log if isinstance(e.record, Task) and e.record.state == "escalated"}
    for task in drill.tasks().values():
        opened, due = (_minutes(drill, ms_of(at or drill.card.updated_at)) for at in (task.opened_at, task.due_at))
        ended = _minutes(drill, ms_of(task.done_at)) if task.done_at else None
        beyond = (_minutes(drill, drill.now_ms) if ended is None else ended) - due
        found.append(Step(
            task.step, task.title_in(language), task.role, task.state, opened, due, ended, task.done_by, task.reason, max(0, beyond),
            task.step in escalated,
        ))  # fmt: skip
    return found


def step_line(step: Step, language: str) -> str:
    """Return one step as a line for people; minutes are those since the opening."""
    words = WORDS[language]
    state = STATES[language].get(step.state, step.state)
    if step.ended is None:
        state = UNDONE[language].get(step.state, state)
    line = f"{step.step:<14} " + words["line"].format(due=step.due, state=state)
    if step.ended is not None:
        line += words["ended_line"].format(ended=step.ended, by=step.by)
    return line + (words["late_by"].format(late=step.late) if step.late else "")


def refusal_line(at_min: int, who: str, why: str, language: str) -> str:
    """Return what was refused as a line for people, in the form of `step_line`."""
    return WORDS[language]["refused_line"].format(minute=at_min, by=who or "–", why=why)


def marks(drill: Drill) -> dict[str, int | None]:
    """Return when (minutes since the opening) the first of each kind was reached: what a cell is measured by."""

    def first(fits: Callable[[Crisis | Task | Statement | Claim], bool]) -> int | None:
        return next((_minutes(drill, entry.at_ms) for entry in drill.log if fits(entry.record)), None)

    def released(kind: str) -> Callable[[Crisis | Task | Statement | Claim], bool]:
        return lambda record: isinstance(record, Statement) and record.state == "released" and record.kind == kind

    return {
        "first_step": first(lambda record: isinstance(record, Task) and record.state in ("done", "skipped")),
        "claim_verified": first(lambda record: isinstance(record, Claim) and record.status == "verified"),
        "holding_released": first(released("holding")),
        "substantive_released": first(released("substantive")),
    }


def summary(drill: Drill, source: str, language: str) -> dict[str, Any]:
    """Return the drill's result as plain data (minutes since the opening), for programs."""
    done = steps(drill, language)
    return {
        "status": drill.card.status, "playbook": drill.plan.id, "source": source, "crisis_id": drill.card.crisis_id,
        "minutes": _minutes(drill, drill.now_ms), "steps": [one._asdict() | {"took": one.took} for one in done],
        "late": [one.step for one in done if one.late], "marks": marks(drill),
        "refused": [{"minute": _minutes(drill, at), "by": who, "reason": why} for at, who, why in refusals(drill, language)],
    }  # fmt: skip


def refusals(drill: Drill, language: str) -> list[tuple[int, str, str]]:
    """Return (time in ms, who, why) of what the gate and the tasks refused."""
    found = []
    for entry in drill.log:
        record = entry.record
        if isinstance(record, Statement) and record.state == "refused":
            found.append((entry.at_ms, record.author, refusal_in(record.reason, language)))
        elif isinstance(record, Task) and record.state == "refused":
            found.append((entry.at_ms, record.done_by, f"{record.step}{WORDS[language]['colon']} {refusal_in(record.reason, language)}"))
    return found


def page(drill: Drill, source: str, language: str) -> str:
    """Return the report as HTML in "en" or "fr"."""
    words = WORDS[language]
    opening = next(e.record for e in drill.log if isinstance(e.record, Crisis))
    done = steps(drill, language)
    longest = max([_minutes(drill, drill.now_ms), *(one.due for one in done), 1])
    return _PAGES.get_template("drill.html").render(
        w=words, language=language, sign=lambda text: sign(text, language),
        plan=drill.plan, told=in_language(drill.plan, language), source=source, card=drill.card,
        brief=brief(opening, drill_tasks(drill), language),
        steps=done, late=[one for one in done if one.late], states=STATES[language], longest=longest,
        minutes=_minutes(drill, drill.now_ms), marks=marks(drill),
        refused=[(_minutes(drill, at), who, why) for at, who, why in refusals(drill, language)],
        timeline=timeline(drill, language),
    )  # fmt: skip


def drill_tasks(drill: Drill) -> list[Task]:
    """Return the tasks as they were when the crisis opened."""
    return [e.record for e in drill.log if isinstance(e.record, Task) and e.at_ms == drill.begin_ms and e.record.state in DUE]


def timeline(drill: Drill, language: str) -> list[tuple[int, str, str, str]]:
    """Return (minutes since the opening, what, who, words) of everything by time; what fell due before an event stands before it."""
    return [(_minutes(drill, e.at_ms), *timeline_line(e, language)) for e in sorted(drill.log, key=lambda entry: entry.at_ms)]


def timeline_line(entry: Entry, language: str) -> tuple[str, str, str]:
    """Return (what, who, words) of one line of the timeline."""
    record, words, states = entry.record, WORDS[language], STATES[language]
    if isinstance(record, Crisis):
        name = entry.what.removeprefix("veille.crisis.")
        size = counted(record.mentions, "mention", language)
        return EVENTS[language].get(name, name), "", f"{words['severity']} {record.severity}, {size}"
    if isinstance(record, Task):
        said = refusal_in(record.reason, language) if record.state == "refused" else record.reason
        told = sign(record.title_in(language), language)
        state = states["task_refused"] if record.state == "refused" else states.get(record.state, record.state)
        return f"{words['task']} {record.step}{words['colon']} {state}", record.done_by, f"{told} ({said})" if said else told
    if isinstance(record, Claim):
        return f"{words['claim']} {record.claim_id}{words['colon']} {states.get(record.status, record.status)}", record.by, record.text
    state = states.get(record.state, record.state)
    if record.state == "draft" and record.approved_by:
        # Its author wrote it before; who approved it is the news, though it still needs another.
        state = f"{state}, {words['approved_by']} {', '.join(record.approved_by)}"
    said = refusal_in(record.reason, language) if record.state == "refused" else record.reason or record.text
    if record.kind == "refusal":  # what was refused of itself, and not for a statement's sake
        return f"{words['command']} {record.statement_id}{words['colon']} {states['task_refused']}", record.author, said
    return f"{words['statement']} {record.statement_id}{words['colon']} {state}", record.released_by or record.author, said


def sign(text: str, language: str) -> str:
    """Return ``text`` as it is set in ``language``: in French a sign stays with its word."""
    return unbroken(text) if language == "fr" else text


def _minutes(drill: Drill, at_ms: int) -> int:
    return (at_ms - drill.begin_ms) // MINUTE
