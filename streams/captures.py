"""What of a crisis event becomes evidence, and under which id: the one rule that evidence and the gate share.

Both read ``crisis.events``, so both count alike: the gate knows which receipts exist without reading ``crisis.evidence``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

import msgspec

from schemas.crisis import Crisis

_KEEP = 50  # crises of a brand whose registers stay open; the one that was silent longest goes


class Register(msgspec.Struct, kw_only=True):
    """What one crisis has captured: the number of its latest receipt, and {name of what was captured: its receipt's number}."""

    seq: int = 0
    held: dict[str, int] = {}


def captured(event: str, crisis: Crisis) -> list[str]:
    """Return the names of what ``veille.crisis.<event>`` shows that must be kept, in order.

    A name is ``originator:``, ``sample:`` or ``command:`` and an id.
    """
    if event == "refused" or crisis.phase == "none":
        return []
    names = [f"originator:{crisis.originator.mention_id}"] if crisis.originator is not None else []
    names += [f"sample:{sample.mention_id}" for sample in crisis.samples]
    if crisis.decision is not None and crisis.decision.command == "capture":
        names.append(f"command:{crisis.decision.id}")
    return names


def uploaded(args: Mapping[str, object]) -> bytes | None:
    """Return the bytes of the file that a command brings; None where it brings none, or no base64."""
    coded = args.get("bytes_b64")
    if not isinstance(coded, str) or not coded:
        return None
    try:
        return base64.b64decode(coded, validate=True)
    except ValueError:
        return None


def kept(crisis: Crisis) -> Crisis:
    """Return a card as it is kept: in place of an uploaded file's bytes stands their SHA-256; the command's id leads to the receipt.

    The event holds the bytes until evidence has them; a card that is stored, and read for as long as the crisis lasts, need not.
    """
    decision = crisis.decision
    if decision is None or "bytes_b64" not in decision.args:
        return crisis
    data = uploaded(decision.args)
    if data is None:
        data = str(decision.args["bytes_b64"]).encode("utf-8", "surrogatepass")
    args = {name: value for name, value in decision.args.items() if name != "bytes_b64"} | {"sha256": hashlib.sha256(data).hexdigest()}
    return msgspec.structs.replace(crisis, decision=msgspec.structs.replace(decision, args=args))


def admit(register: Register, name: str) -> int:
    """Return the number of a new receipt for ``name``, or 0 where it is held already."""
    if name in register.held:
        return 0
    register.seq += 1
    register.held[name] = register.seq
    return register.seq


def evidence_id(crisis_id: str, number: int) -> str:
    """Return the id of a crisis's ``number``-th receipt (from 1).

    >>> evidence_id("acme-20140513T155320-1", 3)
    'acme-20140513T155320-1/3'
    """
    return f"{crisis_id}/{number}"


def resolve(registers: dict[str, Register], crisis_id: str, given: str) -> str:
    """Return the id of the receipt that ``given`` names, or "" where none exists.

    ``given`` is the receipt's id, its number within the crisis, or the id of the command that captured it.
    """
    register = registers.get(crisis_id, Register())
    if f"command:{given}" in register.held:
        return evidence_id(crisis_id, register.held[f"command:{given}"])
    owner, _, number = given.rpartition("/")
    owner = owner or crisis_id
    if not number.isascii() or not number.isdigit() or number.startswith("0") or owner not in registers:
        return ""
    return evidence_id(owner, int(number)) if int(number) <= registers[owner].seq else ""


def touch(registers: dict[str, Register], crisis_id: str) -> Register:
    """Return the register of a crisis, as the one touched last; the one that was silent longest may go for it."""
    register = registers[crisis_id] = registers.pop(crisis_id, Register())
    while len(registers) > _KEEP:
        del registers[next(iter(registers))]
    return register
