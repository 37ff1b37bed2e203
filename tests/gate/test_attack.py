"""Random commands try to get round the gate; each release is judged by the commands alone, with rules written a second time."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from schemas.command import Command
from schemas.response import Statement
from streams.gate.decide import Plan, Rules, decide
from streams.gate.ledger import Ledger, text_hash
from tests.gate.test_decide import _TEXT, HOLDING, NOW

Given = tuple[str, str, str, dict[str, Any]]
_TEXTS = ("One.", "Two.")
_HASHES = {text: text_hash(text) for text in (*_TEXTS, "Never written.")}
#: As the commands name them; several of a row are one person.
_SPELLINGS = {"ann": "ann", "Ann ": "ann", "ANN": "ann", "a\u200bnn": "ann", "bo": "bo", "\uff22o": "bo", "cy": "cy", "dee": "dee",
              "": "", "\u200b": ""}  # fmt: skip
_ROLES = ("on_call", "legal", "communication", "watch", "")
_NAMES = ("claim-add", "claim-verify", "claim-refute", "draft", "draft", "approve", "approve", "approve", "approve", "release", "release",
          "published", "correct", "retract", "delete-own-post")  # fmt: skip
_STALE = msgspec.structs.replace(HOLDING, id="plan/stale", expires="2020-01-01T00:00:00Z")
#: How an honest cell begins, in part or in whole, before anything may come.
_HONEST = ("claim-add", "claim-verify", "draft", "approve", "approve", "approve", "approve")
_RULES = Rules(
    Plan({"aware": HOLDING, "plan/aware": HOLDING, "stale": _STALE}), evidence=lambda given: given if given in ("e1", "e2") else ""
)


class House:
    """The rules of the house, written a second time as plainly as they can be: what was said, by whom, and what stands outside.

    `hears` takes one command after the other; for a release it says whether the statement may leave.
    """

    def __init__(self) -> None:
        self.claims: dict[str, str] = {}
        self.sheets: dict[str, dict[str, Any]] = {}

    def hears(self, given: Given) -> bool:
        name, by, role, args = given
        who, real = _SPELLINGS[by], set(args["evidence"]) <= {"e1", "e2"}
        sheet = self.sheets.get(args["statement"])
        if not who:
            return False
        if name == "claim-add":
            self.claims.setdefault(args["claim"], "open")
        elif name == "claim-verify" and self.claims.get(args["claim"]) == "open" and args["evidence"] and real:
            self.claims[args["claim"]] = "verified"
        elif name == "claim-refute" and args["claim"] in self.claims and real:
            self.claims[args["claim"]] = "refuted"
        elif name in ("draft", "correct"):
            self._writes(name, who, args, sheet, real)
        elif sheet is None:
            return False
        elif name == "approve" and args["hash"] == text_hash(sheet["text"]) and who not in sheet["writers"] and role in _APPROVERS:
            if not sheet["out"] and not sheet["gone"] and not sheet["holding"]:
                sheet["approvers"].add(who)
        elif name == "release" and role in ("lead", "on_call", "communication", "direction") and self._may_leave(sheet):
            sheet["out"] = True
            return True
        elif name == "retract":
            sheet["gone"] = True
        return False

    def _writes(self, name: str, who: str, args: dict[str, Any], sheet: dict[str, Any] | None, real: bool) -> None:
        if sheet is not None and (sheet["gone"] or sheet["out"] != (name == "correct")):
            return
        if "holding" in args:
            approved = args["holding"] == "aware" and args["time"] == "05:00"
            if approved and (sheet is None or (sheet["holding"] and not sheet["released_once"])):
                self.sheets[args["statement"]] = _sheet(who, "", holding=True)
        elif real and not (name == "draft" and sheet and sheet["holding"]) and not (name == "correct" and sheet is None):
            fresh = _sheet(who, args["text"], claims=args["claims"], evidence=args["evidence"])
            if sheet is not None:
                fresh["writers"] |= sheet["writers"]
                fresh["released_once"] = sheet["out"] or sheet["released_once"]
            self.sheets[args["statement"]] = fresh

    def _may_leave(self, sheet: dict[str, Any]) -> bool:
        if sheet["out"] or sheet["gone"]:
            return False
        proven = bool(sheet["claims"]) and all(self.claims.get(claim) == "verified" for claim in sheet["claims"])
        return bool(sheet["holding"]) or (proven and bool(sheet["evidence"]) and len(sheet["approvers"]) >= 2)


def _sheet(
    who: str, text: str, *, claims: list[str] | None = None, evidence: list[str] | None = None, holding: bool = False
) -> dict[str, Any]:
    return {
        "text": text, "writers": {who}, "claims": claims or [], "evidence": evidence or [], "approvers": set(), "holding": holding,
        "out": False, "gone": False, "released_once": False,
    }  # fmt: skip


_APPROVERS = ("lead", "on_call", "communication", "legal", "direction")


def _command(draw: random.Random, name: str) -> Given:
    """Return one command that is mostly what an honest cell would give, and in each part sometimes something else."""

    def pick(usual: Any, *others: Any) -> Any:
        return usual if draw.random() < 0.88 else draw.choice(others)

    args: dict[str, Any] = {
        "statement": pick("s", "t"), "claim": pick("k", "l"), "evidence": pick(["e1"], [], ["e1", "e2"], ["e9"]),
    }  # fmt: skip
    if name in ("draft", "correct"):
        args |= {"text": pick("One.", "Two."), "claims": pick(["k"], ["k", "l"], ["l"], [])}
        if name == "draft" and draw.random() < 0.2:
            del args["text"]
            args |= {"holding": pick("aware", "stale", "none"), "time": pick("05:00", "5:00 LIES"), "channel": "our website"}
    elif name == "approve":
        args["hash"] = _HASHES[pick("One.", "Two.", "Never written.")]
    elif name == "claim-add":
        args["text"] = "it broke"
    by = pick("ann", *_SPELLINGS) if name in ("draft", "correct") else draw.choice(tuple(_SPELLINGS))
    return name, by, pick("lead", *_ROLES), args


def attack(rounds: int, seed: int) -> tuple[int, int]:
    """Give random commands to fresh ledgers; return how many substantive and holding statements got through, each of them judged."""
    draw = random.Random(seed)
    through = {"substantive": 0, "holding": 0}
    for number in range(rounds):
        ledger, house, past = Ledger(), House(), []
        for name in (*_HONEST[: draw.choice((0, 3, 7, 7))], *draw.choices(_NAMES, k=draw.randint(4, 10))):
            given = _command(draw, name)
            past.append(given)
            _, by, role, args = given
            command = Command(id="x", command=name, brand="acme", by=by, at_ms=NOW, role=role, args=args)
            records = decide(ledger, "c", "acme", command, NOW, _RULES).records
            released = [one for one in records if isinstance(one, Statement) and one.state == "released"]
            assert bool(released) == house.hears(given), f"seed {seed}, round {number}: {past}"
            for one in released:
                through[one.kind] += 1
                _judge(one)
    return through["substantive"], through["holding"]


def _judge(released: Statement) -> None:
    """Hold what leaves against its own record."""
    assert released.text_hash == text_hash(released.text)
    if released.kind == "holding":
        assert released.text == _TEXT.replace("{time}", "05:00").replace("{channel}", "our website")
        return
    assert released.text in _TEXTS
    assert len(set(released.approved_by)) >= 2
    assert released.author not in released.approved_by


def test_a_hundred_thousand_sequences_find_no_way_round() -> None:
    """100,000 random command sequences release exactly what the rules allow, and both classes do get through."""
    substantive, holding = attack(100_000, 1)
    assert substantive > 500
    assert holding > 1000
