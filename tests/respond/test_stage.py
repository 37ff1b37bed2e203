"""Respond: tasks, statements and messages out of crisis events and the passing of event time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.response import Notification, Task
from streams.engine.stage import InputRecord, Output
from streams.errors import LogGap
from streams.respond.playbook import Playbook, Role, Step
from streams.respond.routes import Route
from streams.respond.settings import RespondSettings
from streams.respond.stage import RespondPartition
from tests.respond.make import card, decided, event, ms, watermark

ROUTES = {
    "log": Route(name="log", format="log"),
    "night": Route(name="night", format="slack", url="http://x", severity=4),
    "pause": Route(name="pause", format="webhook", url="http://x", only_steps=True),
    "pd": Route(name="pd", format="pagerduty", url="http://x", secret="key"),
}


def fresh(**more: Any) -> RespondPartition:
    """Return a stage that has read nothing."""
    stage = RespondPartition(0, RespondSettings(), routes=ROUTES, **more)
    stage.restore({}, None)
    return stage


def read(outputs: list[Output], topic: str, kind: type[Any]) -> list[Any]:
    """Return the values sent to ``topic``."""
    return [msgspec.json.decode(o.value or b"", type=kind) for o in outputs if o.topic == topic]


def story() -> list[InputRecord]:
    """A crisis from its opening to a statement that must be corrected, and its end."""
    return [
        event("suspected", card(1, phase="suspected", opened_at=None)),
        event("opened", card(2)),
        decided(3, "task-done", task="pause", at="2014-05-13T17:05:00Z"),
        decided(4, "task-done", task="pause", at="2014-05-13T17:06:00Z"),
        event("updated", card(5, at="2014-05-13T17:12:00Z")),
        event("noted", card(6, at="2014-05-13T18:40:00Z", to_correct=("s",))),
        event("resolved", card(7, at="2014-05-14T09:00:00Z", phase="resolved")),
    ]


def test_a_crisis_gets_its_plan() -> None:
    """The opening makes the plan's tasks with deadlines; done, repeated and late ones are answered; a correction outlives the crisis."""
    outputs = list(fresh().process([*story(), watermark(ms("2014-05-15T09:00:00Z"), 7)]))
    tasks = read(outputs, "crisis.tasks", Task)
    assert [t.seq for t in tasks] == list(range(1, len(tasks) + 1))
    assert (tasks[0].step, tasks[0].opened_at, tasks[0].due_at) == ("pause", "2014-05-13T17:00:00Z", "2014-05-13T17:10:00Z")
    assert [(t.state, t.command_id) for t in tasks if t.step == "pause"] == [("open", ""), ("done", "c3"), ("refused", "c4")]
    assert [t.state for t in tasks if t.step == "verify"] == ["open", "late", "escalated"]
    assert [t.state for t in tasks if t.step == "correct:s"] == ["open", "late", "escalated"]


def test_a_quiet_brand_is_reminded() -> None:
    """Deadlines pass with the watermark where the brand says nothing, once each, at their own time, and the deputy gets what escalates."""
    plan = Playbook(
        id="p", title="t", steps=(Step(id="pause", title="Pause", role="lead", within_minutes=10, escalate_minutes=20, route="pause"),),
        roles={"lead": Role(title="Lead", people=("Ann",), deputy="second"), "second": Role(title="Second", people=("Bo",))},
    )  # fmt: skip
    log = [event("opened", card(1))]
    log += [watermark(ms(f"2014-05-13T17:{minute:02d}:00Z"), minute) for minute in range(5, 60, 5)]
    outputs = list(fresh(plans=[plan]).process(log))
    tasks = [(t.state, t.people) for t in read(outputs, "crisis.tasks", Task)]
    assert tasks == [("open", ("Ann",)), ("late", ("Ann",)), ("escalated", ("Bo",))]
    notes = read(outputs, "crisis.notifications", Notification)
    assert [(n.route, n.event, n.time[11:16]) for n in notes] == [
        ("pause", "veille.task.opened", "17:00"), ("log", "veille.crisis.opened", "17:00"), ("pd", "veille.crisis.opened", "17:00"),
        ("log", "veille.task.late", "17:10"), ("pd", "veille.task.late", "17:10"),
        ("log", "veille.task.escalated", "17:20"), ("pd", "veille.task.escalated", "17:20"),
    ]  # fmt: skip
    assert [[t.step for t in n.tasks] for n in notes] == [["pause"]] * 7
    assert len({n.id for n in notes}) == 7


