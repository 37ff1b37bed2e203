"""Holding statements: what may be said before anything is verified, because it asserts nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

from schemas.desk import person

#: Blanks that a holding statement may have.
BLANKS = ("time", "channel", "contact")
#: A time of day, and a zone from a closed list: no other word could follow it.
_TIME = re.compile(
    r"([01]?[0-9]|2[0-3])[:h][0-5][0-9]"
    r"( ?(UTC|GMT|BST|WET|WEST|CET|CEST|EET|EEST|EST|EDT|CST|CDT|MST|MDT|PST|PDT|IST|JST|AEST|AEDT|[+-][01][0-9]:[0-5][0-9]))?"
)
_BLANK = re.compile(r"\{([^{}]*)\}")


class Holding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A holding statement of the plan. ``hash`` is the SHA-256 of ``text`` that ``approved_by`` approved; ``expires`` RFC 3339.

    ``channels`` and ``contacts`` are the plan's: the only words that may fill those blanks.
    """

    id: str
    text: str
    hash: str = ""
    approved_by: tuple[str, ...] = ()
    expires: str = ""
    channels: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()

    def why_not(self, at_ms: int) -> str:
        """Return why it may not be used at ``at_ms``, or ""."""
        if len({person(name) for name in self.approved_by} - {""}) < 2:
            return "two different people must have approved it in the plan"
        if self.hash != hashlib.sha256(self.text.encode()).hexdigest():
            return "its text is not the one that was approved"
        try:
            ends = datetime.fromisoformat(self.expires)
        except ValueError:
            return "its approval has no end"
        if ends.tzinfo is None:
            return "its approval has no end"
        return "its approval has expired" if at_ms >= ends.timestamp() * 1000 else ""


def blanks(text: str) -> list[str]:
    """Return the names of the blanks in ``text``.

    >>> blanks("Next word at {time} on {channel}.")
    ['time', 'channel']
    """
    return _BLANK.findall(text)


def fill(holding: Holding, args: Mapping[str, object], at_ms: int) -> tuple[str, str, dict[str, object]]:
    """Return (text with its blanks filled, "", {}) or ("", reason, what fills the reason's blanks)."""
    why = holding.why_not(at_ms)
    if why:
        return "", why, {}
    values = {}
    for name in blanks(holding.text):
        value = args.get(name)
        if name not in BLANKS:
            return "", "a holding statement has blanks for time, channel and contact only", {}
        if name == "time":
            if not isinstance(value, str) or not _TIME.fullmatch(value):
                return "", "time must be given, and be nothing but a time of day (05:00, 5h00, 05:00 CET)", {}
        elif value not in (allowed := holding.channels if name == "channel" else holding.contacts):
            return "", "{name} must be one that the plan lists: {names}", {"name": name, "names": ", ".join(allowed)}
        values[name] = str(value)
    return _BLANK.sub(lambda match: values[match[1]], holding.text), "", {}
