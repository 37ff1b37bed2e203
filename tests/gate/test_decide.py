"""The verification gate: what is released is proven, approved and unchanged."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.command import Command
from schemas.response import Claim, Statement
from streams.gate import decide as decide_module
from streams.gate.decide import Answer, Plan, Rules, decide
from streams.gate.holding import Holding
from streams.gate.ledger import Ledger, text_hash
from streams.gate.words import FRENCH, NEVER, NO_EVIDENCE

_TEXT = "We are aware and we are checking. Next word at {time} on {channel}."
HOLDING = Holding(
    id="plan/aware", text=_TEXT, hash=text_hash(_TEXT), approved_by=("first", "second"), expires="2030-01-01T00:00:00Z",
    channels=("our website",),
)  # fmt: skip
EVIDENCE = {"e1", "e2"}
RULES = Rules(Plan({"aware": HOLDING, "plan/aware": HOLDING}), evidence=lambda given: given if given in EVIDENCE else "")
NOW = 1_600_000_000_000
FILLED: dict[str, Any] = {"holding": "aware", "time": "05:00", "channel": "our website"}


def ask(ledger: Ledger, name: str, by: str = "writer", role: str = "lead", rules: Rules = RULES, **args: Any) -> Answer:
    """Give one command and return the answer."""
    return decide(ledger, "c", "acme", Command(id="x", command=name, brand="acme", by=by, at_ms=NOW, role=role, args=args), NOW, rules)


def give(ledger: Ledger, name: str, by: str = "writer", role: str = "lead", rules: Rules = RULES, **args: Any) -> list[Statement]:
    """Give one command and return the statements recorded."""
    return [one for one in ask(ledger, name, by, role, rules, **args).records if isinstance(one, Statement)]


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
    assert give(ready(), "release", statement="s", role="watch")[0].state == "refused"


def test_an_edit_of_the_claims_alone_voids_the_approvals() -> None:
    """What the text rests on is part of what was approved."""
    ledger = ready()
    give(ledger, "claim-add", claim="other", text="nobody was hurt")
    give(ledger, "draft", statement="s", text="We checked.", claims=["other"])
    assert "has 0" in give(ledger, "release", statement="s")[0].reason


def test_the_ledger_is_on_record() -> None:
    """Each step of a claim is a record: who, by which evidence; a refuted claim stays refuted, and none is rewritten."""
    ledger = Ledger()
    said = [
        ask(ledger, name, claim="k", text="it broke", evidence=["e1"]).records[0]
        for name in ("claim-add", "claim-verify", "claim-refute", "claim-verify", "claim-add")
    ]
    assert [one.status for one in said if isinstance(one, Claim)] == ["open", "verified", "refuted"]
    assert [one.evidence for one in said if isinstance(one, Claim)] == [(), ("e1",), ("e1",)]
    assert [one.state for one in said if isinstance(one, Statement)] == ["refused", "refused"]


def test_evidence_must_exist() -> None:
    """What was never captured proves nothing: neither a claim nor a statement can name it."""
    ledger = Ledger()
    give(ledger, "claim-add", claim="k", text="the belt was faulty")
    assert "capture it first" in give(ledger, "claim-verify", claim="k", evidence=["e9"])[0].reason
    assert "capture it first" in give(ledger, "draft", statement="s", text="We checked.", claims=["k"], evidence=["e1", "e9"])[0].reason
    assert ledger.drafts == {}


@pytest.mark.parametrize("disguise", [" Writer ", "WRITER", "wri\u200bter", "\uff37riter", "writer\u00ad"])
def test_author_under_another_spelling_is_the_author(disguise: str) -> None:
    """Case, blanks, width and invisible characters make no second approver."""
    ledger = ready()
    give(ledger, "draft", statement="s", text="New.")
    assert give(ledger, "approve", by=disguise, statement="s", hash=text_hash("New."))[0].state == "refused"
    give(ledger, "approve", by="second", statement="s", hash=text_hash("New."))
    assert give(ledger, "approve", by="SECOND", statement="s", hash=text_hash("New."))[0].state == "draft"


def test_who_ever_wrote_at_it_does_not_approve_it() -> None:
    """A second writer does not turn the first into an approver."""
    ledger = ready()
    give(ledger, "draft", by="second", statement="s", text="Newer.")
    assert "wrote it" in give(ledger, "approve", by="writer", statement="s", hash=text_hash("Newer."))[0].reason


def test_the_plan_says_who_may() -> None:
    """Where the plan names who holds a role, nobody else acts in it."""
    cell = {"lead": frozenset({"ann"})}
    rules = RULES._replace(plan=RULES.plan._replace(people=cell))
    assert "names others" in give(ready(), "release", by="bob", statement="s", rules=rules)[0].reason
    assert give(ready(), "release", by="Ann", statement="s", rules=rules)[0].state == "released"


def test_refuted_claim_turns_what_went_out() -> None:
    """A claim refuted after the release asks for a correction."""
    ledger = ready()
    give(ledger, "release", statement="s")
    answer = ask(ledger, "claim-refute", claim="k")
    assert [one.state for one in answer.records if isinstance(one, Statement)] == ["needs_correction"]
    assert answer.to_correct == ("s",)


def test_a_correction_on_its_way_hides_nothing() -> None:
    """What the public can read counts, though a new text is being drafted; once that is out, or the old one withdrawn, it is forgotten."""
    ledger = ready()
    give(ledger, "release", statement="s")
    give(ledger, "published", statement="s", url="https://example.org/1")
    give(ledger, "correct", statement="s", text="It was the buckle.", claims=["b"])
    wrong = give(ledger, "claim-refute", claim="k")
    assert [(one.state, one.text, one.url) for one in wrong] == [("needs_correction", "We checked.", "https://example.org/1")]
    ledger = ready()
    give(ledger, "release", statement="s")
    give(ledger, "retract", statement="s")
    assert ask(ledger, "claim-refute", claim="k").to_correct == ()


def test_holding_statement_leaves_at_once() -> None:
    """One person on call may release what two approved beforehand."""
    ledger = Ledger()
    assert give(ledger, "draft", statement="h", **FILLED)[0].state == "draft"
    out = give(ledger, "release", statement="h", by="night", role="on_call")[0]
    assert (out.text, out.released_by) == ("We are aware and we are checking. Next word at 05:00 on our website.", "night")
    assert out.kind == "holding"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"time": "now: it is false"}, "nothing but a time"),
        ({"time": "05:00 LIES"}, "nothing but a time"),
        ({"channel": "it_is_all_false"}, "one that the plan lists"),
        ({"channel": "our website "}, "one that the plan lists"),
        ({"channel": ["our website"]}, "one that the plan lists"),
        ({"holding": "none"}, "no such holding statement"),
        ({"text": "It is false."}, "not both"),
    ],
)
def test_blanks_carry_no_claim(changes: dict[str, Any], why: str) -> None:
    """A blank is filled by a time of day, or by a channel or contact that the plan lists, and by nothing else."""
    assert why in give(Ledger(), "draft", statement="h", **{**FILLED, **changes})[0].reason


def test_a_holding_statement_is_the_one_that_was_approved() -> None:
    """An approval ends, binds the text, and needs two people; a plan that changed between draft and release is seen."""
    for change, why in (
        ({"expires": "2020-01-01T00:00:00Z"}, "expired"),
        ({"expires": ""}, "no end"),
        ({"text": _TEXT + " It is false."}, "not the one"),
        ({"approved_by": ("first", "FIRST")}, "two different people"),
    ):
        rules = RULES._replace(plan=Plan({"aware": msgspec.structs.replace(HOLDING, **change)}))
        assert why in give(Ledger(), "draft", statement="h", rules=rules, **FILLED)[0].reason
    ledger = Ledger()
    give(ledger, "draft", statement="h", **FILLED)
    new = "Something else at {time}."
    other = RULES._replace(plan=Plan({"plan/aware": msgspec.structs.replace(HOLDING, text=new, hash=text_hash(new))}))
    assert "no longer" in give(ledger, "release", statement="h", rules=other)[0].reason


@pytest.mark.parametrize(("language", "words"), [("en", ("measure", "adapt", "channels")), ("fr", ("mesurer", "adapter", "canaux"))])
def test_own_post_is_not_deleted(language: str, words: tuple[str, ...]) -> None:
    """The refusal is on record and says what to do instead."""
    refused = give(Ledger(), "delete-own-post", rules=RULES._replace(language=language))[0]
    assert (refused.state, refused.kind) == ("refused", "refusal")
    assert all(word in refused.reason for word in words)


def test_every_refusal_is_told_in_french_too() -> None:
    """Each reason in the gate's source has its French words, with the same blanks, and none is left over."""
    reasons: set[str] = {NEVER, NO_EVIDENCE}
    for path in Path(decide_module.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            told = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "refuse"
            told |= isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "why"
            if told or (isinstance(node, ast.Return) and path.name in ("ledger.py", "holding.py")):
                words = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}
                reasons |= {text for text in words if " " in text and text.strip(", ")}
    assert reasons == set(FRENCH)
    blanks = re.compile(r"\{(\w+)\}")
    assert all(sorted(blanks.findall(reason)) == sorted(blanks.findall(french)) for reason, french in FRENCH.items())


def test_a_refusal_is_told_in_the_language_of_the_desk() -> None:
    """In French too: state and all."""
    ledger, french = ready(), RULES._replace(language="fr")
    give(ledger, "release", by="someone", statement="s")
    assert ask(ledger, "approve", by="another", rules=french, statement="s").why == "une déclaration diffusée ne s'approuve pas"
    bare = RULES._replace(plan=Plan())
    assert ask(ledger, "draft", rules=bare, statement="t", holding="aware").why.endswith("; it has none")
    assert ask(ledger, "draft", rules=bare._replace(language="fr"), statement="t", holding="aware").why.endswith("; il a : aucun")
    give(ledger, "draft", rules=french, statement="t", text="We do not know yet.")
    refused = give(ledger, "release", by="someone", rules=french, statement="t")
    assert [one.reason for one in refused] == ["release: il faut l'accord de deux personnes qui ne l'ont pas rédigée ; elle en a 0"]
