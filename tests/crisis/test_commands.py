"""Commands of people: every one gets a recorded answer."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from schemas.command import COMMANDS, Command, ForwardedCommand
from schemas.desk import NONE, ROLES, TABLE, declared_story, judge, may_hold
from streams.crisis.forward import ForwardPartition
from streams.crisis.gated import Cell
from streams.crisis.settings import CrisisSettings
from streams.crisis.stage import CrisisPartition
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
    bare = events(run(log(command("open", 0, headline="Fire", terms=["fire"]))))[0][1]
    assert bare.headline == bare.headline_fr == "Fire", "no kind is claimed of what nobody has seen"
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


def test_a_declared_crisis_is_told_in_its_brands_hours_from_its_first_card_on() -> None:
    """The watchlist's zone and limit, or the zone that the command brings, stand until the watch speaks of the brand."""
    first = events(run(log(command("open", 0, headline="Fire", timezone="Europe/Paris"))))
    assert [card.timezone for _, card in first] == ["Europe/Paris"]
    known = events(run(log(signal(1, 0, timezone="Asia/Tokyo"), command("open", 1, headline="Fire", timezone="Europe/Paris"))))
    assert known[-1][1].timezone == "Asia/Tokyo"
    own = CrisisPartition(0, CrisisSettings(), Cell(own={"acme": ("Asia/Tokyo", 4)}))
    watched = events(run(log(command("open", 0, headline="Fire", timezone="Europe/Paris")), own))[0][1]
    assert (watched.timezone, watched.page_severity, watched.severity, watched.page) == ("Asia/Tokyo", 4, 3, False)
    for wrong in ("Mars/Base", "../../etc/passwd", "a\0b", "x" * 5000):
        event, card = events(run(log(command("open", 0, headline="Fire", timezone=wrong))))[0]
        assert (event, card.note) == ("refused", "unknown time zone; an example is Europe/Paris")


def test_each_is_answered() -> None:
    """Known, unknown, late, repeated and contradictory commands all leave an event; only a second delivery leaves none."""
    lead = {"crisis_id": C1, "role": "lead"}
    records = log(
        *burning(), command("ack", 0, crisis_id=C1), command("ack", 1, crisis_id=C1), command("dance", 2, crisis_id=C1),
        command("close", 3, crisis_id="nobody"), command("set-kind", 4, crisis_id=C1, kind="rumour"),
        command("set-kind", 5, crisis_id=C1, kind="x"), command("mute", 6, crisis_id=C1, minutes=30), command("hold", 7, **lead),
        command("close", 8, crisis_id=C1, role="watch"), command("close", 9, **lead), command("close", 10, **lead),
        command("reopen", 11, **lead), command("reopen", 11, **lead), command("vote", 12, label="no"), command("cancel", 13, **lead),
        command("mute", 14, crisis_id=C1, minutes="soon"), command("delete-own-post", 15, crisis_id=C1),
        command("note", 16, crisis_id=C1, text=["a", "b"]), command("close", 17, crisis_id=C1),
    )  # fmt: skip
    found = events(run(records))
    assert [name for name, _ in found[2:]] == [
        "noted", "refused", "refused", "refused", "updated", "refused", "noted", "noted", "refused", "resolved", "refused", "reopened",
        "noted", "cancelled", "refused", "refused", "refused", "refused",
    ]  # fmt: skip
    assert [card.decision.id for _, card in found[2:] if card.decision] == [f"c{n}" for n in range(18)]
    cards = [card for _, card in found]
    assert cards[3].note == "acknowledged already"
    assert cards[6].kind == cards[15].kind == "rumour"
    assert "measure the impact" in cards[-3].note
    assert cards[-2].note == "text must be a text"
    assert cards[-1].note == "role (none named) may not close; on_call, lead or direction may"


