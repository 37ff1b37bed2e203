"""The one table of commands: command x role x phase -> event or refusal. Code, docs and tests read it."""

from __future__ import annotations

from typing import NamedTuple

from schemas.command import COMMANDS
from streams.crisis.state import OPEN

#: Roles of a crisis cell. "" is a person of the desk who names no role.
ROLES = ("", "watch", "on_call", "lead", "communication", "legal", "direction", "customer_care")
_ANY = ROLES
_LEAD = ("", "on_call", "lead", "direction")
_LEGAL = ("", "lead", "legal", "direction")
_ALIVE = ("suspected", *OPEN)
_EVER = (*_ALIVE, "resolved", "cancelled")
#: The phase of a command that needs no crisis.
NONE = "none"


class Rule(NamedTuple):
    """``event`` follows where ``roles`` and ``phases`` allow it; else a refusal with a reason is recorded."""

    event: str
    roles: tuple[str, ...]
    phases: tuple[str, ...]
    #: Arguments that must be there.
    needs: tuple[str, ...] = ()


TABLE: dict[str, Rule] = {
    "open": Rule("opened", _ANY, (NONE, "suspected")),
    "note": Rule("noted", _ANY, (*_EVER, "merged"), ("text",)),
    "capture": Rule("noted", _ANY, _EVER, ("target",)),
    "claim-add": Rule("noted", _ANY, _EVER, ("claim",)),
    "claim-verify": Rule("noted", _ANY, _EVER, ("claim",)),
    "claim-refute": Rule("noted", _ANY, _EVER, ("claim",)),
    "draft": Rule("noted", _ANY, _EVER, ("statement", "text")),
    "approve": Rule("noted", _ANY, _EVER, ("statement",)),
    "release": Rule("noted", _ANY, _EVER, ("statement",)),
    "published": Rule("noted", _ANY, _EVER, ("statement",)),
    "correct": Rule("noted", _ANY, _EVER, ("statement", "text")),
    "retract": Rule("noted", _ANY, _EVER, ("statement",)),
    "task-done": Rule("noted", _ANY, _EVER, ("task",)),
    "task-skip": Rule("noted", _ANY, _EVER, ("task", "reason")),
    "delete-own-post": Rule("noted", _ANY, _EVER),
    "merge": Rule("merged", _LEAD, _ALIVE, ("into",)),
    "split": Rule("split", _LEAD, _ALIVE, ("stories",)),
    "reopen": Rule("reopened", _LEAD, ("resolved", "cancelled")),
    "hold": Rule("noted", _LEGAL, (*_EVER, "merged")),
    "missed": Rule("noted", _ANY, (NONE, *_EVER)),
    "ack": Rule("noted", _ANY, _ALIVE),
    "assign": Rule("noted", _ANY, _ALIVE, ("to",)),
    "set-kind": Rule("updated", _ANY, _ALIVE, ("kind",)),
    "mute": Rule("noted", _ANY, _ALIVE, ("minutes",)),
    "cancel": Rule("cancelled", _LEAD, _ALIVE),
    "close": Rule("resolved", _LEAD, OPEN),
    "vote": Rule("noted", _ANY, (NONE, *_EVER), ("label",)),
}
assert set(TABLE) == set(COMMANDS)


def judge(command: str, role: str, phase: str, args: dict[str, object]) -> tuple[str, str]:
    """Return (event type, "") where the table allows the command, else ("", reason).

    ``phase`` is `NONE` where the command names no crisis, "unknown" where it names one that nobody knows.

    >>> judge("cancel", "watch", "open", {})
    ('', 'role watch may not cancel')
    >>> judge("ack", "", "resolved", {})
    ('', 'ack needs a crisis that is suspected, open, escalated or eased; this one is resolved')
    """
    rule = TABLE.get(command)
    if rule is None:
        return "", "unknown command"
    if phase == "unknown":
        return "", "no such crisis"
    if role not in ROLES:
        return "", "unknown role"
    if role not in rule.roles:
        return "", f"role {role} may not {command}"
    if phase not in rule.phases:
        if phase == NONE:
            return "", f"{command} needs a crisis"
        wanted = [name for name in rule.phases if name != NONE]
        listed = ", ".join(wanted[:-1]) + f" or {wanted[-1]}" if len(wanted) > 1 else "".join(wanted)
        return "", f"{command} needs a crisis that is {listed}; this one is {phase}"
    missing = [name for name in rule.needs if not args.get(name)]
    if missing:
        return "", f"{command} needs {' and '.join(missing)}"
    return rule.event, ""


def markdown() -> str:
    """Return the table for the documentation."""
    lines = ["| command | event | roles | phases | needs |", "|---|---|---|---|---|"]
    for name, rule in TABLE.items():
        roles = "any" if rule.roles == _ANY else ", ".join(role or "(none named)" for role in rule.roles)
        lines.append(f"| `{name}` | `{rule.event}` | {roles} | {', '.join(rule.phases)} | {', '.join(rule.needs)} |")
    return "\n".join(lines) + "\n"
