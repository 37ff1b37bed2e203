"""One source's way out: its mentions, how far it is, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from streams.clock import WallClock
from streams.engine.stage import Output
from streams.metrics import PrometheusMeter
from streams.sources.live.making import Ready
from streams.sources.live.outlet import Outlet
from streams.sources.live.places import Place
from streams.sources.live.trouble import Trouble
from streams.sources.plan import TOPIC

log = structlog.get_logger(__name__)
#: Seconds between two tries of a source in trouble: doubling from the first to the second.
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0
#: Records that are handed over at once.
_CHUNK: Final = 500
#: What another side may ask us to wait at most, in seconds.
_MOST_ASKED: Final = 6 * 3600.0


class Post:
    """What a source has to do with the rest. `deliver` first, then save the place, then `reached`."""

    def __init__(self, name: str, outlet: Outlet, place: Place, meter: PrometheusMeter, wall: WallClock) -> None:
        self.name = name
        self.place = place
        self.wall = wall
        self.outlet = outlet
        #: All up to here is on the broker, ms; None: nothing is known yet.
        self.reached_ms: int | None = None
        self._meter = meter
        self._failures = 0
        self._told = ""
        self._up = False
        meter.put("veille_source_up", 0, name)
        meter.count("veille_source_mentions", 0, name)
        meter.count("veille_source_refused", 0, name)

    async def deliver(self, mentions: Sequence[Ready]) -> None:
        """Return once the broker has ``mentions``; while it is away this waits."""
        for begin in range(0, len(mentions), _CHUNK):
            chunk = mentions[begin : begin + _CHUNK]
            await self.outlet.publish([Output(TOPIC, one.id.encode("utf-8", "replace"), one.value) for one in chunk])
            self._meter.count("veille_source_mentions", len(chunk), self.name)

    def refuse(self, count: int) -> None:
        """Count what was no usable mention."""
        self._meter.count("veille_source_refused", count, self.name)

    def reached(self, ms: int) -> None:
        """Say that all of this source up to ``ms`` is on the broker: the clock follows."""
        ms = min(ms, self.wall())
        self.reached_ms = ms if self.reached_ms is None else max(self.reached_ms, ms)

    def well(self) -> None:
        """Say that the other side was heard."""
        now = self.wall()
        self._meter.put("veille_source_last_success_timestamp_seconds", now / 1000, self.name)
        self._failures = 0
        if not self._up:
            self._meter.put("veille_source_up", 1, self.name)
            log.info("source is back" if self._told else "source is heard", source=self.name)
        self._up, self._told = True, ""

    def trouble(self, trouble: Trouble) -> float:
        """Say once what is wrong and how to mend it; return how many seconds to wait before the next try."""
        self._meter.put("veille_source_up", 0, self.name)
        self._up = False
        if trouble.said.word != self._told:
            self._told = trouble.said.word
            log.warning(str(trouble.said), source=self.name)
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self._failures, 20))
        self._failures += 1
        return min(trouble.after, _MOST_ASKED) if trouble.after > 0 else wait
