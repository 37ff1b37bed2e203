"""The verification gate: nothing is released without verified claims, evidence and two approvers who did not write it.

Two classes of statement. A *holding* one asserts no claim: its text stands in the plan, approved beforehand by two people,
and one person on call may release it. A *substantive* one needs all of the above; an approval binds the hash of the text,
any edit voids it.
Pure: `Ledger` holds what is known of one crisis, `decide` answers one command with what is to be recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from schemas import response
from schemas.command import Command
from schemas.desk import STATEMENTS, TABLE, may_hold, person
from streams import captures
from streams.gate.holding import Holding, fill
from streams.gate.ledger import Claim, Draft, Ledger, lacking, text_hash
from streams.gate.words import NEVER, NO_EVIDENCE, told

#: Commands that the gate answers.
GATED = frozenset(name for name, rule in TABLE.items() if rule.answer == STATEMENTS)
MAX_TEXT, MAX_ID = 10_000, 200


class Answer(NamedTuple):
    """What to record (a refusal is a statement too), ids of statements that stand outside and must be corrected, why it was refused."""

    records: list[response.Statement | response.Claim]
    to_correct: tuple[str, ...] = ()
    why: str = ""


class Plan(NamedTuple):
    """What the plan of one crisis says: its holding statements, and {role: who holds it or stands in} (see `schemas.desk.may_hold`)."""

    holdings: Mapping[str, Holding] = {}
    people: Mapping[str, frozenset[str]] = {}


class Rules(NamedTuple):
    """What the gate judges by: the plan, which evidence exists, and the language of its words.

    ``evidence`` returns the id of the receipt that a person named, or "" where none exists.
    """

    plan: Plan
    evidence: Callable[[str], str]
    language: str = "en"


def rules_of(plan: Plan, registers: dict[str, captures.Register], crisis_id: str, language: str) -> Rules:
    """Return the rules of one crisis, whose evidence is what ``registers`` say was captured."""
    return Rules(plan, lambda given: captures.resolve(registers, crisis_id, given), language)


def decide(ledger: Ledger, crisis_id: str, brand: str, command: Command, at_ms: int, rules: Rules) -> Answer:
    """Answer ``command``, given at event time ``at_ms``; changes ``ledger``.

    Never raises: what is not allowed is refused, with the reason.
    """
    here = _Here(ledger, crisis_id, brand, command, at_ms, rules)
    name = command.command
    if name == "delete-own-post":
        return here.refuse(NEVER, "refusal")
    if may_hold(command.role, command.by, rules.plan.people):
        return here.refuse(
            "the plan names others for the role {role}" if here.by else "nobody is named who decides this", role=command.role
        )
    if name.startswith("claim-"):
        return _claim(here)
    key = here.arg("statement")
    draft = ledger.drafts.get(key)
    if name == "draft":
        return _write(here, key, draft)
    if draft is None:
        return here.refuse("no such statement")
    if name == "approve":
        return _approve(here, key, draft)
    if name == "release":
        return _release(here, key, draft)
    if name == "published":
        return _published(here, key, draft)
    if name == "correct":
        if draft.state not in ("released", "published", "needs_correction"):
            return here.refuse("only what went out is corrected; this one is {state}", draft.kind, state=draft.state)
        return _rewrite(here, key, draft)
    if draft.state == "retracted":
        return here.refuse("retracted already", draft.kind)
    draft.state, draft.approvals, draft.outside = "retracted", {}, None
    return here.record(key, draft, here.arg("reason")[:500])


class _Here:
    """One command in its place, and how it is answered."""

    def __init__(self, ledger: Ledger, crisis_id: str, brand: str, command: Command, at_ms: int, rules: Rules) -> None:
        self.ledger, self.crisis_id, self.brand, self.command, self.at_ms, self.rules = ledger, crisis_id, brand, command, at_ms, rules
        self.by = person(command.by)

    def arg(self, name: str) -> str:
        value = self.command.args.get(name, "")
        return value if isinstance(value, str) else ""

    def names(self, name: str) -> list[str]:
        value = self.command.args.get(name, [])
        listed = value if isinstance(value, list) else [value]
        return list(dict.fromkeys(x for x in listed if isinstance(x, str) and x))

    def evidence(self) -> tuple[list[str], str]:
        """Return the receipts that the command names, and the first name for which there is none, or ""."""
        found = {given: self.rules.evidence(given) for given in self.names("evidence")}
        return list(dict.fromkeys(found.values())), next((given for given, receipt in found.items() if not receipt), "")

    def refuse(self, reason: str, kind: str = "substantive", **values: object) -> Answer:
        """Refuse for a reason of `streams.gate.words`, told in the language of the rules; ``values`` fill its blanks."""
        reason = told(reason, self.rules.language, values)
        key = self.arg("statement") or self.arg("claim") or self.command.id
        refusal = response.Statement(
            statement_id=key[:MAX_ID], crisis_id=self.crisis_id, brand=self.brand, kind=kind, state="refused", text="", text_hash="",
            author=self.by, reason=f"{self.command.command}: {reason}", command_id=self.command.id,
        )  # fmt: skip
        return Answer([refusal], why=reason)

    def record(self, key: str, draft: Draft, reason: str = "") -> Answer:
        return Answer([self.statement(key, draft, reason)])

    def statement(self, key: str, draft: Draft, reason: str = "") -> response.Statement:
        return response.Statement(
            statement_id=key, crisis_id=self.crisis_id, brand=self.brand, kind=draft.kind, state=draft.state, text=draft.text,
            text_hash=text_hash(draft.text), author=draft.writers[-1], claims=tuple(draft.claims), evidence=tuple(draft.evidence),
            approved_by=tuple(draft.approvals), released_by=draft.released_by, url=draft.url, reason=reason, command_id=self.command.id,
        )  # fmt: skip

    def wrong(self, out: response.Statement) -> response.Statement:
        """Return the record that what stands outside needs a correction."""
        why = told("a claim that it rests on was refuted", self.rules.language, {})
        return msgspec.structs.replace(out, state="needs_correction", reason=why, command_id=self.command.id)

    def ledger_entry(self, key: str, claim: Claim) -> response.Claim:
        return response.Claim(
            claim_id=key, crisis_id=self.crisis_id, brand=self.brand, text=claim.text, status=claim.status, by=claim.by,
            evidence=tuple(claim.evidence), command_id=self.command.id,
        )  # fmt: skip


def _claim(here: _Here) -> Answer:
    key, name = here.arg("claim"), here.command.command
    claim = here.ledger.claims.get(key)
    if name == "claim-add":
        if claim is not None:
            return here.refuse("this claim stands already; claims are never rewritten")
        if not key or len(key) > MAX_ID or not here.arg("text"):
            return here.refuse("a claim needs an id of at most {most} characters and a text", most=MAX_ID)
        claim = here.ledger.claims[key] = Claim(text=here.arg("text")[:MAX_TEXT], by=here.by)
        return Answer([here.ledger_entry(key, claim)])
    if claim is None:
        return here.refuse("no such claim")
    if claim.status == "refuted":
        return here.refuse("a refuted claim stays refuted: add a new one")
    evidence, unknown = here.evidence()
    if unknown:
        return here.refuse(NO_EVIDENCE, name=unknown[:60])
    if name == "claim-verify":
        if not evidence:
            return here.refuse("a claim is verified by evidence: name its ids")
        claim.status, claim.by, claim.evidence = "verified", here.by, list(dict.fromkeys([*claim.evidence, *evidence]))
        return Answer([here.ledger_entry(key, claim)])
    claim.status, claim.by, claim.evidence = "refuted", here.by, evidence
    records: list[response.Statement | response.Claim] = [here.ledger_entry(key, claim)]
    keys = []
    for key_of, draft in here.ledger.drafts.items():
        # A correction may be on its way already: what counts is what the public can read.
        if draft.outside is not None and key in draft.outside.claims:
            if draft.state in ("released", "published"):
                draft.state = "needs_correction"
            records.append(here.wrong(draft.outside))
            keys.append(key_of)
    return Answer(records, tuple(keys))


def _write(here: _Here, key: str, draft: Draft | None) -> Answer:
    if not key or len(key) > MAX_ID:
        return here.refuse("a statement needs an id of at most {most} characters", most=MAX_ID)
    if draft is not None and draft.state not in ("draft", "approved"):
        return here.refuse("a statement that is {state} is not edited: correct it, or draft a new one", draft.kind, state=draft.state)
    wanted = here.arg("holding")
    if not wanted:
        if draft is not None and draft.holding:
            return here.refuse("a holding statement says what the plan says: draft a new one", "holding")
        return _rewrite(here, key, draft or Draft(text=""))
    if here.arg("text"):
        return here.refuse("give a text, or a holding statement of the plan, not both")
    if draft is not None and (not draft.holding or draft.outside is not None):
        return here.refuse("a substantive statement does not become a holding one")
    holding = here.rules.plan.holdings.get(wanted)
    if holding is None:
        names = ", ".join(here.rules.plan.holdings)
        return here.refuse("the plan has no such holding statement; it has {names}", "holding", names=names)
    text, why, values = fill(holding, here.command.args, here.at_ms)
    if why:
        return here.refuse(why, "holding", **values)
    here.ledger.drafts[key] = fresh = Draft(text=text, writers=[here.by], holding=holding.id, template=holding.hash)
    return here.record(key, fresh)


def _rewrite(here: _Here, key: str, draft: Draft) -> Answer:
    """Set the text: approvals fall, and who wrote it may not approve it any more."""
    text = here.arg("text")
    if not text.strip() or len(text) > MAX_TEXT:
        return here.refuse("the text must have 1 to {most} characters", most=MAX_TEXT)
    evidence, unknown = here.evidence()
    if unknown:
        return here.refuse(NO_EVIDENCE, name=unknown[:60])
    draft.text, draft.state, draft.approvals, draft.released_by, draft.holding, draft.template = text, "draft", {}, "", "", ""
    draft.writers = [*(x for x in draft.writers if x != here.by), here.by]
    if "claims" in here.command.args:
        draft.claims = here.names("claims")
    if "evidence" in here.command.args:
        draft.evidence = evidence
    here.ledger.drafts[key] = draft
    return here.record(key, draft)


def _approve(here: _Here, key: str, draft: Draft) -> Answer:
    if draft.state not in ("draft", "approved"):
        return here.refuse("a statement that is {state} is not approved", draft.kind, state=draft.state)
    if draft.holding:
        return here.refuse("a holding statement was approved beforehand, in the plan", draft.kind)
    if here.command.role not in TABLE["approve"].roles:
        return here.refuse("this role may not approve")
    if here.by in draft.writers:
        return here.refuse("who wrote it may not approve it")
    if here.arg("hash") != text_hash(draft.text):
        return here.refuse("the approval must name the hash of the text as it stands now")
    draft.approvals = {**draft.approvals, here.by: text_hash(draft.text)}
    draft.state = "approved" if len(draft.approvals) >= 2 else "draft"
    return here.record(key, draft)


def _release(here: _Here, key: str, draft: Draft) -> Answer:
    if here.command.role not in TABLE["release"].roles:
        return here.refuse("this role may not release", draft.kind)
    if draft.state not in ("draft", "approved"):
        return here.refuse("a statement that is {state} is not released", draft.kind, state=draft.state)
    if draft.holding:
        holding = here.rules.plan.holdings.get(draft.holding)
        if holding is None or holding.hash != draft.template or holding.why_not(here.at_ms):
            return here.refuse("the plan no longer holds it approved", draft.kind)
    else:
        why, values = lacking(here.ledger, draft)
        if why:
            return here.refuse(why, draft.kind, **values)
    draft.state, draft.released_by = "released", here.by
    draft.outside = here.statement(key, draft)
    return here.record(key, draft)


def _published(here: _Here, key: str, draft: Draft) -> Answer:
    if draft.state != "released" or draft.outside is None:
        return here.refuse("only a released statement can be published; this one is {state}", draft.kind, state=draft.state)
    draft.state, draft.url = "published", here.arg("url")[:2000]
    draft.outside = msgspec.structs.replace(draft.outside, url=draft.url)
    return here.record(key, draft)
