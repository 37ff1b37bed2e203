"""Receipts: what was shown is kept, once, and no one changes it unseen."""

from __future__ import annotations

import base64
from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.cloudevents import header_maker
from schemas.command import Command
from schemas.crisis import Crisis, Sample
from schemas.evidence import Evidence
from streams.captures import Register, captured, resolve, take
from streams.engine.stage import InputRecord, Output
from streams.evidence.chain import digest, link, seal, verify
from streams.evidence.stage import EvidencePartition


def event(seq: int, samples: int = 0, command: Command | None = None, crisis: str = "c1") -> InputRecord:
    """Return one crisis event that shows ``samples`` mentions."""
    card = Crisis(
        crisis_id=crisis, brand="acme", phase="open", onset="2020-01-01T00:00:00Z", headline="h", seq=seq,
        updated_at="2020-01-01T00:00:00Z",
        samples=tuple(Sample(mention_id=f"m{i}", network="x", text=f"text {i}") for i in range(samples)), decision=command,
    )  # fmt: skip
    return InputRecord(seq - 1, 0, b"acme", msgspec.json.encode(card), header_maker("veille.crisis.updated")("x", crisis, ""))


def capture(**args: str) -> Command:
    """Return a capture command."""
    return Command(id="k1", command="capture", brand="acme", by="a", at_ms=0, crisis_id="c1", args=dict(args))


def receipts(outputs: list[Output]) -> list[Evidence]:
    """Return the receipts that were sent."""
    return [msgspec.json.decode(o.value or b"", type=Evidence) for o in outputs]


def fresh() -> EvidencePartition:
    """Return a stage that has read nothing."""
    stage = EvidencePartition(0)
    stage.restore({}, None)
    return stage


def test_each_sample_once() -> None:
    """A mention that several events show is captured with the first."""
    found = receipts(list(fresh().process([event(1, 2), event(2, 3)])))
    assert [r.mention_id for r in found] == ["m0", "m1", "m2"]
    assert verify(found) == []
    assert b"text 1" in base64.b64decode(found[1].bytes_b64)


def test_captures_by_people() -> None:
    """An uploaded file is kept byte by byte; without one the command itself is the record."""
    upload = base64.b64encode(b"\x89PNG").decode()
    found = receipts(list(fresh().process([event(1, 0, capture(target="https://x.example", bytes_b64=upload))])))
    assert base64.b64decode(found[0].bytes_b64) == b"\x89PNG"
    assert found[0].url == "https://x.example"
    found = receipts(list(fresh().process([event(1, 0, capture(target="t", bytes_b64="no base64!"))])))
    assert found[0].content_type == "application/json"


@given(st.integers(1, 8), st.data())
def test_any_change_breaks_the_chain(samples: int, data: st.DataObject) -> None:
    """Changing, dropping or swapping a receipt is seen."""
    found = receipts(list(fresh().process([event(1, samples), event(2, 0, capture(target="t"))])))
    assert verify(found + found[-1:]) == []
    at = data.draw(st.integers(0, len(found) - 1))
    field, value = data.draw(st.sampled_from([("captured_at", "x"), ("mention_id", "y"), ("bytes_b64", "eA=="), ("seq", 99), ("url", "z")]))
    changed = [*found]
    changed[at] = msgspec.structs.replace(found[at], **{field: value})
    assert verify(changed)
    if at < len(found) - 1:
        assert verify(found[:at] + found[at + 1 :])


def test_chains_of_earlier_releases_hold() -> None:
    """A receipt's hash is over these bytes for good: a field that the schema gets changes none that were sealed before."""
    sealed = (
        b'{"evidence_id":"acme-20260302T081500-1/1","crisis_id":"acme-20260302T081500-1","brand":"acme","mention_id":"",'
        b'"captured_at":"2026-03-02T08:15:01Z","sha256":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","seq":1,'
        b'"url":"https://x.example/\xc3\xa9","content_type":"application/octet-stream","by":"ann","name":"x"}'
    )
    receipt = msgspec.json.decode(sealed, type=Evidence)
    assert link(msgspec.structs.replace(receipt, bytes_b64="eA==", chain="y")) == digest(sealed)
    assert verify([seal(msgspec.structs.replace(receipt, bytes_b64="eA=="), "")]) == []


