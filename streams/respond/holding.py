"""Holding statements: what may be said before anything is verified, because it asserts nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

#: Blanks that a holding statement may have, and what may fill them: nothing that could carry a claim.
BLANKS = {
    "time": re.compile(r"[0-9]{1,2}[:h][0-9]{2}( [A-Z]{1,5})?"),
    "channel": re.compile(r"@?[\w.-]{1,40}"),
    "contact": re.compile(r"[\w.+-]{1,64}@[\w.-]{1,80}|\+?[0-9 ]{4,20}|https://[\w.-]{1,80}"),
}
_BLANK = re.compile(r"\{([^{}]*)\}")


class Holding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A holding statement of the plan. ``hash`` is the SHA-256 of ``text`` that ``approved_by`` approved; ``expires`` RFC 3339."""

    id: str
    text: str
    hash: str = ""
    approved_by: tuple[str, ...] = ()
    expires: str = ""

    def why_not(self, at_ms: int) -> str:
        """Return why it may not be used at ``at_ms``, or ""."""
        people = {" ".join(name.casefold().split()) for name in self.approved_by} - {""}
        if len(people) < 2:
            return "two different people must have approved it in the plan"
        if self.hash != hashlib.sha256(self.text.encode()).hexdigest():
            return "its text is not the one that was approved"
        try:
            ends = datetime.fromisoformat(self.expires)
        except ValueError:
            return "its approval has no end"
        if ends.tzinfo is None or at_ms >= ends.timestamp() * 1000:
            return "its approval has expired"
        return ""

    def in_force(self, at_ms: int) -> bool:
        """Say whether it may be used at ``at_ms``."""
        return not self.why_not(at_ms)


def blanks(text: str) -> list[str]:
    """Return the names of the blanks in ``text``.

    >>> blanks("Next word at {time} on {channel}.")
    ['time', 'channel']
    """
    return _BLANK.findall(text)


def fill(holding: Holding, args: Mapping[str, object], at_ms: int) -> tuple[str, str]:
    """Return (text with its blanks filled, "") or ("", reason)."""
    why = holding.why_not(at_ms)
    if why:
        return "", why
    values = {}
    for name in blanks(holding.text):
        value = args.get(name)
        if name not in BLANKS:
            return "", "a holding statement has blanks for time, channel and contact only"
        if not isinstance(value, str) or not BLANKS[name].fullmatch(value):
            return "", f"{name} must be given, and be nothing but a {name}"
        values[name] = value
    return _BLANK.sub(lambda match: values[match[1]], holding.text), ""
