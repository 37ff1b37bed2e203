"""Commands of people: every one gets a recorded answer."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from schemas.command import COMMANDS, Command, ForwardedCommand
from streams.crisis.forward import ForwardPartition
from streams.crisis.stage import CrisisPartition
from streams.crisis.table import NONE, ROLES, TABLE, judge, markdown
from streams.engine.stage import InputRecord
from tests.crisis.make import command, events, fresh, log, names, run, signal, story

C1 = "acme-20140513T155320-1"


def burning() -> list[InputRecord]:
    """An open crisis."""
    return [signal(1, 0, over=True, margin=20.0)]


def test_declared_before_the_first_mention() -> None:
    """A crisis declared at 06:10 takes in the first mention of its terms at 07:02."""
    outputs = run(log(
        command("open", 0, headline="Fire in the plant", terms=["Fire", "plant"], kind="corporate"),
        signal(1, 52, over=True, margin=20.0, stories=(story("s9", terms=("fire", "smoke")),)),
    ))  # fmt: skip
    found = events(outputs)
    assert found[0][0] == "opened"
    assert found[0][1].certainty == "Observed"
    assert found[0][1].severity == 3
    later = run(log(
        command("open", 0, headline="Fire in the plant", terms=["Fire", "plant"], kind="corporate"),
        signal(1, 52, over=True, margin=20.0, stories=(story("s9", terms=("fire", "smoke")),)),
        command("note", 1, crisis_id=found[0][1].crisis_id, text="x"),
    ))  # fmt: skip
    last = events(later)[-1][1]
    assert [s.story_id for s in last.stories] == ["s9"]
    assert last.headline.startswith("Fire in the plant | ")
    assert last.kind == "corporate"


def test_each_is_answered() -> None:
    """Known, unknown, repeated and contradictory commands all leave an event; a repeated id leaves none."""
    records = log(
        *burning(), command("ack", 0, crisis_id=C1), command("ack", 1, crisis_id=C1), command("dance", 2, crisis_id=C1),
        command("close", 3, crisis_id="nobody"), command("set-kind", 4, crisis_id=C1, kind="rumour"),
        command("set-kind", 5, crisis_id=C1, kind="x"),
        command("mute", 6, crisis_id=C1, minutes=30), command("hold", 7, crisis_id=C1), command("close", 8, crisis_id=C1, role="watch"),
        command("close", 9, crisis_id=C1, role="lead"), command("close", 10, crisis_id=C1), command("reopen", 11, crisis_id=C1),
        command("reopen", 11, crisis_id=C1), command("vote", 12, label="no"), command("cancel", 13, crisis_id=C1),
    )  # fmt: skip
    assert names(run(records))[2:] == [
        "noted", "refused", "refused", "refused", "updated", "refused", "noted", "noted", "refused", "resolved", "refused", "reopened",
        "noted", "cancelled",
    ]  # fmt: skip
    cards = [card for _, card in events(run(records))]
    assert cards[3].note == "acknowledged already"
    assert cards[6].kind == "rumour"
    assert cards[-1].kind == "rumour"


def test_mute_ends_by_itself() -> None:
    """While muted nobody is paged; it ends in event time."""
    found = events(run(log(*burning(), command("mute", 0, crisis_id=C1, minutes=30), signal(2, 31))))
    assert [card.page for _, card in found][1:3] == [True, False]
    assert found[3][0] == "noted"
    assert found[3][1].muted_until is None
    assert found[3][1].page


def test_a_person_s_cancel_stands() -> None:
    """What a person cancelled does not come back by the same story."""
    records = log(
        *burning(), command("cancel", 0, crisis_id=C1), signal(2, 10, over=True, margin=20.0), signal(3, 15, over=True, margin=20.0)
    )
    assert names(run(records)) == ["suspected", "opened", "cancelled"]


def test_merge_and_split() -> None:
    """Two crises become one and take further readings together; a split parts them again."""
    other = (story("s2", terms=("strike",), mentions=9, authors=9),)
    records = [*burning(), signal(2, 10, over=True, margin=20.0, stories=other)]
    ids = list(dict.fromkeys(card.crisis_id for _, card in events(run(log(*records)))))
    assert len(ids) == 2
    merged = [*records, command("merge", 0, crisis_id=ids[1], into=ids[0])]
    found = events(run(log(*merged)))
    assert [name for name, _ in found[-2:]] == ["merged", "merged"]
    assert (found[-2][1].phase, found[-2][1].merged_into) == ("merged", ids[0])
    assert {s.story_id for s in found[-1][1].stories} == {"s1", "s2"}
    again = events(run(log(*merged, signal(3, 60, over=True, stories=other), command("split", 1, crisis_id=ids[0], stories=["s2"]))))
    assert [name for name, _ in again[-2:]] == ["split", "split"]
    assert [s.story_id for s in again[-1][1].stories] == ["s2"]
    assert again[-1][1].crisis_id not in ids


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_is_the_law(name: str) -> None:
    """For every role and phase the table says an event or a reason, and never both."""
    for role, phase in itertools.product(
        (*ROLES, "cook"), (NONE, "unknown", "suspected", "open", "escalated", "eased", "resolved", "cancelled", "merged")
    ):
        args = dict.fromkeys(TABLE[name].needs, "x")
        event, why = judge(name, role, phase, args)
        assert bool(event) != bool(why)
        assert bool(event) == (role in TABLE[name].roles and phase in TABLE[name].phases)
    assert f"`{name}`" in markdown()


def test_forwarding() -> None:
    """Commands are forwarded under their brand with where they stood; garbage becomes a command that is refused."""
    stage = ForwardPartition(3)
    stage.restore({}, None)
    good = Command(id="k", command="note", brand="acme", by="a", at_ms=5)
    records = log(
        InputRecord(0, 0, b"acme", msgspec.json.encode(good), (("traceparent", b"t"),)), InputRecord(0, 0, b"acme", b"{"),
        InputRecord(0, 0, b"\xff", None), InputRecord(0, 0, None, msgspec.json.encode(msgspec.structs.replace(good, brand="a b"))),
    )  # fmt: skip
    outputs = list(stage.process(records))
    places = [msgspec.json.decode(o.value or b"", type=ForwardedCommand) for o in outputs]
    assert [(p.partition, p.offset) for p in places] == [(3, 0), (3, 1), (3, 2), (3, 3)]
    assert [o.key for o in outputs] == [b"acme", b"acme", b"unknown", b"unknown"]
    assert ("traceparent", b"t") in outputs[0].headers
    again = ForwardPartition(3)
    again.restore({}, stage.checkpoint(4).cut)
    assert list(again.process(records)) == []
    crisis: CrisisPartition = fresh()
    assert names(list(crisis.process(log(*(InputRecord(0, 0, o.key, o.value, o.headers) for o in outputs))))) == ["refused"] * 4
