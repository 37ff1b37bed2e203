"""Holds what opened against what was planted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Any, NamedTuple

from streams.simulate.simulation import PlantedEvent, Simulation

#: An opening later than this after the last mention of a planted event has nothing to do with it.
_AFTER_MS = 12 * 3_600_000


class Lead(NamedTuple):
    """An opening of a planted event: minutes after its first mention, and the share of its mentions before the opening."""

    event: PlantedEvent
    minutes: float
    share: float


class Score:
    """Matches opened crises with the planted events of a simulation, as they come."""

    def __init__(self, made: Simulation) -> None:
        times = {mention.id: ms for ms, mention in made.mentions}
        self._events = [(event, sorted(times[name] for name in event.mention_ids if name in times)) for event in made.truth]
        self.leads: dict[str, Lead] = {}
        self.strangers = 0

    def opened(self, brand: str, at_ms: int) -> Lead | None:
        """Return the planted event that this opening belongs to, or None: then nothing was planted there."""
        found: Lead | None = None
        for event, times in self._events:
            if event.brand == brand and times and event.onset_ms <= at_ms <= times[-1] + _AFTER_MS:
                found = Lead(event, (at_ms - event.onset_ms) / 60_000, bisect_left(times, at_ms) / len(times))
        if found is None:
            self.strangers += 1
        else:
            self.leads.setdefault(found.event.name, found)
        return found

    def planted(self, *, crisis: bool) -> Sequence[PlantedEvent]:
        """Return the planted crises, or the decoys."""
        return [event for event, _ in self._events if event.crisis == crisis]

    def found(self, *, crisis: bool) -> list[Lead]:
        """Return what opened among the crises, or among the decoys."""
        return [lead for lead in self.leads.values() if lead.event.crisis == crisis]

    def lines(self) -> list[str]:
        """Return the summary for people."""
        crises, decoys = self.planted(crisis=True), self.planted(crisis=False)
        found, fooled = self.found(crisis=True), self.found(crisis=False)
        lines = [
            f"{len(found)} of {len(crises)} planted crises opened, {len(fooled)} of {len(decoys)} decoys, {self.strangers} other alarms"
        ]
        if found:
            middle = median(lead.minutes for lead in found)
            share = median(lead.share for lead in found)
            lines.append(f"median lead: {middle:.0f} min after the first mention, when {share:.0%} of its mentions were out")
        missed = [event.name for event in crises if event.name not in self.leads]
        if missed:
            lines.append(f"missed: {', '.join(missed)}")
        return lines


def ms_of(time: str) -> int:
    """Return an RFC 3339 time in ms."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def lead_words(score: Score, event: dict[str, Any]) -> str:
    """Return what the truth says of an opening, for people."""
    lead = score.opened(str(event["data"]["brand"]), ms_of(event["time"]))
    if lead is None:
        return "nothing was planted here: a false alarm"
    word = f"{lead.event.name}: {lead.minutes:.0f} min after its first mention, {lead.share:.0%} of its mentions were out"
    return word if lead.event.crisis else f"a decoy ({lead.event.name}): a false alarm"
