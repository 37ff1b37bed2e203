"""Recorded answers that change no card: refusals, and notes that name no crisis."""

from __future__ import annotations

import msgspec

from schemas.command import Command
from schemas.crisis import Crisis
from schemas.desk import NONE
from streams.clock import rfc3339
from streams.crisis.state import BrandState, Life
from streams.crisis.words import clean

#: (event type, card, whether the card is the crisis's state from now on).
Answer = tuple[str, Crisis, bool]


def refuse(state: BrandState, command: Command, life: Life | None, why: str, now: int) -> Answer:
    """Record a refusal. It changes no card: `crisis.state` stays as it is."""
    if life is None:
        return note(state, command, now, "refused", why)
    state.event_seq += 1
    card = msgspec.structs.replace(life.card, seq=state.event_seq, updated_at=rfc3339(now), note=why, decision=command, to_correct=())
    return "refused", card, False


def note(state: BrandState, command: Command, now: int, event: str, words: str) -> Answer:
    """Record an answer to a command that names no known crisis."""
    state.event_seq += 1
    card = Crisis(
        crisis_id=clean(command.crisis_id, 200), brand=state.brand, phase=NONE, onset=rfc3339(now), headline=state.brand,
        seq=state.event_seq, updated_at=rfc3339(now), note=words, decision=command, certainty="Unknown", msg_type="Update",
    )  # fmt: skip
    return event, card, False


def text(command: Command, name: str) -> str:
    """Return an argument as one clean line of at most 2,000 characters, or ""."""
    value = command.args.get(name, "")
    return clean(str(value), 2000) if isinstance(value, str | int | float) else ""


def texts(command: Command, name: str) -> list[str]:
    """Return an argument as clean texts of at most 60 characters, each once."""
    value = command.args.get(name, [])
    return [one for one in dict.fromkeys(clean(str(x), 60) for x in (value if isinstance(value, list) else [value])) if one]