def test_an_id_that_comes_again_is_answered_but_not_obeyed() -> None:
    """A command published twice under one id counts once; the second is refused, on record."""
    again = command("note", 1, crisis_id=C1, text="x")
    first = again._replace(value=again.value and again.value.replace(b'"offset":1', b'"offset":0'))
    found = events(run(log(*burning(), first, again)))
    assert [name for name, _ in found[2:]] == ["noted", "refused"]
    assert "answered already" in found[-1][1].note


def test_who_speaks_must_hold_the_role() -> None:
    """Where the plan names people for a role, nobody else speaks in it; a role without names is open."""
    people = {"lead": frozenset({"ada"})}
    stage = CrisisPartition(0, CrisisSettings(), Cell(people))
    stage.restore({}, None)
    found = events(run(log(*burning(), command("close", 0, crisis_id=C1, role="lead"), command("close", 1, crisis_id=C1, role="direction")),
                       stage))  # fmt: skip
    assert [name for name, _ in found[2:]] == ["refused", "resolved"]
    assert found[2][1].note == "the plan names others for the role lead"
    assert may_hold("lead", " Ada ", people) == ""
    assert may_hold("", " ", {}) == "nobody is named who decides this"


def test_a_snooze_ends_when_it_gets_worse() -> None:
    """A mute holds through an escalation, a snooze does not."""
    worse = signal(2, 20, over=True, forecast_authors_24h={"median": 900.0, "low": 500.0, "high": 1500.0})
    for name, page in (("mute", False), ("snooze", True)):
        found = events(run(log(*burning(), command(name, 0, crisis_id=C1, minutes=600), worse)))
        assert [event for event, _ in found[1:]] == ["opened", "noted", "escalated"]
        assert [card.page for _, card in found[1:]] == [True, False, page]
        assert found[2][1].snoozed == (name == "snooze")


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
        *burning(),
        command("cancel", 0, crisis_id=C1, role="lead"),
        signal(2, 10, over=True, margin=20.0),
        signal(3, 15, over=True, margin=20.0),
    )
    assert names(run(records)) == ["suspected", "opened", "cancelled"]


def test_merge_and_split() -> None:
    """Two crises become one and take further readings together; a split parts them again."""
    other = (story("s2", terms=("strike",), mentions=9, authors=9),)
    records = [*burning(), signal(2, 10, over=True, margin=20.0, stories=other)]
    ids = list(dict.fromkeys(card.crisis_id for _, card in events(run(log(*records)))))
    assert len(ids) == 2
    merged = [*records, command("merge", 0, crisis_id=ids[1], into=ids[0], role="lead")]
    found = events(run(log(*merged)))
    assert [name for name, _ in found[-2:]] == ["merged", "merged"]
    assert (found[-2][1].phase, found[-2][1].merged_into) == ("merged", ids[0])
    assert {s.story_id for s in found[-1][1].stories} == {"s1", "s2"}
    again = events(
        run(log(*merged, signal(3, 60, over=True, stories=other), command("split", 1, crisis_id=ids[0], stories=["s2"], role="lead")))
    )
    assert [name for name, _ in again[-2:]] == ["split", "split"]
    assert [s.story_id for s in again[-1][1].stories] == ["s2"]
    assert again[-1][1].crisis_id not in ids


GOOD = {"text": "x", "list": ["x"], "whole": 1, "flag": True}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_is_the_law(name: str) -> None:
    """For every role and phase the table says an event or a reason, never both; what is lacking or malformed is named."""
    rule = TABLE[name]
    args: dict[str, object] = {arg.name: arg.choices[0] if arg.choices else GOOD[arg.form] for arg in rule.args if arg.needed}
    for role, phase in itertools.product(
        (*ROLES, "cook"), (NONE, "unknown", "suspected", "open", "escalated", "eased", "resolved", "cancelled", "merged")
    ):
        event, why = judge(name, role, phase, args)
        assert bool(event) != bool(why)
        assert bool(event) == (role in rule.roles and phase in rule.phases and not rule.why)
    role, phase = rule.roles[-1], rule.phases[-1]
    for arg in rule.args:
        less = {key: value for key, value in args.items() if key != arg.name}
        _, why = judge(name, role, phase, less)
        assert not arg.needed or arg.name in why
        _, why = judge(name, role, phase, {**args, arg.name: {"no": "form"}})
        assert rule.why or arg.name in why


