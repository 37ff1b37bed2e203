"""The verification gate: nothing is released without verified claims, evidence and two approvers who did not write it.

Two classes of statement. A *holding* one asserts no claim: its text stands in the plan, approved beforehand by two people,
and one person on call may release it. A *substantive* one needs all of the above; an approval binds the hash of the text,
any edit voids it.
Pure: `Ledger` holds what is known of one crisis, `decide` answers one command with the statements to record.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

from schemas.command import Command
from schemas.response import Statement
from streams.respond.holding import Holding, fill

#: What to do instead of deleting one's own publication.
INSTEAD = (
    "measure the impact: who reacts, on which networks, how many, how negative",
    "adapt the answer to each audience, starting with those who were hurt",
    "act on the channels where it burns, the post itself first",
)
#: Commands that the gate answers.
GATED = frozenset(
    {"claim-add", "claim-verify", "claim-refute", "draft", "approve", "release", "published", "correct", "retract", "delete-own-post"}
)
#: Roles that may release: "" is a person of the desk who names no role, and may not.
RELEASERS = frozenset({"on_call", "lead", "communication", "direction"})
APPROVERS = frozenset({"lead", "communication", "legal", "direction", "on_call"})
MAX_TEXT = 10_000


class Claim(msgspec.Struct, kw_only=True):
    """One claim: ``status`` is open, verified or refuted."""

    text: str
    status: str = "open"
    by: str = ""
    evidence: list[str] = []


class Draft(msgspec.Struct, kw_only=True):
    """A statement as it stands. ``writers`` are all who ever wrote at it; ``approvals`` maps a person to the hash approved."""

    kind: str
    text: str
    state: str = "draft"
    writers: list[str] = []
    claims: list[str] = []
    evidence: list[str] = []
    approvals: dict[str, str] = {}
    released_by: str = ""
    url: str = ""


class Ledger(msgspec.Struct, kw_only=True):
    """Claims and statements of one crisis."""

    claims: dict[str, Claim] = {}
    drafts: dict[str, Draft] = {}


class Answer(NamedTuple):
    """Statements to record (a refusal is one), and ids of released statements that must be corrected."""

    statements: list[Statement]
    to_correct: list[str]


def text_hash(text: str) -> str:
    """Return the SHA-256 of the exact text, as hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def person(name: str) -> str:
    """Return who a name stands for: case and blanks do not make another person."""
    return " ".join(name.casefold().split())


def decide(ledger: Ledger, crisis_id: str, brand: str, command: Command, at_ms: int, holdings: dict[str, Holding]) -> Answer:
    """Answer ``command``, given at event time ``at_ms``; changes ``ledger``.

    Never raises: what is not allowed is refused, with the reason.
    """
    where = _Where(ledger, crisis_id, brand, command, at_ms)
    if not person(command.by):
        return where.refuse("nobody is named who decides this")
    name = command.command
    if name == "delete-own-post":
        return where.refuse("one's own publication is not deleted; instead: " + "; ".join(INSTEAD), kind="refusal")
    if name.startswith("claim-"):
        return _claim(where)
    key = where.arg("statement")
    draft = ledger.drafts.get(key)
    if name == "draft":
        return _write(where, key, draft, holdings)
    if draft is None:
        return where.refuse("no such statement")
    if name == "approve":
        return _approve(where, key, draft)
    if name == "release":
        return _release(where, key, draft, holdings)
    if name == "published":
        if draft.state != "released":
            return where.refuse(f"only a released statement can be published; this one is {draft.state}")
        draft.state, draft.url = "published", where.arg("url")[:2000]
        return where.record(key, draft)
    if name == "correct":
        if draft.state not in ("released", "published", "needs_correction"):
            return where.refuse(f"only what went out is corrected; this one is {draft.state}")
        return _rewrite(where, key, draft, where.arg("text"))
    if draft.state in ("retracted",):
        return where.refuse("retracted already")
    draft.state, draft.approvals = "retracted", {}
    return where.record(key, draft, where.arg("reason")[:500])


class _Where:
    """One command in its place, and how it is answered."""

    def __init__(self, ledger: Ledger, crisis_id: str, brand: str, command: Command, at_ms: int) -> None:
        self.ledger, self.crisis_id, self.brand, self.command, self.at_ms = ledger, crisis_id, brand, command, at_ms
        self.by = person(command.by)

    def arg(self, name: str) -> str:
        value = self.command.args.get(name, "")
        return value if isinstance(value, str) else ""

    def names(self, name: str) -> list[str]:
        value = self.command.args.get(name, [])
        listed = value if isinstance(value, list) else [value]
        return list(dict.fromkeys(x for x in listed if isinstance(x, str) and x))

    def refuse(self, reason: str, kind: str = "substantive") -> Answer:
        key = self.arg("statement") or self.arg("claim") or self.command.id
        return Answer([Statement(
            statement_id=key[:200], crisis_id=self.crisis_id, brand=self.brand, kind=kind, state="refused", text="", text_hash="",
            author=self.by, reason=f"{self.command.command}: {reason}",
        )], [])  # fmt: skip

    def show(self, key: str, draft: Draft, reason: str = "") -> Statement:
        return Statement(
            statement_id=key, crisis_id=self.crisis_id, brand=self.brand, kind=draft.kind, state=draft.state, text=draft.text,
            text_hash=text_hash(draft.text), author=draft.writers[-1], claims=tuple(draft.claims), evidence=tuple(draft.evidence),
            approved_by=tuple(draft.approvals), released_by=draft.released_by, url=draft.url, reason=reason,
        )  # fmt: skip

    def record(self, key: str, draft: Draft, reason: str = "") -> Answer:
        return Answer([self.show(key, draft, reason)], [])


