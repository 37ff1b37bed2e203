"""Playbooks: plans made beforehand as YAML files, checked with errors that name the line and the mend."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import msgspec
import yaml

from schemas.crisis import KINDS, Crisis
from streams.errors import BadInput
from streams.respond.holding import BLANKS, Holding, blanks

SHIPPED = Path(__file__).parent / "playbooks"
#: Words that would have one's own post deleted.
_DELETE = re.compile(r"\b(delete|remove|take down|supprim\w*|efface\w*|retire\w*)\b.{0,40}\b(post|tweet|publication|message)\b", re.I)
_NEVER = re.compile(r"\b(never|do not|don't|jamais|ne)\b", re.I)


class Role(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role of the cell: who holds it, and which role stands in."""

    title: str
    person: str = ""
    deputy: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step: whose, until when (minutes after the opening), when it escalates to the deputy. Empty lists mean all."""

    id: str
    title: str
    role: str
    within_minutes: int
    escalate_minutes: int = 0
    kinds: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    severity: int = 1
    channel: str = ""


class DraftText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft for one audience and channel; it still has to pass the gate."""

    audience: str
    channel: str
    text: str


class Playbook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One plan. ``kinds`` empty: for every kind."""

    id: str
    title: str
    language: str = "en"
    kinds: tuple[str, ...] = ()
    roles: dict[str, Role]
    steps: tuple[Step, ...]
    holding: tuple[Holding, ...] = ()
    drafts: tuple[DraftText, ...] = ()

    def due_steps(self, crisis: Crisis) -> list[Step]:
        """Return the steps that ``crisis`` asks for, in the plan's order."""
        return [
            step
            for step in self.steps
            if crisis.severity >= step.severity
            and (not step.kinds or crisis.kind in step.kinds)
            and (not step.networks or any(network in crisis.networks for network in step.networks))
        ]


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a file: its line (from 1) and how to mend it."""

    line: int
    text: str


def check(text: str) -> tuple[Playbook | None, list[Problem]]:
    """Read a playbook; return it (None where it cannot be used) and every problem found, in the order of lines."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return None, [Problem(mark.line + 1 if mark else 1, f"this is no YAML: {getattr(error, 'problem', None) or 'unreadable'}")]
    try:
        plan = msgspec.convert(data, Playbook, strict=False)
    except msgspec.ValidationError as error:
        words, _, path = str(error).partition(" - at `")
        return None, [Problem(_line(tree, path.rstrip("`")), words)]
    problems = [Problem(_line(tree, path), words) for path, words in _faults(plan)]
    return (None if problems else plan), sorted(problems, key=lambda p: (p.line, p.text))


def _faults(plan: Playbook) -> Iterable[tuple[str, str]]:
    kinds = ", ".join(KINDS)
    if plan.language not in ("en", "fr"):
        yield "$.language", "language must be en or fr"
    for i, kind in enumerate(plan.kinds):
        if kind not in KINDS:
            yield f"$.kinds[{i}]", f"unknown kind; one of {kinds}"
    for name, role in plan.roles.items():
        if role.deputy and role.deputy not in plan.roles:
            yield f"$.roles.{name}.deputy", f"the deputy {role.deputy} is no role of this plan; add it to roles"
    if not plan.steps:
        yield "$.steps", "a plan needs at least one step"
    elif plan.steps[0].id != "pause":
        yield "$.steps[0]", "the first step must be `pause`: pause scheduled posts and advertisements"
    seen: set[str] = set()
    for i, step in enumerate(plan.steps):
        at = f"$.steps[{i}]"
        if step.id in seen:
            yield f"{at}.id", f"the id {step.id} stands twice; give each step its own"
        seen.add(step.id)
        if step.role not in plan.roles:
            yield f"{at}.role", f"{step.role} is no role of this plan; one of {', '.join(plan.roles)}"
        if step.within_minutes < 1:
            yield f"{at}.within_minutes", "a deadline is at least 1 minute after the opening"
        if step.escalate_minutes and step.escalate_minutes < step.within_minutes:
            yield f"{at}.escalate_minutes", "a step escalates after its deadline: make escalate_minutes at least within_minutes"
        if not 1 <= step.severity <= 5:
            yield f"{at}.severity", "severity lies between 1 and 5"
        for j, kind in enumerate(step.kinds):
            if kind not in KINDS:
                yield f"{at}.kinds[{j}]", f"unknown kind; one of {kinds}"
        if _DELETE.search(step.title) and not _NEVER.search(step.title):
            yield f"{at}.title", "one's own publication is never deleted: measure, adapt to audiences, use the right channels"
    for i, holding in enumerate(plan.holding):
        for name in blanks(holding.text):
            if name not in BLANKS:
                yield f"$.holding[{i}].text", f"the blank {name} is not allowed; only {', '.join(BLANKS)}"
        if holding.hash and holding.hash != hashlib.sha256(holding.text.encode()).hexdigest():
            yield f"$.holding[{i}].hash", "the text changed after its approval: have it approved anew and write its new SHA-256"


def _line(tree: yaml.Node | None, path: str) -> int:
    """Return the line (from 1) of the deepest node of ``path`` ("$.steps[2].role") that the file has."""
    node, line = tree, 1
    for name, index in re.findall(r"\.([\w-]+)|\[(\d+|\.\.\.)\]", path):
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode) and name:
            for key, value in node.value:
                if key.value == name:
                    found, line = value, key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and index.isdigit() and int(index) < len(node.value):
            found = node.value[int(index)]
            line = found.start_mark.line + 1
        if found is None:
            break
        node = found
    return line


@lru_cache(maxsize=8)
def load(folder: str = "", language: str = "en") -> tuple[Playbook, ...]:
    """Return the playbooks of ``folder`` (empty: the shipped ones of ``language``), by file name. Raises `BadInput`."""
    place = Path(folder) if folder else SHIPPED / language
    plans = []
    for path in sorted(place.glob("*.yaml")):
        try:
            plan, problems = check(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"playbook {path.name}: {type(error).__name__}") from None
        if plan is None:
            raise BadInput(f"playbook {path.name}, line {problems[0].line}: {problems[0].text}")
        plans.append(plan)
    if not plans:
        raise BadInput("no playbook found: name a folder with *.yaml files")
    return tuple(plans)


def pick(plans: Iterable[Playbook], crisis: Crisis) -> Playbook:
    """Return the plan for a crisis: the first made for its kind, else the first made for every kind, else the first."""
    listed = list(plans)
    for plan in listed:
        if crisis.kind in plan.kinds:
            return plan
    return next((plan for plan in listed if not plan.kinds), listed[0])