def test_one_argument_may_stand_for_another() -> None:
    """A statement is drafted from a text or from a holding statement of the plan, not from nothing."""
    assert judge("draft", "", "open", {"statement": "s", "holding": "aware"}) == ("noted", "")
    assert judge("draft", "", "open", {"statement": "s"}) == ("", "draft needs text or holding")


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


def test_what_another_crisis_took_over_stays_there() -> None:
    """A cancelled crisis that a person reopens after its story lit another one leaves the story to that one."""
    records = log(
        *burning(), command("cancel", 0, crisis_id=C1, role="lead"), signal(2, 1600, over=True, margin=20.0),
        command("reopen", 1, crisis_id=C1, role="lead"), signal(3, 1640, over=True, margin=20.0, stories=(story(mentions=80),)),
    )  # fmt: skip
    found = events(run(records))
    assert [name for name, _ in found] == ["suspected", "opened", "cancelled", "suspected", "opened", "reopened", "updated"]
    assert found[-1][1].crisis_id != C1
    assert found[-1][1].mentions == 80


def test_a_declared_crisis_keeps_the_hours_of_its_brand() -> None:
    """Declared before the watch had a word of the brand, it is told in the brand's own time and limits with its first mention."""
    mine = declared_story("acme", "c0")
    brand: dict[str, Any] = {"timezone": "Europe/Paris", "page_severity": 4}
    first = signal(1, 1, kind="declared", stories=(story(mine, by="terms", mentions=1, authors=1),), **brand)
    declared, told = (card for _, card in events(run(log(command("open", 0, headline="Fire", terms=["fire"]), first))))
    assert (declared.timezone, declared.page_severity, declared.page) == ("UTC", 3, True)
    assert (told.timezone, told.page_severity, told.page) == ("Europe/Paris", 4, False)


def test_what_was_declared_collects_its_mentions() -> None:
    """Mentions of a declared crisis join it from the first one on, are told at once, and count once with the watch's own story."""
    mine = declared_story("acme", "c0")
    first = story(mine, by="terms", mentions=1, authors=1, forecast=None)
    found = events(run(log(
        command("open", 0, headline="Fire in the plant", terms=["fire"]),
        signal(1, 52, kind="declared", stories=(first,)),
        signal(2, 80, over=True, margin=20.0, stories=(story("s9", terms=("fire", "smoke")),)),
        signal(3, 81, kind="declared", stories=(story(mine, by="terms", mentions=12, authors=9),)),
        signal(4, 300, kind="declared", stories=(story("d-other", mentions=12, authors=9),)),
    )))  # fmt: skip
    assert [name for name, _ in found] == ["opened", "updated", "updated"]
    assert [card.mentions for _, card in found] == [0, 1, 40]
    assert {card.crisis_id for _, card in found} == {found[0][1].crisis_id}
    assert found[-1][1].certainty == "Observed"


def test_three_questions_a_week() -> None:
    """Near misses are put to the desk, at most three in any week; a vote on one is a label, and no crisis comes of it."""
    days = (0, 1, 2, 3, 6, 7.5, 8)
    near = [signal(n + 1, day * 1440, kind="near_miss") for n, day in enumerate(days)]
    outputs = run(log(*near, command("vote", 0, label="yes", question="acme-question-1"), command("vote", 1, label="perhaps")))
    found = events(outputs)
    assert [name for name, _ in found] == ["asked"] * 5 + ["noted", "refused"]
    assert [card.updated_at[8:10] for _, card in found[:5]] == ["13", "14", "15", "21", "21"]
    assert found[0][1].headline_fr.startswith("Était-ce une crise ?")
    assert not [output for output in outputs if output.topic == "crisis.state"]
