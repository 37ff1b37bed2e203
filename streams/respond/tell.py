"""Which event is told over which route: one storm is one thread, and nothing that was held back is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from schemas.crisis import Crisis
from streams.respond.routes import ENDS, Route

#: Events that are told; what people note among themselves, and suspicions, are not.
_TOLD = frozenset({"opened", "updated", "escalated", "eased", "resolved", "reopened", "cancelled", "merged", "split"})


class Told(msgspec.Struct, kw_only=True):
    """What a route was told of a crisis last: when (event time, ms) and how severe it was; and the event that waits for its turn."""

    at_ms: int
    severity: int
    waiting: str = ""


def due_now(told: dict[str, Told], event: str, crisis: Crisis, at_ms: int, routes: Mapping[str, Route], every_ms: int) -> Iterator[Route]:
    """Yield the routes that take the event ``veille.crisis.<event>`` now; changes ``told``.

    A route hears of a crisis at once when it is the first time, when it got more severe or opened again, and when it ended (if it
    heard of it before); of everything else at most each ``every_ms``: what comes too early waits. A mute silences all but the end.
    """
    if event == "noted" and crisis.decision is not None and crisis.decision.command == "ack":
        # Paging services stop to page when somebody has it; people read it in the next message.
        yield from (route for route in routes.values() if route.format == "pagerduty" and route.name in told)
        return
    ended = is_end(event, crisis)
    muted = crisis.muted_until is not None
    if ended or muted:
        for last in told.values():
            last.waiting = ""
    if event not in _TOLD or crisis.opened_at is None or (muted and not ended):
        return
    at = datetime.fromisoformat(crisis.updated_at)
    for route in routes.values():
        known = told.get(route.name)
        if ended and known is not None and (not route.events or event in route.events):
            known.at_ms = at_ms
            yield route
        elif ended or not route.wants(event, crisis, at):
            continue
        elif known is None or crisis.severity > known.severity or event == "reopened" or at_ms - known.at_ms >= every_ms:
            told[route.name] = Told(at_ms=at_ms, severity=crisis.severity)
            yield route
        else:
            known.waiting = event


def next_due(told: Mapping[str, Told], every_ms: int) -> int | None:
    """Return the event time (ms) at which the next message that waits may leave, or None."""
    return min((known.at_ms + every_ms for known in told.values() if known.waiting), default=None)


def waited(told: dict[str, Told], crisis: Crisis, due_ms: int, every_ms: int) -> list[tuple[str, str]]:
    """Return (route, event) of what waited until ``due_ms``; changes ``told``."""
    found = []
    for name, known in told.items():
        if known.waiting and known.at_ms + every_ms <= due_ms:
            found.append((name, known.waiting))
            known.waiting, known.at_ms, known.severity = "", due_ms, crisis.severity
    return found


def is_end(event: str, crisis: Crisis) -> bool:
    """Say whether the crisis is over for whoever was told of it: it ended, or goes on in another one."""
    return event in ENDS or crisis.phase == "merged"
