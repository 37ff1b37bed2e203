"""What is to be told to whom: one record of ``crisis.notifications``."""

from __future__ import annotations

import msgspec

from schemas.crisis import Crisis
from streams.respond.settings import RespondSettings


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one target. ``id`` is ``<brand>-<seq>-<route>``: the same over every repeat.

    ``route`` names a `streams.respond.routes.Route`; ``event`` is the CloudEvents type of the crisis event; ``time`` its time.
    """

    id: str
    route: str
    event: str
    time: str
    crisis: Crisis


#: Events that are told; what people note among themselves, and suspicions, are not.
TOLD = frozenset({"opened", "updated", "escalated", "eased", "resolved", "reopened", "cancelled", "merged", "split"})


def worth_telling(event: str, crisis: Crisis, at_ms: int, told_ms: int, settings: RespondSettings) -> bool:
    """Say whether an event becomes a message: mute silences all but the end, updates come at most each ``update_minutes``."""
    short = event.removeprefix("veille.crisis.")
    if short not in TOLD or crisis.phase == "suspected" or crisis.opened_at is None:
        return False
    if crisis.muted_until is not None and short not in ("resolved", "cancelled"):
        return False
    return short != "updated" or at_ms - told_ms >= settings.update_minutes * 60_000
