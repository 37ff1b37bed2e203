"""What rings of a brand, since when, and how far it has calmed down."""

from __future__ import annotations

import msgspec

from streams.detect.authors import Authors

#: After a change every step is judged for so many steps: the crisis stage may want 2 of 3 to open.
EACH_STEP = 5


class Ring(msgspec.Struct, array_like=True, gc=False):
    """What rings, since its onset; and how far it has calmed down."""

    since_ms: int = 0
    onset_ms: int = 0
    mentions: int = 0
    votes: float = 0.0
    negative: float = 0.0
    authors: Authors = msgspec.field(default_factory=Authors)
    #: Stories that passed the threshold, and whether the brand's own count did.
    stories: list[str] = []
    whole: bool = False
    over: bool = False
    flipped_step: int = 0
    last_reading_ms: int = 0
    last_mentions: int = 0
    last_margin: float = 0.0
    calm_windows: int = 0
    calm_ms: int = 0
    eased: bool = False
    eased_ms: int = 0
    #: Hours of expected activity since easing.
    activity: float = 0.0
    morning: bool = False
    rebased: bool = False
    #: The severity for which it rings beyond the alarm budget; 0: it is within.
    beyond: int = 0
    #: The greatest number since it rings.
    peak: float = 0.0
    #: {hour: votes and negative ones of the day before it that belong to what rang and was over}.
    before: dict[int, tuple[float, float]] = {}

    def told(self, start: float) -> tuple[float, float]:
        """Return the votes and negative ones from ``start`` (hours since 1970) on that rang before this did."""
        rows = [row for hour, row in self.before.items() if hour >= start]
        return sum(row[0] for row in rows), sum(row[1] for row in rows)

    def next_line(self, line: int, step: int, grid_ms: int, every_ms: int) -> int:
        """Return the next line at which the brand is judged without any mention: each one while it is over and a little longer."""
        return line + grid_ms if self.over or step - self.flipped_step < EACH_STEP else (line // every_ms + 1) * every_ms
