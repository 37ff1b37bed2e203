"""Which of a crisis's reasons are told to people: what ended it, and what speaks for it."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.desk import OPEN
from schemas.signal import Contribution

#: The reason that stands first on the card of a crisis that ended by itself.
CALM = "calm"


def ended_by(phase: str, reasons: Sequence[Contribution]) -> Contribution | None:
    """Return what ended a crisis in ``phase``, or None: while people are at work on it nothing has."""
    return reasons[0] if reasons and reasons[0].name == CALM and phase not in OPEN else None


def speaking_for(reasons: Sequence[Contribution]) -> list[Contribution]:
    """Return what speaks for the crisis, in its order; where nothing does, what there is.

    What speaks against it is why it rings no more, not why it rang.
    """
    others = [one for one in reasons if one.name != CALM]
    return [one for one in others if one.log_odds > 0.0] or others
