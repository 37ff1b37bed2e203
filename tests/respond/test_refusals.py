"""Every refusal of the desk, of the gate and of the tasks has its French."""

from __future__ import annotations

import re
from typing import Any

import pytest

from schemas.command import Command
from schemas.desk import PHASES, ROLES, TABLE, UNKNOWN, judge, may_hold
from streams.crisis.commands import apply
from streams.crisis.gated import Cell
from streams.crisis.state import BrandState, Life
from streams.gate.words import FRENCH, told
from streams.respond import tasks
from streams.respond.playbook import load
from streams.respond.refusals import refusal_in
from tests.respond.make import CRISIS, card

_ENGLISH = re.compile(r"\b(may|needs?|must|one of|this one|unknown|already|others|reason|open|resolved|merged|or|and)\b")
GOOD: dict[str, Any] = {"text": "x", "list": ["x"], "whole": 60, "flag": True}


def said(command: str) -> set[str]:
    """Return all reasons for which the desk refuses a command: by role, by phase, and by arguments that lack or are wrong."""
    rule = TABLE.get(command)
    listed = rule.args if rule else ()
    full = {arg.name: arg.choices[0] if arg.choices else GOOD[arg.form] for arg in listed}
    wrong = [{**full, arg.name: value} for arg in listed for value in (None, 0.5, "nothing of the kind")]
    found = {
        judge(command, role, phase, args)[1]
        for role in (*ROLES, "cook")
        for phase in (*PHASES, UNKNOWN)
        for args in (full, {}, *wrong, *({k: v for k, v in full.items() if k != arg.name} for arg in listed))
    }
    return found - {""}


@pytest.mark.parametrize("command", [*TABLE, "dance"])
def test_the_desk_refuses_in_french(command: str) -> None:
    """No word of the English is left, but names of commands, roles and arguments; in English it stays as it is."""
    reasons = said(command)
    assert reasons
    for reason in sorted(reasons):
        french = refusal_in(reason, "fr")
        plain = french
        for name in (*TABLE, *ROLES[1:], *(arg.name for rule in TABLE.values() for arg in rule.args)):
            plain = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "", plain)
        assert french != reason
        assert _ENGLISH.findall(plain) == [], french
        assert refusal_in(reason, "en") == reason


def test_the_tasks_refuse_in_french() -> None:
    """A task that is none, one that is done or skipped already, a skip without a reason, and a person whom the plan does not name."""
    kept: dict[str, tasks.Kept] = {}
    tasks.start(kept, load()[0], card(), 0)
    first, second = list(kept)[:2]
    people = {"legal": frozenset({"ada"})}

    def give(name: str, step: str, by: str = "ann", role: str = "lead", **args: str) -> str:
        command = Command(id="c", command=name, brand="acme", by=by, role=role, at_ms=0, crisis_id=CRISIS, args={"task": step, **args})
        return refusal_in(tasks.settle(kept, card(), command, 0, people).reason, "fr")

    assert give("task-done", "dance") == "cette tâche n'existe pas"
    assert give("task-skip", first) == "une tâche se laisse de côté avec une raison"
    assert give("task-done", first, role="legal") == "le plan nomme d'autres personnes pour le rôle legal"
    assert give("task-done", first, by=" ") == refusal_in(may_hold("lead", " ", {}), "fr") == "personne n'est nommé pour en décider"
    assert give("task-done", first) == ""
    assert give("task-done", first) == "déjà faite"
    assert give("task-skip", second, reason="none") == "none"
    assert give("task-done", second) == "déjà laissée de côté"


def test_the_gate_is_read_in_the_readers_language() -> None:
    """A worker records its words in its own language; each is known again, its blanks filled, and told in the reader's."""
    values: dict[str, Any] = {"name": "c1", "names": "a, b", "state": "released", "most": 200, "count": 1, "role": "legal"}
    for english in FRENCH:
        said, meant = told(english, "en", values), told(english, "fr", values)
        assert refusal_in(said, "fr") == refusal_in(meant, "fr") == meant
        assert refusal_in(said, "en") == refusal_in(meant, "en") == said
        assert refusal_in(f"approve: {meant}", "en") == f"approve: {said}"
        assert refusal_in(f"approve: {said}", "fr") == f"approve : {meant}"


def test_an_unknown_zone_is_refused_in_french() -> None:
    """As the desk says it of a declaration."""
    asked = Command(id="c", command="open", brand="acme", by="ann", at_ms=0, args={"headline": "x", "timezone": "Mars"})
    refused = apply(BrandState(brand="acme"), asked, 0, Cell())[0][0][1]
    assert refusal_in(refused.note, "fr") == "fuseau horaire inconnu ; par exemple Europe/Paris"


@pytest.mark.parametrize("command", ["ack", "hold", "mute", "open", "merge", "split", "draft"])
def test_what_the_desk_refuses_by_its_state_has_its_french(command: str) -> None:
    """Refusals that hang on what the crisis is already, and not on the table alone, as the desk says them."""
    given: dict[str, dict[str, Any]] = {
        "open": {"headline": "x", "severity": 9}, "merge": {"into": CRISIS}, "split": {"stories": ["none"]}, "mute": {"minutes": 0},
        "hold": {"off": True}, "draft": {"statement": "s", "text": "x"},
    }  # fmt: skip
    args = given.get(command, {})
    state = BrandState(brand="acme")
    state.lives.append(Life(card=card(acknowledged_by="ann")))
    crisis = "" if command == "open" else CRISIS
    asked = Command(id="c", command=command, brand="acme", by="ann", role="lead", at_ms=0, crisis_id=crisis, args=args)
    answers, _ = apply(state, asked, 0, Cell(), full=command == "draft")
    event, refused, _ = answers[0]
    assert event == "refused"
    french = refusal_in(refused.note, "fr")
    assert french != refused.note
    assert re.findall(r"\b(not|some|all|must|needs?|already|held|such|itself|between|of|the)\b", french) == []
