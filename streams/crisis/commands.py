"""What people decide, applied to a brand's crises. Every command gets a recorded answer, never an exception."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.command import Command
from schemas.crisis import KINDS, Crisis
from streams.clock import rfc3339
from streams.crisis.card import begin, seal, with_headline
from streams.crisis.settings import CrisisSettings
from streams.crisis.state import CLOSED, MAX_TERMS, BrandState, Life
from streams.crisis.table import NONE, judge
from streams.crisis.words import clean

MINUTE = 60_000
_MAX_MUTE = 7 * 24 * 60
#: (event type, card, whether the card is the crisis's state from now on).
Answer = tuple[str, Crisis, bool]


def apply(state: BrandState, command: Command, now_ms: int, settings: CrisisSettings) -> list[Answer]:
    """Return the events that ``command`` makes at event time ``now_ms``; changes ``state``."""
    life = next((x for x in state.lives if x.card.crisis_id == command.crisis_id), None) if command.crisis_id else None
    phase = life.card.phase if life else ("unknown" if command.crisis_id else NONE)
    event, why = judge(command.command, command.role, phase, dict(command.args))
    if not event:
        return [refuse(state, command, life, why, now_ms)]
    if command.command == "open":
        return _declare(state, command, life, now_ms)
    if life is None:  # vote and missed name no crisis: labels of the brand
        state.labels += 1
        return [refuse_or_note(state, command, now_ms, "noted", _text(command, "text") or command.command)]
    if command.command == "merge":
        return _merge(state, command, life, now_ms)
    if command.command == "split":
        return _split(state, command, life, now_ms)
    changes, why = _changes(command, life, now_ms)
    if why:
        return [refuse(state, command, life, why, now_ms)]
    if event == "resolved":
        life.closed_ms, life.over_steps = now_ms, []
    if event == "cancelled":
        life.closed_ms, life.final = now_ms, True
    if event == "reopened":
        life.closed_ms, life.final, life.watch_ms, life.risen_ms = 0, False, now_ms, 0
    if command.command == "set-kind":
        life.card = with_headline(msgspec.structs.replace(life.card, kind=str(command.args["kind"])), life.terms)
    return [(event, seal(life, state, event, now_ms, decision=command, **changes), True)]


def _changes(command: Command, life: Life, now: int) -> tuple[dict[str, Any], str]:
    """Return what a command that names a crisis changes on its card, or a refusal."""
    name, args, card = command.command, command.args, life.card
    note = _text(command, "text") or _text(command, "reason") or name
    changes: dict[str, Any] = {"note": note}
    if name == "ack":
        if card.acknowledged_by:
            return {}, "acknowledged already"
        changes["acknowledged_by"] = clean(command.by, 100)
    elif name == "assign":
        changes["assigned_to"] = _text(command, "to")[:100]
    elif name == "set-kind":
        if args["kind"] not in KINDS:
            return {}, f"unknown kind; one of {', '.join(KINDS)}"
        changes |= {"kind_set_by": clean(command.by, 100)}
    elif name == "mute":
        minutes = args["minutes"]
        if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= _MAX_MUTE:
            return {}, f"minutes must be a whole number from 1 to {_MAX_MUTE}"
        life.muted_ms = now + minutes * MINUTE
    elif name == "hold":
        held = args.get("on", True) is not False
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
    return changes, ""


def _declare(state: BrandState, command: Command, life: Life | None, now: int) -> list[Answer]:
    """A person declares a crisis (or confirms a suspicion): certainty Observed; mentions of its terms join it."""
    args = command.args
    kind = args.get("kind", "")
    if kind and kind not in KINDS:
        return [refuse(state, command, life, f"unknown kind; one of {', '.join(KINDS)}", now)]
    if life is None:
        if not _text(command, "headline"):
            return [refuse(state, command, None, "open needs headline", now)]
        life = begin(state, now, "open")
    terms = args.get("terms", [])
    if isinstance(terms, list):
        fresh = [clean(str(term), 60).casefold() for term in terms]
        life.terms += [t for t in dict.fromkeys(fresh) if t and t not in life.terms][: MAX_TERMS - len(life.terms)]
    life.watch_ms = now
    by = clean(command.by, 100)
    severity = args.get("severity", 0)
    level = severity if isinstance(severity, int) and not isinstance(severity, bool) and 1 <= severity <= 5 else 0
    headline = _text(command, "headline")[:160].replace(" | ", " / ") or life.card.headline
    life.card = msgspec.structs.replace(
        life.card, declared_by=by, headline=headline, headline_fr=headline, kind=str(kind) or life.card.kind,
        kind_set_by=by if kind else life.card.kind_set_by,
    )  # fmt: skip
    life.card = with_headline(life.card, life.terms)
    changes = {
        "phase": "open", "opened_at": rfc3339(now), "severity": level or max(life.card.severity, life.severity_now, 3),
        "note": _text(command, "text"),
    }  # fmt: skip
    return [("opened", seal(life, state, "opened", now, decision=command, **changes), True)]


def _merge(state: BrandState, command: Command, life: Life, now: int) -> list[Answer]:
    into = next((x for x in state.lives if x.card.crisis_id == command.args["into"]), None)
    if into is None or into is life:
        return [refuse(state, command, life, "no such crisis to merge into" if into is None else "cannot merge into itself", now)]
    if into.card.phase in CLOSED:
        return [refuse(state, command, life, f"the crisis to merge into is {into.card.phase}", now)]
    into.story_ids = list(dict.fromkeys([*into.story_ids, *life.story_ids]))
    into.readings |= {k: v for k, v in life.readings.items() if k not in into.readings}
    into.terms = list(dict.fromkeys([*into.terms, *life.terms]))[:MAX_TERMS]
    into.last_over_ms = max(into.last_over_ms, life.last_over_ms)
    into.seen = into.seen or life.seen
    opens = into.card.phase == "suspected" and life.card.phase != "suspected"
    target = into.card.crisis_id
    gone = seal(life, state, "merged", now, decision=command, phase="merged", merged_into=target, note=f"merged into {target}")
    life.closed_ms, life.final = now, True
    life.story_ids, life.readings, life.terms = [], {}, []
    kept = {ref.story_id: ref for ref in (*into.card.stories, *gone.stories)}
    changes: dict[str, Any] = {
        "stories": tuple(kept.values())[:20], "severity": max(into.card.severity, gone.severity),
        "mentions": into.card.mentions + gone.mentions, "authors": into.card.authors + gone.authors,
        "note": f"took over {gone.crisis_id}",
    }  # fmt: skip
    if opens:
        changes |= {"phase": "open", "opened_at": gone.opened_at}
        into.watch_ms = now
    return [("merged", gone, True), ("merged", seal(into, state, "merged", now, decision=command, **changes), True)]


def _split(state: BrandState, command: Command, life: Life, now: int) -> list[Answer]:
    wanted = command.args["stories"]
    names = [str(x) for x in wanted] if isinstance(wanted, list) else [str(wanted)]
    mine = [name for name in dict.fromkeys(names) if name in life.story_ids]
    if not mine or len(mine) == len(life.story_ids):
        return [refuse(state, command, life, "split needs some, not all, of the crisis's stories", now)]
    readings = {k: life.readings.pop(k) for k in mine if k in life.readings}
    life.story_ids = [k for k in life.story_ids if k not in mine]
    life.terms = list(dict.fromkeys(t for s in life.readings.values() for t in s.terms))[:MAX_TERMS]
    onset = min((s.onset_ms for s in readings.values() if s.onset_ms), default=now)
    other = begin(state, onset, life.card.phase)
    other.story_ids, other.readings, other.seen = mine, readings, True
    other.last_over_ms, other.watch_ms = life.last_over_ms, now
    other.terms = list(dict.fromkeys(t for s in readings.values() for t in s.terms))[:MAX_TERMS]
    moved = tuple(ref for ref in life.card.stories if ref.story_id in mine)
    mentions = sum(s.mentions for s in readings.values())
    authors = sum(s.authors for s in readings.values())
    other.card = with_headline(
        msgspec.structs.replace(
            other.card, kind=life.card.kind, kinds=life.card.kinds, severity=life.card.severity, opened_at=life.card.opened_at,
            stories=moved, mentions=mentions, authors=authors, negative_share=life.card.negative_share,
        ), other.terms,
    )  # fmt: skip
    life.card = with_headline(
        msgspec.structs.replace(
            life.card, stories=tuple(ref for ref in life.card.stories if ref.story_id not in mine),
            mentions=max(0, life.card.mentions - mentions), authors=max(0, life.card.authors - authors),
        ), life.terms,
    )  # fmt: skip
    new_id, old_id = other.card.crisis_id, life.card.crisis_id
    return [
        ("split", seal(life, state, "split", now, decision=command, note=f"{new_id} split off"), True),
        ("split", seal(other, state, "split", now, decision=command, note=f"split from {old_id}"), True),
    ]


def refuse(state: BrandState, command: Command, life: Life | None, why: str, now: int) -> Answer:
    """Record a refusal. It changes no card: `crisis.state` stays as it is."""
    if life is None:
        return refuse_or_note(state, command, now, "refused", why)
    state.event_seq += 1
    card = msgspec.structs.replace(life.card, seq=state.event_seq, updated_at=rfc3339(now), note=why, decision=command)
    return "refused", card, False


def refuse_or_note(state: BrandState, command: Command, now: int, event: str, note: str) -> Answer:
    """Record an answer to a command that names no known crisis."""
    state.event_seq += 1
    card = Crisis(
        crisis_id=clean(command.crisis_id, 200), brand=state.brand, phase=NONE, onset=rfc3339(now), headline=state.brand,
        seq=state.event_seq, updated_at=rfc3339(now), note=note, decision=command, certainty="Unknown", msg_type="Update",
    )  # fmt: skip
    return event, card, False


def _text(command: Command, name: str) -> str:
    value = command.args.get(name, "")
    return clean(str(value), 2000) if isinstance(value, str | int | float) else ""
