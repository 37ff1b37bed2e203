"""Random commands by anybody at any time: each is answered, the table is obeyed, and the card follows from the events alone."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.command import COMMANDS, ForwardedCommand
from schemas.crisis import Crisis
from schemas.desk import ACTIVE, CLOSED, NONE, PHASES, ROLES, TABLE, UNKNOWN, judge, may_hold
from streams.captures import kept
from streams.crisis.gated import Cell
from streams.crisis.settings import CrisisSettings
from streams.crisis.stage import CrisisPartition
from streams.engine.stage import InputRecord
from tests.crisis.make import command, events, log, signal, story

PEOPLE = {"lead": frozenset({"desk-1", "ada"}), "legal": frozenset({"nobody here"})}
IDS = ("", *(f"acme-20140513T155320-{n}" for n in range(1, 4)), *(f"acme-20140513T165320-{n}" for n in range(1, 4)), "nobody", "\u202e")
WORDS = st.sampled_from(["", "x", "s1", "s2", *IDS[1:3], "yes", "rumour", "snowball", "press", "a\x00b\u202ec", "é" * 70_000])
VALUES = st.one_of(
    WORDS, st.lists(WORDS, max_size=3), st.integers(-5, 20_000), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)
)
GOOD = {"text": "x", "list": ["s1"], "whole": 60, "flag": True}


@st.composite
def commands(draw: st.DrawFn, offset: int) -> InputRecord:
    """One command: mostly with what the table asks for, sometimes with anything."""
    name = draw(st.sampled_from([*COMMANDS, "dance", ""]))
    rule = TABLE.get(name)
    args: dict[str, Any] = {}
    for arg in rule.args if rule is not None else ():
        what = draw(st.sampled_from(["good", "good", "good", "any", "none"]))
        if what == "good":
            args[arg.name] = draw(st.sampled_from(arg.choices)) if arg.choices else GOOD[arg.form]
        elif what == "any":
            args[arg.name] = draw(VALUES)
    if name == "merge" and draw(st.booleans()):
        args["into"] = draw(st.sampled_from(IDS[1:]))
    if draw(st.integers(0, 9)) == 0:
        args["surprise"] = draw(VALUES)
    role = draw(st.sampled_from([*ROLES, "lead", "on_call", "cook"]))
    return command(name, offset, crisis_id=draw(st.sampled_from(IDS)), role=role, **args)


@st.composite
def logs(draw: st.DrawFn) -> list[InputRecord]:
    """Readings that open, grow and calm down, with commands among them."""
    records: list[InputRecord] = []
    seq, minute = 0, 0.0
    stories = [story("s1"), story("s2", terms=("strike",)), story("s3", terms=("strike", "x"), mentions=900, authors=700)]
    for n in range(draw(st.integers(3, 30))):
        if draw(st.integers(0, 2)) == 0:
            minute += draw(st.sampled_from([1, 5, 30, 400, 1500]))
            seq += 1
            kind = draw(st.sampled_from(["reading", "reading", "reading", "declared", "near_miss", "blind"]))
            chosen = tuple(draw(st.lists(st.sampled_from(stories), max_size=2, unique_by=lambda s: s.story_id)))
            records.append(signal(seq, minute, kind=kind, over=kind == "reading" and draw(st.booleans()), margin=20.0, stories=chosen,
                                  eased=draw(st.booleans()), quiet=draw(st.integers(0, 3)) == 0))  # fmt: skip
        else:
            records.append(draw(commands(n)))
    return log(*records)


@settings(max_examples=300, deadline=None)
@given(logs())
def test_each_command_is_answered_as_the_table_says(records: list[InputRecord]) -> None:
    """Every command leaves an answer that names it; what the table refuses is refused, and a refusal changes no card."""
    stage = CrisisPartition(0, CrisisSettings(), Cell(PEOPLE))
    stage.restore({}, None)
    cards: dict[str, Crisis] = {}
    phases: dict[str, str] = {}
    state: dict[bytes, bytes] = {}
    for record in records:
        outputs = list(stage.process([record]))
        found = events(outputs)
        if dict(record.headers)["ce_type"] == b"veille.command.forwarded":
            given_ = msgspec.json.decode(record.value or b"", type=ForwardedCommand).command
            answers = [(name, card) for name, card in found if card.decision is not None and card.decision.id == given_.id]
            assert answers, given_.command
            phase = phases.get(given_.crisis_id, UNKNOWN) if given_.crisis_id else NONE
            event, why = judge(given_.command, given_.role, phase, given_.args)
            why = why or may_hold(given_.role, given_.by, PEOPLE)
            names = [name for name, _ in answers]
            if why:
                assert names == ["refused"]
                assert answers[0][1].note == why
            else:
                assert set(names) <= {event, "refused"}
            if names == ["refused"]:
                assert not [output for output in outputs if output.topic == "crisis.state"]
        for name, card in found:
            assert card.phase in PHASES
            if name not in ("refused", "asked") and card.phase != NONE:
                cards[card.crisis_id] = card
                phases[card.crisis_id] = card.phase
        state |= {output.key or b"": output.value or b"" for output in outputs if output.topic == "crisis.state"}
    # The card of each crisis is its last event that was no refusal: nothing but crisis.events is needed to have it;
    # of an upload the hash is kept.
    assert state == {name.encode(): msgspec.json.encode(kept(card)) for name, card in cards.items()}
    for card in cards.values():
        assert (card.phase in CLOSED) == (card.urgency == "Past")
        assert not (card.page and card.phase not in ACTIVE)