def test_messages_follow_the_routes() -> None:
    """Suspicions and notes are not told; what comes too early waits; the end goes to those who heard of the crisis, and only to them."""
    notes = read(list(fresh().process(story())), "crisis.notifications", Notification)
    about = [(n.route, n.event.removeprefix("veille.crisis."), n.time[8:16]) for n in notes if n.event.startswith("veille.crisis")]
    assert [(e, t) for r, e, t in about if r == "log"] == [("opened", "13T17:00"), ("updated", "13T18:00"), ("resolved", "14T09:00")]
    assert [r for r, _, _ in about if r == "night"] == []


def test_what_gets_worse_is_told_at_once() -> None:
    """A rise in severity passes the throttle and reaches the route that asked for it; easing waits; a mute silences all but the end."""
    log = [
        event("opened", card(1)), event("escalated", card(2, at="2014-05-13T17:02:00Z", severity=4)),
        event("eased", card(3, at="2014-05-13T17:04:00Z", severity=4)),
        event("updated", card(4, at="2014-05-13T17:06:00Z", severity=4)), event("eased", card(5, at="2014-05-13T17:08:00Z", severity=4)),
        event("noted", card(6, at="2014-05-13T17:09:00Z", severity=4, muted_until="2014-05-13T23:00:00Z")),
        event("escalated", card(7, at="2014-05-13T17:10:00Z", severity=5, muted_until="2014-05-13T23:00:00Z")),
        event("cancelled", card(8, at="2014-05-13T17:11:00Z", severity=5, muted_until="2014-05-13T23:00:00Z", phase="cancelled")),
    ]  # fmt: skip
    notes = read(list(fresh().process(log)), "crisis.notifications", Notification)
    assert [n.event[14:] for n in notes if n.route == "night"] == ["escalated", "cancelled"]
    assert [n.event[14:] for n in notes if n.route == "log"] == ["opened", "escalated", "cancelled"]


def test_a_crisis_that_is_over_reminds_of_corrections_alone() -> None:
    """Steps that nobody did stay open and silent; what is false outside stays false."""
    at = "2014-05-13T17:06:00Z"
    log = [event("opened", card(1)), event("resolved", card(2, at="2014-05-13T17:05:00Z", phase="resolved")),
           event("noted", card(3, at=at, phase="resolved", to_correct=("s",)))]  # fmt: skip
    tasks = read(list(fresh().process([*log, watermark(ms("2014-05-14T17:00:00Z"), 3)])), "crisis.tasks", Task)
    assert {t.state for t in tasks if not t.step.startswith("correct:")} == {"open"}
    fixes = [(t.state, t.due_at) for t in tasks if t.step == "correct:s"]
    assert fixes == [(state, "2014-05-13T18:06:00Z") for state in ("open", "late", "escalated")]


def test_a_reopened_crisis_is_told_at_once() -> None:
    """It burns again: no route waits for its turn."""
    log = [event("opened", card(1)), event("resolved", card(2, at="2014-05-13T17:10:00Z", phase="resolved")),
           event("reopened", card(3, at="2014-05-13T17:20:00Z"))]  # fmt: skip
    notes = read(list(fresh().process(log)), "crisis.notifications", Notification)
    assert [n.event[14:] for n in notes if n.route == "log"] == ["opened", "resolved", "reopened"]


def test_every_message_has_an_id_of_its_own() -> None:
    """Also one that waited while the same card was told in another way."""
    log = [event("opened", card(1)), event("updated", card(2, at="2014-05-13T17:10:00Z")), decided(3, "ack", at="2014-05-13T17:12:00Z")]
    outputs = fresh().process([*log, watermark(ms("2014-05-13T20:00:00Z"), 3)])
    ids = [n.id for n in read(list(outputs), "crisis.notifications", Notification) if n.route == "pd"]
    assert len(ids) == len(set(ids))
    assert {"acme-3-pd", "acme-3w-pd"} <= set(ids)


