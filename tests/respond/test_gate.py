"""The verification gate: what is released is proven, approved and unchanged."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import pytest

from schemas.command import Command
from schemas.response import Statement
from streams.respond.gate import Ledger, decide, text_hash
from streams.respond.holding import Holding

_TEXT = "We are aware and we are checking. Next word at {time}."
HOLDING = Holding(
    id="aware", text=_TEXT, hash=hashlib.sha256(_TEXT.encode()).hexdigest(), approved_by=("first", "second"),
    expires="2030-01-01T00:00:00Z",
)  # fmt: skip
PLAN = {"aware": HOLDING}
NOW = 1_600_000_000_000


def give(ledger: Ledger, name: str, by: str = "writer", role: str = "lead", **args: Any) -> list[Statement]:
    """Give one command and return what is recorded."""
    command = Command(id="x", command=name, brand="acme", by=by, at_ms=NOW, role=role, crisis_id="c", args=args)
    return decide(ledger, "c", "acme", command, NOW, PLAN).statements


def ready() -> Ledger:
    """A ledger with a substantive statement that is approved by two others."""
    ledger = Ledger()
    give(ledger, "claim-add", claim="k", text="the belt was faulty")
    give(ledger, "claim-verify", claim="k", evidence=["e1"])
    give(ledger, "draft", statement="s", text="We checked.", claims=["k"], evidence=["e1"])
    for who in ("second", "third"):
        give(ledger, "approve", by=who, statement="s", hash=text_hash("We checked."))
    return ledger


def test_release_needs_everything() -> None:
    """With claims verified, evidence and two approvers it leaves; with any of them missing it is refused."""
    assert give(ready(), "release", statement="s")[0].state == "released"
    ledger = ready()
    give(ledger, "draft", statement="s", text="We checked!")
    assert "two approvers" in give(ledger, "release", statement="s")[0].reason
    ledger = ready()
    give(ledger, "claim-refute", claim="k")
    assert "not verified" in give(ledger, "release", statement="s")[0].reason
    assert give(ready(), "release", statement="s", role="")[0].state == "refused"


def test_author_under_another_spelling_is_the_author() -> None:
    """Case and blanks make no second approver."""
    ledger = ready()
    give(ledger, "draft", statement="s", text="New.")
    assert give(ledger, "approve", by=" Writer ", statement="s", hash=text_hash("New."))[0].state == "refused"
    give(ledger, "approve", by="second", statement="s", hash=text_hash("New."))
    assert give(ledger, "approve", by="SECOND", statement="s", hash=text_hash("New."))[0].state == "draft"


def test_refuted_claim_turns_what_went_out() -> None:
    """A claim refuted after the release asks for a correction."""
    ledger = ready()
    give(ledger, "release", statement="s")
    assert [s.state for s in give(ledger, "claim-refute", claim="k")] == ["needs_correction"]


def test_holding_statement_leaves_at_once() -> None:
    """One person on call may release what two approved beforehand; its blanks carry no claim, and it expires."""
    ledger = Ledger()
    assert give(ledger, "draft", statement="h", holding="aware", time="05:00")[0].state == "draft"
    assert give(ledger, "release", statement="h", role="on_call")[0].text.endswith("Next word at 05:00.")
    assert "nothing but a time" in give(Ledger(), "draft", statement="h", holding="aware", time="now: it is false")[0].reason
    late = Command(id="x", command="draft", brand="acme", by="a", at_ms=0, args={"statement": "h", "holding": "aware", "time": "05:00"})
    assert "expired" in decide(Ledger(), "c", "acme", late, 1_900_000_000_000, PLAN).statements[0].reason


def test_own_post_is_not_deleted() -> None:
    """The refusal says what to do instead."""
    refused = give(Ledger(), "delete-own-post")[0]
    assert refused.state == "refused"
    assert "measure" in refused.reason
    assert "adapt" in refused.reason


def _check(released: Statement, history: list[tuple[str, str, dict[str, Any]]]) -> None:
    """Judge a release by the raw history alone, with a model of its own."""
    if released.kind == "holding":
        assert released.text == _TEXT.replace("{time}", "05:00")
        return
    claims: dict[str, str] = {}
    writers: set[str] = set()
    approvals: set[str] = set()
    text = ""
    for name, by, args in history:
        who = " ".join(by.casefold().split())
        if name == "claim-verify" and args["evidence"] and claims.get(args["claim"]) == "open":
            claims[args["claim"]] = "verified"
        elif name == "claim-add" and who:
            claims.setdefault(args["claim"], "open")
        elif name == "claim-refute" and args["claim"] in claims and who:
            claims[args["claim"]] = "refuted"
        elif args.get("statement") != released.statement_id:
            continue
        elif name in ("draft", "correct") and args.get("text") and "holding" not in args and who:
            if args["text"] != text or who not in writers:
                writers.add(who)
            if args["text"] == released.text:
                text = args["text"]
        elif name == "approve" and args["hash"] == released.text_hash:
            approvals.add(who)
    assert released.claims
    assert all(claims.get(claim) == "verified" for claim in released.claims)
    assert released.evidence
    assert released.author in writers
    assert len(set(released.approved_by)) >= 2
    assert set(released.approved_by) <= approvals
    assert released.author not in released.approved_by
    assert released.text_hash == text_hash(released.text)


def _attack(rounds: int, seed: int) -> int:
    """Give random commands to fresh ledgers; return how many releases got through (each was judged)."""
    rng = random.Random(seed)
    people, texts = ["ann ", "Ann", "bo", "cy", "dee", ""], ["One.", "Two."]
    names = ["claim-add", "claim-verify", "claim-refute", "draft", "draft", "approve", "approve", "approve", "release", "release",
             "published", "correct", "retract", "delete-own-post"]  # fmt: skip
    through = 0
    for _ in range(rounds):
        ledger = Ledger()
        history: list[tuple[str, str, dict[str, Any]]] = []
        for name in ("claim-add", "claim-verify", "draft", *rng.choices(names, k=rng.randint(4, 14))):
            by, args = rng.choice(people), {"statement": rng.choice("ssst"), "claim": rng.choice("kkkl")}
            args |= {"evidence": rng.choice([["e"], ["e"], []]), "text": rng.choice(texts)}
            args["claims"] = rng.choice([["k"], ["k"], ["k", "l"], []])
            args["hash"] = text_hash(rng.choice(texts))
            if name == "draft" and rng.random() < 0.15:
                args |= {"holding": rng.choice(["aware", "none"]), "time": rng.choice(["05:00", "it is false"])}
            role = rng.choice(["lead", "on_call", "legal", "communication", ""])
            history.append((name, by, args))
            for statement in give(ledger, name, by=by, role=role, **args):
                if statement.state == "released" and name == "release":
                    through += 1
                    _check(statement, history)
    return through


def test_random_commands_find_no_way_round() -> None:
    """Random command sequences release nothing that the rules do not allow, and some do get through."""
    assert _attack(4_000, 1) > 20


@pytest.mark.slow
def test_a_hundred_thousand_sequences_find_no_way_round() -> None:
    """The same over 100,000 sequences."""
    assert _attack(100_000, 2) > 500
