"""The clock of one raw partition: its watermark, and which sources are alive, as clock records alone tell."""

from __future__ import annotations

from typing import NamedTuple

#: The worker's own wall clock tells the time, but is no source whose silence would mean anything.
WORKER_SOURCE = "veille.worker"
#: More sources than this in one partition are believed for the time, but their silence is not watched.
MAX_SOURCES = 1000


class Change(NamedTuple):
    """A source fell silent (``up`` False) or came back; ``last_ms`` is its last clock before the change."""

    source_id: str
    up: bool
    last_ms: int


class PartitionClock:
    """Watermark W_p in ms (None before any clock) and {source: (last clock, is up)}."""

    def __init__(self, disorder_ms: int, silent_ms: int) -> None:
        self._disorder_ms = disorder_ms
        self._silent_ms = silent_ms
        self.watermark: int | None = None
        self._greatest: int | None = None
        self.sources: dict[str, tuple[int, bool]] = {}

    def tell(self, source_id: str, time_ms: int) -> list[Change]:
        """Take an accepted clock; return which sources changed, in the order of their ids."""
        if self._greatest is None or time_ms > self._greatest:
            self._greatest = time_ms
            self.watermark = time_ms - self._disorder_ms
        changes: list[Change] = []
        sources = self.sources
        if source_id != WORKER_SOURCE and source_id:
            known = sources.get(source_id)
            if known is None:
                if len(sources) < MAX_SOURCES:
                    sources[source_id] = (time_ms, True)
            elif time_ms > known[0]:
                if not known[1] and time_ms >= self._greatest - self._silent_ms:
                    changes.append(Change(source_id, True, known[0]))
                    sources[source_id] = (time_ms, True)
                else:
                    sources[source_id] = (time_ms, known[1])
        limit = self._greatest - self._silent_ms
        for name, (last, up) in sources.items():
            if up and last < limit:
                changes.append(Change(name, False, last))
        for change in changes:
            if not change.up:
                sources[change.source_id] = (change.last_ms, False)
        changes.sort()
        return changes

    def dump(self) -> tuple[int | None, dict[str, tuple[int, bool]]]:
        """Return what `load` takes."""
        return self._greatest, dict(sorted(self.sources.items()))

    def load(self, greatest: int | None, sources: dict[str, tuple[int, bool]]) -> None:
        """Take over a saved clock."""
        self._greatest = greatest
        self.watermark = None if greatest is None else greatest - self._disorder_ms
        self.sources = dict(sources)
