"""Drills: the stage itself runs the exercise, each step is timed, and the report says what was late."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas.crisis import Crisis
from schemas.response import Statement
from streams.clock import ms_of
from streams.errors import BadInput
from streams.respond.drill import Drill
from streams.respond.drill_acts import parse
from streams.respond.drill_report import marks, page, refusals, steps, summary, timeline
from streams.respond.playbook import Playbook, named, read
from tests.respond.make import CRISIS, card

PLAN = read(named("rumour"))


def past() -> list[tuple[str, Crisis]]:
    """The events of a crisis that was suspected, opened, and got worse after an hour."""
    return [
        ("suspected", card(7, phase="suspected", opened_at=None)),
        ("opened", card(8, severity=2)),
        ("escalated", card(9, at="2014-05-13T18:00:00Z", severity=4, headline="<script>alert(1)</script>")),
    ]


def run(lines: str, plan: Playbook = PLAN, minutes: int = 240) -> Drill:
    """Run a drill with the cell's lines."""
    drill = Drill(plan, past(), "en")
    for number, line in enumerate(lines.strip().splitlines(), 1):
        act = parse(line, number, "acme", CRISIS)
        assert act is not None
        drill.act(msgspec.structs.replace(act.command, at_ms=drill.begin_ms + (act.after_ms or 0)))
    drill.advance(drill.begin_ms + minutes * 60_000)
    return drill


CELL = """
+4 ann/communication task-done pause
+10 bo/on_call claim-add belt text="It broke."
+12 bo/on_call claim-verify belt evidence=1
+25 bo/on_call task-done verify
+70 bo/on_call delete-own-post https://example.org/1
+90 dee/legal task-skip author reason="anonymous"
"""


def test_each_step_is_timed() -> None:
    """Done in time, done late, skipped late, never done and escalated; a step that opens later is timed from then."""
    found = {one.step: one for one in steps(run(CELL), "en")}
    assert (found["pause"].took, found["pause"].late, found["pause"].by) == (4, 0, "ann")
    assert (found["verify"].took, found["verify"].late, found["verify"].escalated) == (25, 5, False)
    assert (found["author"].state, found["author"].late, found["author"].reason) == ("skipped", 30, "anonymous")
    assert (found["risk"].ended, found["risk"].late, found["risk"].escalated) == (None, 180, True)
    assert (found["hold"].opened, found["hold"].due) == (60, 90)


def test_it_is_an_exercise() -> None:
    """Every card of a drill has status Exercise, is taken for the plan's kind, and begins with the opening."""
    drill = run("")
    cards = [entry.record for entry in drill.log if isinstance(entry.record, Crisis)]
    assert {(one.status, one.kind) for one in cards} == {("Exercise", "rumour")}
    assert [entry.what for entry in drill.log if isinstance(entry.record, Crisis)] == ["veille.crisis.opened", "veille.crisis.escalated"]
    assert drill.begin_ms == ms_of("2014-05-13T17:00:00Z")


def test_the_gate_is_the_gate() -> None:
    """A drill releases nothing that the gate would not, and refusals are on record."""
    drill = run(CELL + "+95 bo draft s text=ours claims=belt evidence=1\n+96 bo/lead release s\n+97 eve/watch approve s hash=x")
    assert [entry.record.state for entry in drill.log if isinstance(entry.record, Statement)] == ["refused", "draft", "refused", "refused"]
    assert marks(drill) == {"first_step": 4, "claim_verified": 12, "holding_released": None, "substantive_released": None}
    assert ["measure the impact" in why for _, _, why in refusals(drill, "en")] == [True, False, False]
    assert "may not approve" in refusals(drill, "en")[2][2]


def test_the_report_tells_everything_in_order() -> None:
    """A deadline that passed before an event stands before it, though the event is what brought it."""
    told = timeline(run(""), "en")
    assert [minutes for minutes, *_ in told] == sorted(minutes for minutes, *_ in told)
    assert "escalated" in told[-1][1]


def test_the_same_drill_is_the_same_report() -> None:
    """Nothing of it reads a clock."""
    assert page(run(CELL), "file", "fr") == page(run(CELL), "file", "fr")


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("What was late", "180 min beyond")), ("fr", ("Ce qui était en retard", "180 min après"))]
)
def test_the_report_says_what_was_late(language: str, words: tuple[str, ...]) -> None:
    """In both languages, on one page that fetches nothing and runs nothing, with every text escaped."""
    html = page(run(CELL), "file", language)
    assert all(word in html for word in words)
    assert f'lang="{language}"' in html
    assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html
    assert "<script" not in html
    assert "&lt;b&gt;guitar" in html


