"""What a signal or a timer does to all crises of one brand."""

from __future__ import annotations

from schemas.crisis import Crisis
from schemas.desk import ACTIVE, OPEN
from schemas.signal import Signal, StoryReading
from streams.crisis import life as lives
from streams.crisis.card import absorb, begin, own_stories, seal
from streams.crisis.life import HOUR, Step
from streams.crisis.questions import ask
from streams.crisis.settings import CrisisSettings
from streams.crisis.state import BrandState, Life, leave_to_others, matches

Event = tuple[str, Crisis]


def on_signal(state: BrandState, signal: Signal, settings: CrisisSettings) -> list[Event]:
    """Apply one signal; return the events in order. The loudest story of a reading that is over says which crisis it concerns."""
    state.page_severity, state.timezone = signal.page_severity, signal.timezone
    blind_before = state.blind
    state.blind = dict(signal.blind)
    events: list[Event] = []
    if signal.kind == "declared":
        return _on_declared(state, signal)
    if signal.kind == "near_miss":
        return ask(state, signal)
    if signal.kind != "reading":
        return _on_sight(state, signal, blind_before)
    lead = max(signal.stories, key=lambda s: (s.score, s.mentions, s.story_id), default=None)
    target = _target(state, signal, lead, settings) if signal.over else None
    owned = own_stories(state, signal)
    for life in list(state.lives):
        own = owned.get(life.card.crisis_id, [])
        leads = life is target or (target is None and life.card.phase in OPEN)
        if lead is not None and target is not None and (lead in own) != (life is target):
            own = [*own, lead] if life is target else [story for story in own if story is not lead]
        if not own and not leads:
            continue
        kind = life.card.kind
        if life.card.phase in ACTIVE or life is target:
            absorb(life, signal, own, leads)
        first = life is target and not life.last_event
        steps: list[Step] = [("suspected", {"severity": max(1, life.severity_now)})] if first else []
        steps += lives.on_reading(life, signal, life is target, settings)
        if not steps and life.card.phase in OPEN and life.card.kind != kind:
            steps = [("updated", {})]
        events += [(event, seal(life, state, event, signal.at_ms, decision=None, **{"note": "", **changes})) for event, changes in steps]
    return events


def _on_declared(state: BrandState, signal: Signal) -> list[Event]:
    """Mentions of a crisis that a person declared: they join it, whatever the watch makes of them, and it is told at once."""
    events: list[Event] = []
    owned = own_stories(state, signal)
    for life in state.lives:
        own = owned.get(life.card.crisis_id, [])
        if own and life.card.phase in ACTIVE:
            absorb(life, signal, own, False)
            life.watch_ms = max(life.watch_ms, signal.at_ms)
            events.append(("updated", seal(life, state, "updated", signal.at_ms, decision=None, note="mentions of what was declared")))
    return events


def _target(state: BrandState, signal: Signal, lead: StoryReading | None, settings: CrisisSettings) -> Life | None:
    """Return the crisis that what rings belongs to: a live one, else one that may reopen, else a new one.

    A crisis that a person ended keeps absorbing its own stories for the time in which others reopen: the word of a person stands.
    """
    live = [life for life in state.lives if life.card.phase in ACTIVE]
    live.sort(key=lambda x: (x.card.phase == "suspected", -x.last_over_ms, x.card.crisis_id))
    names = () if lead is None else (lead.story_id, *lead.merged)
    holder = next((life for name in names for life in live if name in life.story_ids), None)
    if holder is not None:
        return holder
    for life in live:
        if matches(life, signal, lead):
            return life
    recent = [life for life in state.lives if life.closed_ms and signal.at_ms - life.closed_ms <= settings.reopen_hours * HOUR]
    for life in reversed(recent):
        if life.card.phase != "merged" and matches(life, signal, lead):
            leave_to_others(state, life)
            return life
    onset = lead.onset_ms if lead is not None and lead.onset_ms else signal.onset_ms or signal.at_ms
    return begin(state, onset, "suspected")


def _on_sight(state: BrandState, signal: Signal, before: dict[str, int]) -> list[Event]:
    """Sources fell silent or came back: open crises say so at once, and patience starts anew when all are back."""
    events: list[Event] = []
    for life in state.lives:
        if life.card.phase not in ACTIVE:
            continue
        if before and not state.blind:
            life.watch_ms = max(life.watch_ms, signal.at_ms)
        if signal.kind == "suspect_feed":
            events.append(("updated", seal(life, state, "updated", signal.at_ms, decision=None, note=signal.kind, caveats=signal.caveats)))
        elif signal.kind in ("blind", "sighted") or before != state.blind:
            events.append(("updated", seal(life, state, "updated", signal.at_ms, decision=None, note=signal.kind)))
    return events


def on_timer(state: BrandState, life: Life, due: int, at: int, settings: CrisisSettings) -> list[Event]:
    """Apply a timer of ``life`` that was due at ``due``; it is told at ``at``."""
    steps = lives.on_time(life, state, due, settings)
    return [(event, seal(life, state, event, at, decision=None, **{"note": "", **changes})) for event, changes in steps]
