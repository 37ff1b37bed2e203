"""What detect told lately of a brand's stories: it sends what changed, here it is made whole again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from schemas.signal import RECENT, ImpactRow, Signal, StoryReading


class Told(msgspec.Struct):
    """A story as signal number ``seq`` told it, whole. Under "": the table of what rings outside of any story, as ``impact``."""

    seq: int
    reading: StoryReading


def whole(told: dict[str, Told], signal: Signal) -> Signal:
    """Return ``signal`` with all that it leaves out since a recent one told it, and keep it in ``told`` for the next."""
    stories = []
    for reading in signal.stories:
        before = told.get(reading.story_id)
        full = reading if before is None else _story(before.reading, reading)
        told[reading.story_id] = Told(signal.seq, full)
        stories.append(full)
    impact = signal.impact
    if signal.impact_as_before and (before := told.get("")) is not None:
        impact = _table(before.reading.impact, impact)
    if impact:
        told[""] = Told(signal.seq, StoryReading(story_id="", by="", impact=impact))
    for name in [name for name, one in told.items() if one.seq <= signal.seq - RECENT]:
        del told[name]
    if not stories and not signal.impact_as_before:
        return signal
    return msgspec.structs.replace(signal, stories=tuple(stories), impact=impact, impact_as_before=False)


def _story(old: StoryReading, new: StoryReading) -> StoryReading:
    if new.head_as_before:
        new = msgspec.structs.replace(
            new, terms=old.terms, originator=old.originator, merged=old.merged, samples=old.samples, head_as_before=False
        )
    if new.counts_as_before:
        new = msgspec.structs.replace(
            new, networks=old.networks, network_classes=old.network_classes, cues=old.cues, crisis_words=old.crisis_words,
            relays=old.relays, counts_as_before=False,
        )  # fmt: skip
    if new.impact_as_before:
        new = msgspec.structs.replace(new, impact=_table(old.impact, new.impact), impact_as_before=False)
    return new


def _table(old: Sequence[ImpactRow], changed: Sequence[ImpactRow]) -> tuple[ImpactRow, ...]:
    rows = {(row.audience, row.network): row for row in old}
    for row in changed:
        before = rows.get((row.audience, row.network))
        if before is not None and not row.voices:
            row = msgspec.structs.replace(row, voices=before.voices)
        rows[row.audience, row.network] = row
    return tuple(sorted(rows.values(), key=lambda row: (-row.mentions, row.audience, row.network)))
