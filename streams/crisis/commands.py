"""What people decide, applied to a brand's crises. Every command gets a recorded answer, never an exception."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from schemas.command import Command
from schemas.desk import MAX_MINUTES, NONE, UNKNOWN, declared_story, judge, may_hold
from schemas.response import Claim, Statement
from streams.clock import rfc3339
from streams.crisis import effect
from streams.crisis.answers import Answer, note, refuse, text, texts
from streams.crisis.card import begin, seal, with_headline
from streams.crisis.gated import Cell, ask
from streams.crisis.impact import unanswered
from streams.crisis.merging import merge, split
from streams.crisis.state import MAX_ANSWERED, MAX_TERMS, BrandState, Life, leave_to_others
from streams.crisis.words import clean
from streams.gate.decide import GATED

MINUTE = 60_000
#: Commands that leave more behind than the last one of their crisis did.
GROWING = frozenset({"open", "capture", "claim-add", "draft", "correct", "split"})


def apply(
    state: BrandState, command: Command, now_ms: int, cell: Cell, repeated: bool = False, full: bool = False
) -> tuple[list[Answer], Sequence[Statement | Claim]]:
    """Return the events that ``command`` makes at event time ``now_ms``, and what the gate records of it; changes ``state``.

    ``repeated``: its id was answered before. ``full``: no more may be kept of this brand.
    """
    life = next((x for x in state.lives if x.card.crisis_id == command.crisis_id), None) if command.crisis_id else None
    phase = life.card.phase if life else (UNKNOWN if command.crisis_id else NONE)
    event, why = judge(command.command, command.role, phase, command.args)
    if event:
        why = may_hold(command.role, command.by, cell.people)
    if repeated:
        why = "a command of this id was answered already"
    if full and not why and command.command in GROWING:
        why = "too much is kept of this brand's crises already: finish the oldest, and write shorter texts"
    if life is not None and command.command in GATED and (not why or (command.command == "delete-own-post" and not repeated)):
        answer = ask(state, life, command, now_ms, cell)
        why = why or answer.why
        if why:
            return [refuse(state, command, life, why, now_ms)], answer.records
        return [_obey(state, command, life, event, now_ms, to_correct=answer.to_correct)], answer.records
    if why:
        return [refuse(state, command, life, why, now_ms)], ()
    if command.command == "open":
        return _declare(state, command, life, now_ms, cell), ()
    if life is None:  # vote and missed name no crisis: labels of the brand
        return [note(state, command, now_ms, "noted", text(command, "text") or text(command, "headline") or command.command)], ()
    if command.command == "merge":
        return merge(state, command, life, now_ms), ()
    if command.command == "split":
        return split(state, command, life, now_ms), ()
    return [_obey(state, command, life, event, now_ms)], ()


def _obey(state: BrandState, command: Command, life: Life, event: str, now_ms: int, **more: object) -> Answer:
    """Change the card as a command asks that names its crisis, unless its arguments do not allow it."""
    changes, why = _changes(command, life, now_ms)
    if why:
        return refuse(state, command, life, why, now_ms)
    life.confirmed = life.confirmed or command.command in ("ack", "close")
    if event == "resolved":
        life.closed_ms, life.over_steps = now_ms, []
    if event == "cancelled":
        life.closed_ms, life.final = now_ms, True
    if event == "reopened":
        life.closed_ms, life.final, life.watch_ms = 0, False, now_ms
        life.risen_ms = life.again_ms = 0
        leave_to_others(state, life)
    if command.command == "set-kind":
        life.card = with_headline(msgspec.structs.replace(life.card, kind=str(command.args["kind"])), life.terms)
    return event, seal(life, state, event, now_ms, decision=command, **changes, **more), True


def _changes(command: Command, life: Life, now: int) -> tuple[dict[str, Any], str]:
    """Return what a command that names a crisis changes on its card, or a refusal."""
    name, args, card = command.command, command.args, life.card
    changes: dict[str, Any] = {"note": text(command, "text") or text(command, "reason") or name}
    if name == "ack":
        if card.acknowledged_by:
            return {}, "acknowledged already"
        changes["acknowledged_by"] = clean(command.by, 100)
    elif name == "assign":
        changes["assigned_to"] = text(command, "to")[:100]
    elif name == "set-kind":
        changes["kind_set_by"] = clean(command.by, 100)
    elif name in ("mute", "snooze"):
        minutes = args["minutes"]
        if not isinstance(minutes, int) or not 1 <= minutes <= MAX_MINUTES:
            return {}, f"minutes must be a whole number from 1 to {MAX_MINUTES}"
        life.muted_ms, life.snoozed = now + minutes * MINUTE, name == "snooze"
    elif name == "hold":
        held = not args.get("off", False)
        if held == card.hold:
            return {}, "held already" if held else "not held"
        changes["hold"] = held
    elif name == "cancel":
        changes["phase"] = "cancelled"
    elif name == "close":
        changes |= {"phase": "resolved", "resolved_at": rfc3339(now)}
    elif name == "reopen":
        changes |= {"phase": "open", "resolved_at": None}
        if card.opened_at is None:
            changes["opened_at"] = rfc3339(now)
    elif name == "published":
        changes |= _publish(command, life, now)
    return changes, ""


def _publish(command: Command, life: Life, now: int) -> dict[str, Any]:
    """An answer stands outside: from now on its effect is looked for, and what it was meant for counts as answered."""
    statement = text(command, "statement")[:200]
    audiences, networks = (tuple(sorted(texts(command, name)))[:20] for name in ("audiences", "networks"))
    life.answered = [one for one in life.answered if one.statement_id != statement][1 - MAX_ANSWERED :]
    life.answered.append(effect.begin(statement, now, audiences, networks, life.readings.values()))
    effects = tuple(one.effect for one in life.answered if one.effect is not None)
    return {"effects": effects, "unanswered": unanswered(life.card.impact, life.own_networks, effects)}


def _declare(state: BrandState, command: Command, life: Life | None, now: int, cell: Cell) -> list[Answer]:
    """A person declares a crisis (or confirms a suspicion): certainty Observed; mentions of its terms join it."""
    args = command.args
    kind = args.get("kind", "")
    level = args.get("severity", 0)
    if not isinstance(level, int) or not 0 <= level <= 5:
        return [refuse(state, command, life, "severity lies between 1 and 5", now)]
    zone = text(command, "timezone")[:60]
    if zone and not _is_zone(zone):
        return [refuse(state, command, life, "unknown time zone; an example is Europe/Paris", now)]
    if life is None:
        if not text(command, "headline"):
            return [refuse(state, command, None, "open needs headline", now)]
        if not state.signal_seq:  # the watch, once it has spoken of the brand, knows better
            state.timezone, state.page_severity = cell.own.get(state.brand, (zone or state.timezone, state.page_severity))
        life = begin(state, now, "open")
    fresh = [term.casefold() for term in texts(command, "terms")]
    life.terms += [t for t in dict.fromkeys(fresh) if t and t not in life.terms][: MAX_TERMS - len(life.terms)]
    life.story_ids.append(declared_story(state.brand, command.id))
    life.watch_ms = now
    by = clean(command.by, 100)
    headline = text(command, "headline")[:160].replace(" | ", " / ") or life.card.headline
    life.card = msgspec.structs.replace(
        life.card, declared_by=by, headline=headline, headline_fr=headline, kind=str(kind) or life.card.kind,
        kind_set_by=by if kind else life.card.kind_set_by,
    )  # fmt: skip
    life.card = with_headline(life.card, life.terms)
    changes = {
        "phase": "open", "opened_at": rfc3339(now), "severity": level or max(life.card.severity, life.severity_now, 3),
        "note": text(command, "text"),
    }  # fmt: skip
    return [("opened", seal(life, state, "opened", now, decision=command, **changes), True)]


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # as it says that a name is none, a path, or too long
        return False
    return True
