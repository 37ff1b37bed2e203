"""The crisis stage: what holds of any log, however it is cut, repeated and restarted from."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.desk import ACTIVE
from streams.crisis.settings import CrisisSettings
from streams.crisis.stage import CrisisPartition
from streams.engine.stage import InputRecord, Output
from tests.crisis.make import command, events, fresh, log, run, signal, story, watermark


@st.composite
def logs(draw: st.DrawFn) -> list[InputRecord]:
    """A log of two brands: readings, commands, watermarks, second deliveries."""
    records: list[InputRecord] = []
    seq = {"acme": 0, "other": 0}
    minute = 0.0
    stories = [story("s1"), story("s2", terms=("strike",)), story("s3", terms=("strike", "x"), mentions=900, authors=700)]
    for n in range(draw(st.integers(5, 40))):
        minute += draw(st.sampled_from([0, 1, 5, 5, 30, 400, 1500]))
        brand = draw(st.sampled_from(["acme", "acme", "other"]))
        what = draw(st.sampled_from(["over", "over", "over", "calm", "mark", "again", "command", "blind"]))
        if what in ("over", "calm", "blind"):
            seq[brand] += 1
            kind = {"kind": draw(st.sampled_from(["blind", "sighted"]))} if what == "blind" else {}
            blind = {"feed": 1} if kind.get("kind") == "blind" else {}
            chosen = tuple(draw(st.lists(st.sampled_from(stories), max_size=2, unique_by=lambda s: s.story_id)))
            records.append(
                signal(seq[brand], minute, brand, over=what == "over", margin=draw(st.sampled_from([1.0, 20.0])), stories=chosen,
                       eased=draw(st.booleans()), quiet=draw(st.booleans()), blind=blind, **kind)
            )  # fmt: skip
        elif what == "mark":
            records.append(watermark(minute))
        elif what == "again" and records:
            records.append(draw(st.sampled_from(records)))
        elif what == "command":
            name = draw(st.sampled_from(["open", "ack", "mute", "cancel", "close", "reopen", "set-kind", "hold", "merge", "split", "vote",
                                         "claim-add", "claim-refute", "draft", "published", "delete-own-post"]))  # fmt: skip
            target = draw(st.sampled_from(["", "acme-20140513T155320-1", "acme-20140513T155320-2", "nobody"]))
            into = "acme-20140513T155320-2"
            args: dict[str, Any] = {"headline": "fire", "minutes": 60, "kind": "rumour", "into": into, "stories": ["s1"], "label": "yes",
                    "claim": "k", "text": "it broke", "statement": "s"}  # fmt: skip
            role = draw(st.sampled_from(["", "watch", "lead", "lead", "legal"]))
            records.append(command(name, n, brand, target, role, **args))
    return log(*records, watermark(minute + 10_000))


@settings(max_examples=150, deadline=None)
@given(logs())
def test_invariants(records: list[InputRecord]) -> None:
    """Sequences are dense per brand, ids unique, and no story belongs to two live crises."""
    stage = fresh()
    seqs: dict[str, int] = {}
    for record in records:
        for _, card in events(list(stage.process([record]))):
            assert card.seq == seqs.get(card.brand, 0) + 1
            seqs[card.brand] = card.seq
        for state in stage._brands.values():
            mine = [x for life in state.lives if life.card.phase in ACTIVE for x in life.story_ids]
            assert len(mine) == len(set(mine))


@settings(max_examples=150, deadline=None)
@given(logs(), st.data())
def test_cuts_and_restarts_change_nothing(records: list[InputRecord], data: st.DataObject) -> None:
    """Any batches, saved and loaded anywhere, with records delivered again, give the same events."""
    calm = run(records)
    stage, outputs, at = fresh(), list[Output](), 0
    states: dict[bytes, tuple[int, bytes]] = {}
    cut: bytes | None = None
    saved = 0
    while at < len(records):
        size = data.draw(st.integers(1, 7))
        outputs += stage.process(records[at : at + size])
        at = min(at + size, len(records))
        what = data.draw(st.sampled_from(["on", "save", "save states only", "crash"]))
        if what.startswith("save"):
            checkpoint = stage.checkpoint(at)
            for record in checkpoint.states:
                if record.progress >= states.get(record.key, (-1, b""))[0]:
                    states[record.key] = (record.progress, record.value or b"")
            if what == "save":
                cut, saved = checkpoint.cut, checkpoint.commit
            else:
                what = "crash"
        if what == "crash":
            stage, at = CrisisPartition(0, CrisisSettings()), saved
            stage.restore({key: value for key, (_, value) in states.items()}, cut)
    kept = ("crisis.events", "crisis.statements")
    once = {(o.topic, dict(o.headers)["ce_id"]): o for o in outputs if o.topic in kept}
    assert once == {(o.topic, dict(o.headers)["ce_id"]): o for o in calm if o.topic in kept}
    for brand in ("acme", "other"):
        first = [o for o in calm if o.topic == "crisis.events" and o.key == brand.encode()]
        assert [o for o in once.values() if o.topic == "crisis.events" and o.key == brand.encode()] == first
