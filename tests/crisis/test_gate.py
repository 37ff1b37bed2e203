"""The gate stands where `crisis.statements` is written: in the crisis stage, before the event of a command is told."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.response import Claim, Statement
from streams.engine.stage import Output
from tests.crisis.make import approved, command, events, log, names, run, signal

C1 = "acme-20140513T155320-1"


def stated(outputs: list[Output]) -> list[Statement | Claim]:
    """Return what went to ``crisis.statements``."""
    kinds: dict[bytes, Any] = {b"veille.statement": Statement, b"veille.claim": Claim}
    found = [output for output in outputs if output.topic == "crisis.statements"]
    return [msgspec.json.decode(output.value or b"", type=kinds[output.headers[0][1]]) for output in found]


def test_statements_pass_the_gate() -> None:
    """Ledger and statements are recorded step by step under their commands; a refuted claim names what must be corrected, once."""
    outputs = run(log(
        signal(1, 0, over=True, margin=20.0), *approved(C1, "s", "We pay."),
        command("release", 6, crisis_id=C1, role="lead", statement="s"),
        command("claim-refute", 7, crisis_id=C1, claim="k"),
        command("note", 8, crisis_id=C1, text="x"),
    ))  # fmt: skip
    assert names(outputs)[2:] == ["noted"] * 9
    records = stated(outputs)
    assert [record.seq for record in records] == list(range(1, 9))
    assert [(r.state if isinstance(r, Statement) else r.status, r.command_id) for r in records] == [
        ("open", "c1"), ("verified", "c2"), ("draft", "c3"), ("draft", "c4"), ("approved", "c5"), ("released", "c6"), ("refuted", "c7"),
        ("needs_correction", "c7"),
    ]  # fmt: skip
    assert [card.to_correct for _, card in events(outputs)[-2:]] == [("s",), ()]


def test_a_refusal_is_told_twice_and_changes_nothing() -> None:
    """What the gate refuses is a refused event with the reason, and a refused statement; the crisis's card stays."""
    before = run(log(signal(1, 0, over=True, margin=20.0)))
    outputs = run(log(signal(1, 0, over=True, margin=20.0), command("release", 0, crisis_id=C1, role="lead", statement="s")))
    event, card = events(outputs)[-1]
    refusal = stated(outputs)[0]
    assert (event, card.note) == ("refused", "no such statement")
    assert isinstance(refusal, Statement)
    assert (refusal.state, refusal.reason, refusal.command_id) == ("refused", "release: no such statement", "c0")
    assert [o for o in outputs if o.topic == "crisis.state"] == [o for o in before if o.topic == "crisis.state"]


def test_what_was_never_captured_proves_nothing() -> None:
    """Evidence ids are those of crisis.evidence, counted from the same events; a capture may be named by its command."""
    outputs = run(log(
        signal(1, 0, over=True, margin=20.0, samples=(("m1", "x", "it broke"),)),
        command("claim-add", 0, crisis_id=C1, claim="k", text="it broke"),
        command("claim-verify", 1, crisis_id=C1, claim="k", evidence=["2"]),
        command("capture", 2, crisis_id=C1, target="https://example.org/letter"),
        command("claim-verify", 3, crisis_id=C1, claim="k", evidence=["c2"]),
    ))  # fmt: skip
    refusal, verified = stated(outputs)[1:]
    assert isinstance(refusal, Statement)
    assert "capture it first" in refusal.reason
    assert verified.evidence == (f"{C1}/2",)


def test_deleting_the_own_post_is_on_record() -> None:
    """It is refused, the gate records what to do instead, and once for one id."""
    never = command("delete-own-post", 0, crisis_id=C1)
    again = never._replace(value=(never.value or b"").replace(b'"offset":0', b'"offset":1'))
    outputs = run(log(signal(1, 0, over=True, margin=20.0), never, again))
    assert names(outputs)[2:] == ["refused", "refused"]
    (refusal,) = stated(outputs)
    assert isinstance(refusal, Statement)
    assert (refusal.state, refusal.kind, refusal.command_id) == ("refused", "refusal", "c0")
    assert "measure the impact" in refusal.reason
