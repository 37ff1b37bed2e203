"""What is known of one crisis: claims, the statements that rest on them, and what of these stands outside."""

from __future__ import annotations

import hashlib

import msgspec

from schemas.response import Statement


class Claim(msgspec.Struct, kw_only=True):
    """One claim: ``status`` is open, verified or refuted; ``by`` who said so last."""

    text: str
    status: str = "open"
    by: str = ""
    evidence: list[str] = []


class Draft(msgspec.Struct, kw_only=True):
    """A statement as it stands. ``writers`` are all who ever wrote at it; ``approvals`` maps a person to the hash approved.

    ``holding`` names the holding statement of the plan that it is (empty: substantive), ``template`` the hash of that one's text.
    ``outside`` is the version that was released last: what the public can read, whatever is being drafted since.
    """

    text: str
    state: str = "draft"
    writers: list[str] = []
    claims: list[str] = []
    evidence: list[str] = []
    approvals: dict[str, str] = {}
    released_by: str = ""
    url: str = ""
    holding: str = ""
    template: str = ""
    outside: Statement | None = None

    @property
    def kind(self) -> str:
        """The class of statement: holding or substantive."""
        return "holding" if self.holding else "substantive"


class Ledger(msgspec.Struct, kw_only=True):
    """Claims and statements of one crisis."""

    claims: dict[str, Claim] = {}
    drafts: dict[str, Draft] = {}


def text_hash(text: str) -> str:
    """Return the SHA-256 of the exact text, as hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def lacking(ledger: Ledger, draft: Draft) -> tuple[str, dict[str, object]]:
    """Return what a substantive statement still lacks for its release, or "", and what fills the blanks of these words."""
    now = text_hash(draft.text)
    approvers = [who for who, bound in draft.approvals.items() if bound == now and who not in draft.writers]
    if len(approvers) < 2:
        return "needs two approvers who did not write it; has {count}", {"count": len(approvers)}
    if not draft.claims:
        return "names no claim", {}
    for key in draft.claims:
        claim = ledger.claims.get(key)
        if claim is None or claim.status != "verified" or not claim.evidence:
            return "claim {name} is not verified", {"name": key[:60]}
    return "" if draft.evidence else "no evidence is attached", {}