def _claim(where: _Where) -> Answer:
    key, name = where.arg("claim"), where.command.command
    claim = where.ledger.claims.get(key)
    if name == "claim-add":
        if claim is not None:
            return where.refuse("this claim stands already; claims are never rewritten")
        if not key or not where.arg("text"):
            return where.refuse("a claim needs an id and a text")
        where.ledger.claims[key] = Claim(text=where.arg("text")[:MAX_TEXT], by=where.by)
        return Answer([], [])
    if claim is None:
        return where.refuse("no such claim")
    evidence = where.names("evidence")
    if name == "claim-verify":
        if not evidence:
            return where.refuse("a claim is verified by evidence: name its ids")
        if claim.status == "refuted":
            return where.refuse("a refuted claim is not verified again: add a new one")
        claim.status, claim.by, claim.evidence = "verified", where.by, evidence
        return Answer([], [])
    claim.status, claim.by, claim.evidence = "refuted", where.by, evidence
    shown, keys = [], []
    for key_of, draft in where.ledger.drafts.items():
        if key in draft.claims and draft.state in ("released", "published"):
            draft.state = "needs_correction"
            shown.append(where.show(key_of, draft, "a claim that it rests on was refuted"))
            keys.append(key_of)
    return Answer(shown, keys)


def _write(where: _Where, key: str, draft: Draft | None, holdings: dict[str, Holding]) -> Answer:
    if not key or len(key) > 200:
        return where.refuse("a statement needs an id of at most 200 characters")
    if draft is not None and draft.state not in ("draft", "approved"):
        return where.refuse(f"a statement that is {draft.state} is not edited: correct it, or draft a new one")
    if where.arg("holding"):
        if draft is not None and draft.kind != "holding":
            return where.refuse("a substantive statement does not become a holding one")
        holding = holdings.get(where.arg("holding"))
        if holding is None:
            return where.refuse("the plan has no such holding statement")
        text, why = fill(holding, where.command.args, where.at_ms)
        if why:
            return where.refuse(why, kind="holding")
        where.ledger.drafts[key] = fresh = Draft(kind="holding", text=text, writers=[where.by], evidence=[holding.id])
        return where.record(key, fresh)
    if draft is None:
        draft = Draft(kind="substantive", text="")
    elif draft.kind == "holding":
        return where.refuse("a holding statement says what the plan says: draft a new one")
    return _rewrite(where, key, draft, where.arg("text"))


def _rewrite(where: _Where, key: str, draft: Draft, text: str) -> Answer:
    """Set the text: approvals fall, and who wrote it may not approve it any more."""
    if not text.strip() or len(text) > MAX_TEXT:
        return where.refuse(f"the text must have 1 to {MAX_TEXT} characters")
    if draft.kind == "holding":
        draft.kind = "substantive"
        draft.evidence = []
    draft.text, draft.state, draft.approvals, draft.released_by = text, "draft", {}, ""
    if where.by not in draft.writers or draft.writers[-1] != where.by:
        draft.writers = [*(x for x in draft.writers if x != where.by), where.by]
    if "claims" in where.command.args:
        draft.claims = where.names("claims")
    if "evidence" in where.command.args:
        draft.evidence = where.names("evidence")
    where.ledger.drafts[key] = draft
    return where.record(key, draft)


def _approve(where: _Where, key: str, draft: Draft) -> Answer:
    if draft.state not in ("draft", "approved"):
        return where.refuse(f"a statement that is {draft.state} is not approved")
    if draft.kind == "holding":
        return where.refuse("a holding statement was approved beforehand, in the plan")
    if where.command.role not in APPROVERS:
        return where.refuse("this role may not approve")
    if where.by in draft.writers:
        return where.refuse("who wrote it may not approve it")
    if where.arg("hash") != text_hash(draft.text):
        return where.refuse("the approval must name the hash of the text as it stands now")
    draft.approvals = {**draft.approvals, where.by: text_hash(draft.text)}
    draft.state = "approved" if len(draft.approvals) >= 2 else "draft"
    return where.record(key, draft)


def _release(where: _Where, key: str, draft: Draft, holdings: dict[str, Holding]) -> Answer:
    if where.command.role not in RELEASERS:
        return where.refuse("this role may not release", draft.kind)
    if draft.state not in ("draft", "approved"):
        return where.refuse(f"a statement that is {draft.state} is not released", draft.kind)
    if draft.kind == "holding":
        holding = holdings.get(draft.evidence[0]) if draft.evidence else None
        if holding is None or not holding.in_force(where.at_ms):
            return where.refuse("the plan no longer holds it approved", draft.kind)
    else:
        why = lacking(where.ledger, draft)
        if why:
            return where.refuse(why)
    draft.state, draft.released_by = "released", where.by
    return where.record(key, draft)


def lacking(ledger: Ledger, draft: Draft) -> str:
    """Return what a substantive statement still lacks for its release, or ""."""
    now = text_hash(draft.text)
    approvers = [who for who, bound in draft.approvals.items() if bound == now and who not in draft.writers]
    if len(approvers) < 2:
        return f"needs two approvers who did not write it; has {len(approvers)}"
    if not draft.claims:
        return "names no claim"
    for key in draft.claims:
        claim = ledger.claims.get(key)
        if claim is None or claim.status != "verified" or not claim.evidence:
            return f"claim {key[:60]} is not verified"
    if not draft.evidence:
        return "no evidence is attached"
    return ""