def test_a_step_goes_out_for_the_brands_of_its_route() -> None:
    """A scheduling tool of another brand is not told to pause."""
    other = ROUTES | {"pause": msgspec.structs.replace(ROUTES["pause"], brands=("other",))}
    for routes, told in ((ROUTES, ["pause"]), (other, [])):
        stage = RespondPartition(0, RespondSettings(), routes=routes)
        stage.restore({}, None)
        notes = read(list(stage.process([event("opened", card(1))])), "crisis.notifications", Notification)
        assert [n.route for n in notes if n.event == "veille.task.opened"] == told


def test_a_mute_silences_what_waits() -> None:
    """What was held back before the mute is not told during it, and a crisis that ended has nothing left to tell."""
    hush = {"muted_until": "2014-05-13T23:00:00Z"}
    log = [event("opened", card(1)), event("updated", card(2, at="2014-05-13T17:10:00Z"))]
    log.append(event("noted", card(3, at="2014-05-13T17:20:00Z", **hush)))
    for last in (log[2], event("resolved", card(3, at="2014-05-13T17:20:00Z", phase="resolved"))):
        outputs = fresh().process([*log[:2], last, watermark(ms("2014-05-13T20:00:00Z"), 3)])
        notes = [n for n in read(list(outputs), "crisis.notifications", Notification) if n.route == "log"]
        assert "updated" not in [n.event[14:] for n in notes]
    quiet = fresh().process([*log[:2], watermark(ms("2014-05-13T20:00:00Z"), 3)])
    assert "updated" in [n.event[14:] for n in read(list(quiet), "crisis.notifications", Notification)]


def test_an_acknowledgement_stops_the_pager() -> None:
    """Whoever takes it is told to the paging service, and to nobody else."""
    log = [event("opened", card(1)), decided(2, "ack")]
    notes = read(list(fresh().process(log)), "crisis.notifications", Notification)
    assert [n.route for n in notes if n.event == "veille.crisis.noted"] == ["pd"]


def test_gap_stops() -> None:
    """A hole in a brand's events stops the worker."""
    with pytest.raises(LogGap):
        fresh().process([story()[0], story()[3]])


def timed() -> list[InputRecord]:
    """The story with watermark records between its events."""
    mixed: list[InputRecord] = []
    for record in story():
        at = ms(dict(record.headers)["ce_time"].decode())
        mixed += [watermark(at - at % 60_000, len(mixed)), record._replace(offset=len(mixed) + 1)]
    return [*mixed, watermark(ms("2014-05-15T09:00:00Z"), len(mixed))]


def test_watermarks_change_no_record() -> None:
    """A deadline passes with the next event or with a watermark before it: the records are the same."""
    without = [*story(), watermark(ms("2014-05-15T09:00:00Z"), 7)]
    assert list(fresh().process(timed())) == list(fresh().process(without))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["on", "save", "half", "crash"])), min_size=3, max_size=20))
def test_restarts_and_repeats_change_nothing(cuts: list[tuple[int, str]]) -> None:
    """Cut, saved, restored and delivered again anywhere, the same records are sent."""
    records = timed()
    calm = list(fresh().process(records))
    stage, at, saved = fresh(), 0, 0
    states: dict[bytes, bytes] = {}
    cut: bytes | None = None
    outputs: list[Output] = []
    for size, what in [*cuts, (99, "on")]:
        outputs += stage.process(records[at : at + size])
        at = min(at + size, len(records))
        if what in ("save", "half"):
            checkpoint = stage.checkpoint(at)
            states |= {record.key: record.value or b"" for record in checkpoint.states}
            if what == "save":  # else it died after the states, before the cut: they are ahead of it
                cut, saved = checkpoint.cut, checkpoint.commit
        elif what == "crash":
            stage, at = RespondPartition(0, RespondSettings(), routes=ROUTES), saved
            stage.restore(states, cut)
    once = {(o.topic, dict(o.headers)["ce_id"]): o for o in outputs}
    assert once == {(o.topic, dict(o.headers)["ce_id"]): o for o in calm}


def test_garbage_passes() -> None:
    """Records that are not ours change nothing."""
    assert list(fresh().process([InputRecord(0, 0, b"k", b"{", (("ce_type", b"veille.crisis.opened"),))])) == []
