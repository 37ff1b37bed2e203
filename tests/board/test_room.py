"""What the crisis room knows after which records."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.command import Command
from schemas.crisis import Crisis
from schemas.response import Task
from streams.board.room import MAX_CRISES, MAX_STEPS, Room
from streams.clock import rfc3339
from tests.respond.make import card, ms

DAY = 86_400_000
BEGIN = ms("2014-05-13T16:00:00Z")


def at(minute: float) -> str:
    """Return a time of that afternoon."""
    return rfc3339(BEGIN + round(minute * 60_000))


def task(name: str = "t1", state: str = "open", **more: Any) -> Task:
    """Return one task of the crisis of `card`."""
    base: dict[str, Any] = {"crisis_id": card().crisis_id, "brand": "acme", "step": "pause", "title": "Pause", "due_at": at(90)}
    return Task(task_id=name, state=state, **{**base, **more})


def shown(room: Room) -> tuple[Any, ...]:
    """Return all that a reader can see, but for the numbers of revisions."""
    return (
        [(known.card, known.steps, known.tasks) for known in (*room.open(), *room.over())],
        [(one.event, one.card) for one in room.news], room.watched_ms,
    )  # fmt: skip


def test_a_crisis_is_known_by_its_latest_card_its_course_and_its_tasks() -> None:
    """Updates are steps and no news; what a person decided is a step with who."""
    room = Room(7)
    room.take_event("opened", card(1, at(0), mentions=5))
    room.take_event("updated", card(2, at(1), mentions=9))
    ack = Command(id="c", command="ack", brand="acme", by="ann", at_ms=0, crisis_id=card().crisis_id)
    room.take_event("noted", card(3, at(2), mentions=9, acknowledged_by="ann", decision=ack))
    room.take_task(task())
    room.take_task(task(state="done", done_by="ann"))
    room.take_task(task("t2", "refused"))
    (known,) = room.open()
    assert known.card.acknowledged_by == "ann"
    assert [(step.event, step.mentions, step.by) for step in known.steps] == [("opened", 5, ""), ("updated", 9, ""), ("noted", 9, "ann")]
    assert [one.state for one in known.tasks.values()] == ["done"]
    assert [one.event for one in room.news] == ["opened", "noted"]


def test_what_comes_again_changes_nothing() -> None:
    """Second deliveries, older cards and tasks that are known leave the revision as it is."""
    room = Room(7)
    records = [card(1, at(0)), card(2, at(1), mentions=50)]
    for one in records:
        room.take_event("updated", one)
    room.take_task(task())
    room.take_time(0, BEGIN)
    before = room.revision
    for one in records:
        room.take_event("updated", one)
        room.take_card(one)
    room.take_task(task())
    room.take_time(0, BEGIN - 60_000)
    assert room.revision == before
    assert next(iter(room.open())).card.mentions == 50


@given(st.randoms(use_true_random=False))
def test_the_order_between_topics_does_not_matter(r: random.Random) -> None:
    """However the three topics come beside one another, and whatever comes twice, the same is shown."""
    cards = [card(n, at(n), mentions=10 * n, phase="open" if n < 5 else "resolved") for n in range(1, 7)]
    other = card(7, at(9), crisis_id="acme-2", severity=5)
    events: list[tuple[str, Any]] = [("event", one) for one in [*cards, other]]
    states: list[tuple[str, Any]] = [("card", one) for one in [*cards, other] if r.random() < 0.7]
    tasks: list[tuple[str, Any]] = [("task", task(state=state)) for state in ("open", "late", "done")]
    tasks.append(("task", task("t9", crisis_id="acme-2")))
    plain, mixed = Room(7), Room(7)
    for kind, one in [*events, *states, *tasks]:
        give(plain, kind, one)
    lanes = [list(lane) for lane in (events, states, tasks)]
    while any(lanes):
        lane = r.choice([lane for lane in lanes if lane])
        kind, one = lane.pop(0)
        for _ in range(r.choice((1, 1, 2)) if kind != "task" else 1):
            give(mixed, kind, one)
    assert shown(mixed) == shown(plain)
    assert [known.card.crisis_id for known in mixed.open()] == ["acme-2"]


def give(room: Room, kind: str, one: Any) -> None:
    """Give the room a record of one of the topics."""
    if kind == "event":
        room.take_event("updated" if one.phase == "open" else "resolved", one)
    elif kind == "card":
        room.take_card(one)
    else:
        room.take_task(one)


def test_the_gravest_stands_first_and_what_eased_below() -> None:
    """By severity, then the latest; candidates that never opened are not shown."""
    room = Room(7)
    said = [("mild", 2, "open"), ("old", 4, "escalated"), ("new", 4, "open"), ("calm", 5, "eased"), ("maybe", 5, "suspected")]
    for seq, (name, severity, phase) in enumerate([*said, ("gone", 5, "resolved")], 1):
        room.take_event("updated", card(seq, at(seq), crisis_id=name, severity=severity, phase=phase, opened_at=at(seq)))
    assert [known.card.crisis_id for known in room.open()] == ["new", "old", "mild", "calm"]
    assert [known.card.crisis_id for known in room.over()] == ["gone"]


def test_what_is_over_goes_after_its_days_of_event_time() -> None:
    """What is at hand stays however old it is; a wall clock has no say."""
    room = Room(2)
    room.take_card(card(1, at(0), crisis_id="long"))
    room.take_card(card(2, at(0), crisis_id="old", phase="resolved"))
    room.take_card(card(3, at(60), crisis_id="late", phase="cancelled"))
    room.tidy()
    assert len(room.over()) == 2
    room.take_time(0, BEGIN + 2 * DAY + 60_000)
    room.tidy()
    assert [known.card.crisis_id for known in (*room.open(), *room.over())] == ["long", "late"]


def test_memory_is_bounded() -> None:
    """Far more crises, steps and tasks of nobody's crisis than are kept leave what is newest and how it began."""
    room = Room(365)
    for n in range(MAX_CRISES + 50):
        room.take_card(card(n + 1, at(n), crisis_id=f"c{n}", phase="resolved"))
        room.take_task(task(f"t{n}", crisis_id="of nobody's"))
    room.tidy()
    assert [known.card.crisis_id for known in room.over()][-1] == "c50"
    assert len(room.over()) == MAX_CRISES
    room = Room(7)
    for n, kind in zip(range(1, 1000), itertools.chain(["opened"], itertools.repeat("updated")), strict=False):
        room.take_event(kind, card(n, at(n), mentions=n))
    (known,) = room.open()
    assert len(known.steps) == MAX_STEPS
    assert (known.steps[0].event, known.steps[-1].mentions) == ("opened", 999)


@pytest.mark.parametrize("wrong", [{"onset": "yesterday"}, {"opened_at": "2014-13-40T00:00:00Z"}, {"at": "9999-12-31T23:59:59Z"}])
def test_a_date_that_is_none_is_refused_before_anything_changed(wrong: dict[str, str]) -> None:
    """Neither topic's record is taken, and the next one of the brand is."""
    room = Room(7)
    bad: Crisis = card(1, **wrong)
    with pytest.raises(ValueError, match=r"Invalid|month|date"):
        room.take_event("opened", bad)
    with pytest.raises(ValueError, match=r"Invalid|month|date"):
        room.take_card(bad)
    assert (room.revision, room.open()) == (0, [])
    room.take_time(0, 2**62)
    assert room.watched_ms == 0
    room.take_event("opened", card(1))
    assert len(room.open()) == 1
