"""What of a crisis event becomes evidence, and under which id: the one rule that evidence and the gate share.

Both read ``crisis.events``, so both count alike: the gate knows which receipts exist without reading ``crisis.evidence``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from schemas.crisis import Crisis

_KEEP = 50  # crises of a brand whose registers stay open; the one that was silent longest goes
#: What was shown of a brand's crises and is known to have its receipt, at most; longer names are held by their hash. So the registers of
#: a brand take at most about 250 kB, whatever ids mentions have.
_NAMES, _LONG = 2_000, 100


class Register(msgspec.Struct, kw_only=True):
    """What one crisis has captured: the number of its latest receipt, and {name of what was captured: its receipt's number}.

    Names stand in the order in which they were shown last.
    """

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


def take(registers: dict[str, Register], crisis_id: str, names: Sequence[str]) -> list[tuple[str, int]]:
    """Return (name, number of its new receipt) for each of ``names`` that the crisis does not hold yet, in order.

    Both stages take all names of an event at once, so that both forget alike: see `_forget`.
    """
    if not names:
        return []
    register = registers[crisis_id] = registers.pop(crisis_id, Register())
    found = []
    for name in names:
        if (known := _known(register, name)) is not None:
            register.held[known] = register.held.pop(known)  # the one shown last is forgotten last
            continue
        register.seq += 1
        register.held[_key(name)] = register.seq
        found.append((name, register.seq))
    _forget(registers)
    return found


def _forget(registers: dict[str, Register]) -> None:
    """Keep the registers of a brand small enough to be saved, whatever is shown for however long.

    What was shown longest ago is forgotten first, in the crisis that was silent longest. Its receipt stands: shown once more, it only gets
    a second one. What people captured is never forgotten while the register is there, since claims name it; the desk bounds it.
    """
    while len(registers) > _KEEP:
        del registers[next(iter(registers))]
    shown = {crisis: [key for key in register.held if not key.startswith("command:")] for crisis, register in registers.items()}
    excess = sum(map(len, shown.values())) - _NAMES
    for crisis, keys in shown.items():
        if excess <= 0:
            return
        for key in keys[:excess]:
            del registers[crisis].held[key]
        excess -= len(keys)


def _key(name: str) -> str:
    """Return under what a name is held: a long one by its hash, since the names of mentions are whatever their publishers say."""
    if len(name) <= _LONG:
        return name
    return f"{name.partition(':')[0]}:#{hashlib.blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def _known(register: Register, name: str) -> str | None:
    """Return under what ``name`` is held (states of before held long names whole), or None."""
    return next((key for key in (name, _key(name)) if key in register.held), None)


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
    if (known := _known(register, f"command:{given}")) is not None:
        return evidence_id(crisis_id, register.held[known])
    owner, _, number = given.rpartition("/")
    owner = owner or crisis_id
    if not number.isascii() or not number.isdigit() or number.startswith("0") or owner not in registers:
        return ""
    return evidence_id(owner, int(number)) if int(number) <= registers[owner].seq else ""