@pytest.mark.parametrize(("plan", "language", "words", "others"), [
    ("fr/rumour", "en", ("Rumour: verify", "Verify first", "Head of the crisis cell"), ("Rumeur", "Vérifier", "Responsable")),
    ("rumour", "fr", ("Rumeur\u00a0: vérifier", "Vérifier d&#39;abord", "Responsable de la cellule"), ("Rumour:", "Verify", "Head of")),
])  # fmt: skip
def test_the_report_is_in_one_language(plan: str, language: str, words: tuple[str, ...], others: tuple[str, ...]) -> None:
    """Title, steps and roles of a shipped plan are told in the language of the report, whichever the plan that was drilled is in."""
    html = page(run(CELL, read(named(plan))), "file", language)
    assert [word for word in words if word not in html] == []
    assert [word for word in others if word in html] == []


def test_refusals_are_told_in_the_language_of_the_report() -> None:
    """The desk's, the plan's and the tasks' alike."""
    cell = """
+1 eve/watch cancel
+2 eve approve s
+3 eve task-done dance
+4 /lead task-done pause
"""
    drill = Drill(PLAN, past(), "fr")
    for number, line in enumerate(cell.strip().splitlines(), 1):
        act = parse(line, number, "acme", CRISIS)
        assert act is not None
        drill.act(act.command)
    assert [why.replace("\u00a0", " ") for _, _, why in refusals(drill, "fr")] == [
        "cancel : le rôle watch ne peut pas donner cancel ; on_call, lead ou direction le peuvent",
        "approve demande un rôle : on_call, lead, communication, legal ou direction",
        "dance : cette tâche n'existe pas",
        "task-done : personne n'est nommé pour en décider",
    ]
    assert "cette tâche n&#39;existe pas" in page(drill, "file", "fr").partition("Tout, dans l&#39;ordre")[2]


def test_a_plan_of_ones_own_is_told_in_its_words() -> None:
    """Nothing is put in the place of a plan that was changed; a step says what the plan has for the language, or else its title."""
    shipped = read(named("fr/rumour"))
    pause, *others = shipped.steps
    own = msgspec.structs.replace(shipped, title="La nôtre", steps=(msgspec.structs.replace(pause, title_en="Stop it", title="Arrêtez"),
                                                                    *others))  # fmt: skip
    html = page(run(CELL, own), "file", "en")
    assert "La nôtre" in html
    assert "Stop it" in html
    assert "Arrêtez" not in html


def test_a_drill_without_fault_says_so() -> None:
    """With every step done in time nothing is late."""
    asked = sorted(PLAN.due_steps("rumour", 1, ()), key=lambda step: step.within_minutes)
    lines = "\n".join(f"+{step.within_minutes - 1} ann/lead task-done {step.id}" for step in asked)
    drill = run(lines, minutes=181)
    assert [one["step"] for one in summary(drill, "file", "en")["steps"] if one["late"]] == ["hold", "staff"]
    calm = Drill(PLAN, past()[:2], "en")
    assert [one.late for one in steps(calm, "en")] == [0] * 7


@pytest.mark.parametrize(
    ("line", "words"),
    [("+5 ann", "say"), ("+5 ann dance", "unknown command dance"), ('+5 ann note "x', "quotation")],
)
def test_a_line_that_cannot_be_read_says_the_mend(line: str, words: str) -> None:
    """The number of the line stands in the error."""
    with pytest.raises(BadInput, match="line 7") as caught:
        parse(line, 7, "acme", CRISIS)
    assert words in str(caught.value)


def test_nothing_to_drill() -> None:
    """Events that open no crisis are named as such."""
    with pytest.raises(BadInput, match="open no crisis"):
        Drill(PLAN, past()[:1], "en")


def test_comments_and_lists() -> None:
    """Empty lines and comments say nothing; lists are separated by commas; without a time it is now."""
    assert parse("  # nothing", 1, "acme", CRISIS) is None
    act = parse("ann draft s text=x claims=a,b", 1, "acme", CRISIS)
    assert act is not None
    args: dict[str, Any] = {"statement": "s", "text": "x", "claims": ["a", "b"]}
    assert (act.after_ms, act.command.args) == (None, args)


def test_the_timeline_is_told_in_words() -> None:
    """Each step by its id, which the cell types, and its title; an approval by who gave it; French signs stay with their words."""
    told = timeline(run(CELL), "fr")
    assert ("étape pause\u00a0: ouverte", "", "Suspendre les publications programmées et les publicités") in [line[1:] for line in told]
    assert not any(": " in what.replace("\u00a0: ", "") for _, what, _, _ in told)
    written = CELL + "+91 bo/communication draft s text=ours claims=belt evidence=1\n"
    half = timeline(run(f"{written}+95 ann/lead approve s hash={run(written).statement_hash('s')}"), "en")
    assert [what for _, what, _, _ in half if "approved by" in what] == ["statement s: draft, approved by ann"]
