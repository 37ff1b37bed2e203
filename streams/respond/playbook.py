"""Playbooks: plans made beforehand as YAML files. What a plan is, which one a crisis takes, and who may act in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from schemas.crisis import Crisis
from schemas.desk import person
from streams.errors import BadInput
from streams.gate.decide import Plan
from streams.gate.holding import Holding

SHIPPED = Path(__file__).parent / "playbooks"


class Role(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role of the cell: who holds it (nobody named: whoever takes it), and which role stands in."""

    title: str
    people: tuple[str, ...] = ()
    deputy: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step: whose, until when (minutes after it is due), when it escalates to the deputy. Empty lists mean all.

    ``title_en`` and ``title_fr`` are what a brief in English or French says, where ``title`` is in the other. ``channel`` is where it
    is done; ``route`` names a route that is told when the step opens (a webhook that pauses posts).
    """

    id: str
    title: str
    title_en: str = ""
    title_fr: str = ""
    role: str
    within_minutes: int
    escalate_minutes: int = 0
    kinds: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    severity: int = 1
    channel: str = ""
    route: str = ""


class DraftText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft for one audience and channel; it still has to pass the gate."""

    audience: str
    channel: str
    text: str


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A test of the plan: a crisis like this one must give the steps ``expect``, in order."""

    kind: str
    expect: tuple[str, ...]
    severity: int = 3
    networks: tuple[str, ...] = ()


class Playbook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One plan. ``kinds`` and ``brands`` empty: for all. ``channels`` and ``contacts`` are what a holding statement's blanks may hold."""

    id: str
    title: str
    language: str = "en"
    brands: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    roles: dict[str, Role]
    steps: tuple[Step, ...]
    channels: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    holding: tuple[Holding, ...] = ()
    drafts: tuple[DraftText, ...] = ()
    tests: tuple[Case, ...] = ()

    def due_steps(self, kind: str, severity: int, networks: Iterable[str]) -> list[Step]:
        """Return the steps that such a crisis asks for, in the plan's order."""
        seen = set(networks)
        return [
            step
            for step in self.steps
            if severity >= step.severity
            and (not step.kinds or kind in step.kinds)
            and (not step.networks or any(network in seen for network in step.networks))
        ]

    def holders(self, role: str) -> tuple[str, ...]:
        """Return the people who hold ``role``, as the plan writes them."""
        return self.roles[role].people if role in self.roles else ()

    def deputy_of(self, role: str) -> str:
        """Return the role that stands in for ``role``, or ""."""
        return self.roles[role].deputy if role in self.roles else ""


@lru_cache(maxsize=8)
def load(folder: str = "", language: str = "en") -> tuple[Playbook, ...]:
    """Return the playbooks of ``folder`` (empty: the shipped ones of ``language``), by file name. Raises `BadInput`."""
    place = Path(folder) if folder else SHIPPED / language
    plans = tuple(read(path) for path in sorted(place.glob("*.yaml")))
    if not plans:
        raise BadInput("no playbook found: name a folder with *.yaml files")
    return plans


def of_brands(files: Mapping[str, str], folder: Path) -> tuple[Playbook, ...]:
    """Return the plans that brands name in the watchlist, {brand: file beside it in ``folder``}, each for its brand alone.

    Raises `BadInput`.
    """
    return tuple(msgspec.structs.replace(read(folder / file), brands=(brand,)) for brand, file in sorted(files.items()))


def read(path: Path) -> Playbook:
    """Return the playbook in one file; a shipped one's steps have their titles in both languages. Raises `BadInput` with line and mend."""
    plan = _read(path)
    if path.resolve().parent.parent != SHIPPED.resolve():
        return plan
    other = _read(SHIPPED / ("en" if plan.language == "fr" else "fr") / path.name)
    titles = {step.id: {f"title_{other.language}": step.title} for step in other.steps}
    return msgspec.structs.replace(plan, steps=tuple(msgspec.structs.replace(step, **titles.get(step.id, {})) for step in plan.steps))


def in_language(plan: Playbook, language: str) -> Playbook:
    """Return a shipped plan as it is shipped in ``language``; a plan of anybody's own as it is."""
    if plan.language == language or plan not in load(language=plan.language):
        return plan
    return next(other for other in load(language=language) if other.id == plan.id)


def _read(path: Path) -> Playbook:
    from streams.respond.playbook_check import check

    try:
        plan, problems = check(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"playbook {path.name}: {type(error).__name__}") from None
    if plan is None:
        raise BadInput(f"playbook {path.name}, line {problems[0].line}: {problems[0].text}")
    return plan


def named(name: str, language: str = "en") -> Path:
    """Return the file that ``name`` means: a path, or a shipped plan (``rumour``, ``fr/rumour``). Raises `BadInput`."""
    path = Path(name)
    if path.is_file():
        return path
    tongue, _, short = name.rpartition("/")
    shipped = {f"{place.parent.name}/{place.stem}": place for place in sorted(SHIPPED.glob("*/*.yaml"))}
    found = shipped.get(f"{tongue or language}/{short}")
    if found is None:
        raise BadInput(f"no playbook {name}: give a file, or a shipped plan: {', '.join(shipped)}")
    return found


def pick(plans: Sequence[Playbook], crisis: Crisis) -> Playbook:
    """Return the plan for a crisis: for its brand before those for all, and within these for its kind before those for every kind."""

    def rank(plan: Playbook) -> tuple[bool, bool]:
        return crisis.brand not in plan.brands, crisis.kind not in plan.kinds

    fitting = [p for p in plans if (not p.brands or crisis.brand in p.brands) and (not p.kinds or crisis.kind in p.kinds)]
    return min(fitting, key=rank) if fitting else plans[0]


def holdings(plans: Iterable[Playbook], plan: Playbook, brand: str) -> dict[str, Holding]:
    """Return the holding statements that ``brand`` may use: by ``plan/id``, and those of its present ``plan`` by their id alone too."""
    found: dict[str, Holding] = {}
    for one in (*(p for p in plans if not p.brands or brand in p.brands), plan):
        for holding in one.holding:
            full = msgspec.structs.replace(holding, id=f"{one.id}/{holding.id}", channels=one.channels, contacts=one.contacts)
            found[full.id] = full
            if one is plan:
                found[holding.id] = full
    return found


def plan_of(plans: Sequence[Playbook], crisis: Crisis) -> Plan:
    """Return what the gate needs to know of the plan for a crisis."""
    plan = pick(plans, crisis)
    return Plan(holdings(plans, plan, crisis.brand), people([plan]))


def people(plans: Iterable[Playbook]) -> dict[str, frozenset[str]]:
    """Return {role: who holds it or stands in (as `schemas.desk.person` writes them)}, for roles for which a plan names somebody."""
    found: dict[str, set[str]] = {}
    for plan in plans:
        for name, role in plan.roles.items():
            if role.people:
                found.setdefault(name, set()).update(person(one) for one in (*role.people, *plan.holders(role.deputy)))
    return {name: frozenset(found[name]) for name in sorted(found)}
