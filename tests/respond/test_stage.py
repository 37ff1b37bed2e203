"""Respond: tasks, statements and messages out of crisis events."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.response import Statement, Task
from streams.engine.stage import InputRecord, Output
from streams.errors import LogGap
from streams.respond.gate import text_hash
from streams.respond.routes import Route
from streams.respond.settings import RespondSettings
from streams.respond.stage import RespondPartition
from tests.respond.make import card, decided, event

ROUTES = {"log": Route(name="log", format="log"), "night": Route(name="night", format="slack", url="http://x", severity=4)}


def fresh() -> RespondPartition:
    """Return a stage that has read nothing."""
    stage = RespondPartition(0, RespondSettings(), routes=ROUTES)
    stage.restore({}, None)
    return stage


def read(outputs: list[Output], topic: str, kind: type[Any]) -> list[Any]:
    """Return the values sent to ``topic``."""
    return [msgspec.json.decode(o.value or b"", type=kind) for o in outputs if o.topic == topic]


def story() -> list[InputRecord]:
    """A crisis from its opening through a release to a refuted claim."""
    return [
        event("suspected", card(1, phase="suspected", opened_at=None)),
        event("opened", card(2)),
        decided(3, "claim-add", claim="k", text="it broke"),
        decided(4, "claim-verify", claim="k", evidence=["e"]),
        decided(5, "draft", statement="s", text="We pay.", claims=["k"], evidence=["e"]),
        decided(6, "approve", by="b", statement="s", hash=text_hash("We pay.")),
        decided(7, "approve", by="c", statement="s", hash=text_hash("We pay.")),
        decided(8, "release", statement="s"),
        decided(9, "task-done", task="pause", at="2014-05-13T17:05:00Z"),
        decided(10, "task-done", task="pause", at="2014-05-13T17:06:00Z"),
        event("updated", card(11, at="2014-05-13T17:12:00Z")),
        decided(12, "claim-refute", claim="k", at="2014-05-13T18:40:00Z"),
        event("resolved", card(13, at="2014-05-14T09:00:00Z", phase="resolved")),
    ]


def test_a_crisis_gets_its_plan() -> None:
    """The opening makes the plan's tasks with deadlines; done, repeated and late ones are answered."""
    outputs = list(fresh().process(story()))
    tasks = read(outputs, "crisis.tasks", Task)
    assert [t.seq for t in tasks] == list(range(1, len(tasks) + 1))
    assert tasks[0].step == "pause"
    assert tasks[0].due_at == "2014-05-13T17:10:00Z"
    pause = [t.state for t in tasks if t.step == "pause"]
    assert pause == ["open", "done", "refused"]
    assert [t.state for t in tasks if t.step == "verify"] == ["open", "escalated"]
    assert next(t.step for t in tasks if t.step.startswith("correct:")) == "correct:s"


def test_statements_pass_the_gate() -> None:
    """A statement is recorded at each step, and a refuted claim asks for its correction."""
    statements = read(list(fresh().process(story())), "crisis.statements", Statement)
    assert [s.state for s in statements] == ["draft", "draft", "approved", "released", "needs_correction"]


def test_messages_follow_the_routes() -> None:
    """Suspicions and notes are not told, updates are throttled, and a route with a higher severity gets the end alone."""
    notes = [dict(o.headers) for o in fresh().process(story()) if o.topic == "crisis.notifications"]
    assert [n["ce_id"] for n in notes] == [b"acme-2-log", b"acme-13-log", b"acme-13-night"]


def test_gap_stops() -> None:
    """A hole in a brand's events stops the worker."""
    with pytest.raises(LogGap):
        fresh().process([story()[0], story()[3]])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["on", "save", "crash"])), min_size=3, max_size=12))
def test_restarts_and_repeats_change_nothing(cuts: list[tuple[int, str]]) -> None:
    """Cut, saved, restored and delivered again anywhere, the same records are sent."""
    records = story()
    calm = list(fresh().process(records))
    stage, at, saved = fresh(), 0, 0
    states: dict[bytes, bytes] = {}
    cut: bytes | None = None
    outputs: list[Output] = []
    for size, what in [*cuts, (99, "on")]:
        outputs += stage.process(records[at : at + size])
        at = min(at + size, len(records))
        if what == "save":
            checkpoint = stage.checkpoint(at)
            states |= {record.key: record.value or b"" for record in checkpoint.states}
            cut, saved = checkpoint.cut, checkpoint.commit
        elif what == "crash":
            stage, at = RespondPartition(0, RespondSettings(), routes=ROUTES), saved
            stage.restore(states, cut)
    once = {(o.topic, dict(o.headers)["ce_id"]): o for o in outputs}
    assert once == {(o.topic, dict(o.headers)["ce_id"]): o for o in calm}


def test_garbage_passes() -> None:
    """Records that are not ours change nothing."""
    assert list(fresh().process([InputRecord(0, 0, b"k", b"{", (("ce_type", b"veille.crisis.opened"),))])) == []
