"""Several stories of one cause are one crisis: two crises become one, or stories leave for a crisis of their own."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.command import Command
from schemas.desk import CLOSED
from streams.crisis.answers import Answer, refuse
from streams.crisis.card import begin, seal, with_headline
from streams.crisis.state import MAX_ANSWERED, MAX_TERMS, MAX_WORDS, BrandState, Life


def merge(state: BrandState, command: Command, life: Life, now: int) -> list[Answer]:
    """Let ``life`` go on in the crisis that ``into`` names; the table has allowed it."""
    into = next((x for x in state.lives if x.card.crisis_id == command.args["into"]), None)
    if into is None or into is life:
        return [refuse(state, command, life, "no such crisis to merge into" if into is None else "cannot merge into itself", now)]
    if into.card.phase in CLOSED:
        return [refuse(state, command, life, f"the crisis to merge into is {into.card.phase}", now)]
    into.story_ids = list(dict.fromkeys([*into.story_ids, *life.story_ids]))
    into.readings |= {k: v for k, v in life.readings.items() if k not in into.readings}
    into.terms = list(dict.fromkeys([*into.terms, *life.terms]))[:MAX_TERMS]
    into.words = list(dict.fromkeys([*life.words, *into.words]))[-MAX_WORDS:]
    into.answered = [*into.answered, *life.answered][-MAX_ANSWERED:]
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


def split(state: BrandState, command: Command, life: Life, now: int) -> list[Answer]:
    """Let the ``stories`` named leave ``life`` for a crisis of their own; the table has allowed it."""
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
