"""The life of a crisis: what a reading or the passing of event time makes of it. Pure; changes the `Life` it is given.

    suspected --over (or 2 of 3 steps: a setting)--> open --severity rises--> escalated
    open, escalated --eased--> eased --over again--> open, escalated
    open, escalated, eased --quiet--> resolved --over by the same rule, within 24 h--> open (reopened)
    suspected --nothing confirms it--> cancelled

Every function returns the events to send, as (type, changes of the card) in order.
"""

from __future__ import annotations

from typing import Any

from schemas.desk import OPEN
from schemas.signal import Contribution, Signal
from streams.clock import rfc3339
from streams.crisis.settings import CrisisSettings
from streams.crisis.state import BrandState, Life
from streams.crisis.words import say
from streams.reasons import CALM
from streams.rounding import six

MINUTE = 60_000
HOUR = 3_600_000
#: Where no mention came and nothing changed, updates are this many times rarer.
_SAME = 12
#: Below this probability of the severity that was told, or a higher one, it falls.
_STILL = 0.25
#: (event type without its prefix, changes of the card).
Step = tuple[str, dict[str, Any]]


def on_reading(life: Life, signal: Signal, over: bool, settings: CrisisSettings) -> list[Step]:
    """Return what a reading that concerns ``life`` makes of it. ``over``: it is what passed the threshold."""
    at = signal.at_ms
    if over:
        life.last_over_ms = at
        if not life.over_steps or life.over_steps[-1] != signal.step:
            life.over_steps = [*life.over_steps, signal.step][-settings.open_of_steps :]
    phase = life.card.phase
    if phase == "suspected":
        return _open(life, at, "opened") if _confirmed(life, signal, over, settings) else []
    if phase == "cancelled":
        if life.final or not over:
            return []
        steps = _suspect(life, at)
        return steps + (_open(life, at, "opened") if _confirmed(life, signal, over, settings) else [])
    if phase == "resolved":
        return _open(life, at, "reopened") if _confirmed(life, signal, over, settings) else []
    if phase not in OPEN:
        return []
    if signal.quiet and not over:
        return resolve(life, at)
    if phase == "eased":
        if over:
            return _again(life, at)
    elif signal.eased and not over and (not life.again_ms or at - life.again_ms >= settings.update_minutes * MINUTE):
        return ease(life)
    elif life.severity_now > life.card.severity:
        return rise(life, at) if at - max(life.risen_ms, opened_ms(life)) >= settings.escalate_minutes * MINUTE else []
    lower = _clearly_lower(life)
    if at - life.told_ms >= settings.update_minutes * MINUTE * (1 if lower or life.card.mentions > life.told_mentions else _SAME):
        least = life.card.severity if life.card.declared_by or not lower else 1
        return [("updated", {"severity": max(1, life.severity_now, least)})]
    return []


def _clearly_lower(life: Life) -> bool:
    """Say whether the severity that was told is hardly possible any more: what lies near a border does not go to and fro."""
    told = life.card.severity
    return 0 < life.severity_now < told and sum(life.card.severities[told - 1 :]) < _STILL


def _confirmed(life: Life, signal: Signal, over: bool, settings: CrisisSettings) -> bool:
    if not over:
        return False
    recent = [step for step in life.over_steps if step > signal.step - settings.open_of_steps]
    return signal.margin >= settings.open_margin or len(recent) >= settings.open_steps


def _suspect(life: Life, at: int) -> list[Step]:
    life.closed_ms = 0
    return [("suspected", {"phase": "suspected", "severity": max(1, life.severity_now), "note": ""})]


def _open(life: Life, at: int, event: str) -> list[Step]:
    changes: dict[str, Any] = {"phase": "open", "severity": max(1, life.severity_now), "resolved_at": None, "note": ""}
    if life.card.opened_at is None:
        changes["opened_at"] = rfc3339(at)
    life.closed_ms = life.risen_ms = life.paged_ms = life.again_ms = 0
    life.watch_ms = at
    return [(event, changes)]


def opened_ms(life: Life) -> int:
    """Return since when it has been open without a break (the time that patience starts from)."""
    return life.watch_ms


def rise(life: Life, at: int) -> list[Step]:
    """Escalate to what the numbers say now."""
    life.risen_ms = at
    return [("escalated", {"phase": "escalated", "severity": life.severity_now})]


def _again(life: Life, at: int) -> list[Step]:
    """Tell what eased as growing again. That stands for the time between two updates, before easing is told again."""
    life.again_ms = at
    if life.severity_now > life.card.severity:
        return rise(life, at)
    return [("updated", {"phase": "escalated" if life.risen_ms else "open"})]


def ease(life: Life) -> list[Step]:
    """Growth and counts are back in the band; the severity falls where it is clearly lower now."""
    return [("eased", {"phase": "eased", "severity": life.severity_now if _clearly_lower(life) else life.card.severity})]


def resolve(life: Life, at: int) -> list[Step]:
    """Quiet for long enough."""
    life.closed_ms = at
    life.over_steps = []
    hours = (at - max(life.last_over_ms, life.watch_ms)) / HOUR
    said = say(CALM, hours=round(hours))
    calm = Contribution(name=CALM, log_odds=0.0, text=said.en, text_fr=said.fr, values={"hours": six(hours)})
    # What rang comes after what ended it.
    contributions = (calm, *(one for one in life.card.contributions if one.name != CALM))
    return [("resolved", {"phase": "resolved", "resolved_at": rfc3339(at), "contributions": contributions})]


def next_due(life: Life, state: BrandState, settings: CrisisSettings) -> int | None:
    """Return the event time (ms) at which ``life`` changes by itself, or None. While sources are silent patience does not run."""
    dues = []
    if life.muted_ms:
        dues.append(life.muted_ms)
    phase = life.card.phase
    if phase in ("open", "escalated") and life.severity_now > life.card.severity:
        dues.append(max(life.risen_ms, opened_ms(life)) + settings.escalate_minutes * MINUTE)
    if not state.blind and life.seen:
        since = max(life.last_over_ms, life.watch_ms)
        if phase == "suspected":
            dues.append(since + settings.suspect_minutes * MINUTE)
        elif phase in ("open", "escalated"):
            dues.append(since + settings.ease_hours * HOUR)
        elif phase == "eased":
            dues.append(since + settings.resolve_hours * HOUR)
    return min(dues) if dues else None


def on_time(life: Life, state: BrandState, due: int, settings: CrisisSettings) -> list[Step]:
    """Return what ``due`` (as `next_due` gave it) makes of ``life``."""
    if life.muted_ms == due:
        life.muted_ms, life.snoozed = 0, False
        return [("noted", {"note": "mute ended"})] if life.card.phase in OPEN else []
    phase = life.card.phase
    rising = phase in ("open", "escalated") and life.severity_now > life.card.severity
    if rising and max(life.risen_ms, opened_ms(life)) + settings.escalate_minutes * MINUTE == due:
        return rise(life, due)
    if phase == "suspected":
        life.closed_ms = due
        life.over_steps = []
        return [("cancelled", {"phase": "cancelled", "note": "nothing confirmed it"})]
    if phase == "eased":
        return resolve(life, due)
    return ease(life)