@given(st.lists(st.sampled_from(["on", "save", "crash"]), min_size=6, max_size=6))
def test_restarts_change_nothing(what: list[str]) -> None:
    """Saved and restored anywhere, with events delivered again, the chain is the same."""
    log = [event(i + 1, i, crisis="c1" if i % 2 else "c2") for i in range(6)]
    calm = receipts(list(fresh().process(log)))
    stage, saved, at = fresh(), 0, 0
    states: dict[bytes, bytes] = {}
    cut: bytes | None = None
    outputs: list[Output] = []
    for step in [*what, "end"]:
        if step == "end":
            outputs += stage.process(log[at:])
            break
        outputs += stage.process(log[at : at + 1])
        at += 1
        if step == "save":
            checkpoint = stage.checkpoint(at)
            states |= {record.key: record.value or b"" for record in checkpoint.states}
            cut, saved = checkpoint.cut, checkpoint.commit
        elif step == "crash":
            stage, at = EvidencePartition(0), saved
            stage.restore(states, cut)
    assert {r.evidence_id: r for r in receipts(outputs)} == {r.evidence_id: r for r in calm}


def test_weeks_of_long_ids_stay_small_and_lose_no_receipt() -> None:
    """Six weeks of new mentions with ids of 512 characters: the state can be saved, and all that was shown has its receipt.

    What was forgotten and is shown again has a second receipt; the loudest, shown throughout, has one. The gate counts alike.
    """
    stage, gate = fresh(), dict[str, Register]()
    names, found, largest = [f"{n}".rjust(512, "x") for n in range(8_000)], list[Evidence](), 0
    shown = [("c1", ("loud", *names[n : n + 4])) for n in range(0, len(names), 4)]
    shown[100] = ("c2", ("quiet",))
    shown.append(("c1", ("loud", names[0], names[-1])))
    for seq, (crisis, ids) in enumerate(shown, 1):
        card = Crisis(
            crisis_id=crisis, brand="acme", phase="open", onset="2020-01-01T00:00:00Z", headline="h", seq=seq,
            updated_at="2020-01-01T00:00:00Z", samples=tuple(Sample(mention_id=name, network="x", text="t") for name in ids),
            decision=capture(target="t") if seq == 1 else None,
        )  # fmt: skip
        record = InputRecord(seq - 1, 0, b"acme", msgspec.json.encode(card), header_maker("veille.crisis.updated")("x", crisis, ""))
        found += receipts(list(stage.process([record])))
        take(gate, crisis, captured("updated", card))
        if not seq % 200:
            largest = max(largest, *(len(state.value or b"") for state in stage.checkpoint(seq).states))
    assert largest < 250_000
    mine = [receipt for receipt in found if receipt.crisis_id == "c1"]
    assert {receipt.mention_id for receipt in mine} == {"", "loud", *(name for _, ids in shown for name in ids if name != "quiet")}
    counts = Counter(receipt.mention_id for receipt in mine)
    assert (counts["loud"], counts[names[0]], counts[names[-1]]) == (1, 2, 1)
    assert verify(mine) == []
    assert gate["c1"].seq == len(mine)
    assert resolve(gate, "c1", "k1") == next(receipt.evidence_id for receipt in mine if receipt.by == "a")


def test_a_long_name_of_an_earlier_release_is_known() -> None:
    """States of before held it whole: it gets no second receipt, neither here nor at the gate."""
    registers = {"c1": Register(seq=1, held={"sample:" + "x" * 512: 1})}
    assert take(registers, "c1", ["sample:" + "x" * 512, "sample:" + "y" * 512]) == [("sample:" + "y" * 512, 2)]
    assert take(registers, "c1", ["sample:" + "y" * 512]) == []
