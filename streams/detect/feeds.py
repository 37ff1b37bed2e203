"""Feed faults: when many comparable brands are loud at once on one source, it is the source."""

from __future__ import annotations

import math

import msgspec

from streams.detect.baseline import COLD_HOURS
from streams.detect.brand import Brand
from streams.detect.feed import Marks
from streams.detect.formulas import count_tail
from streams.detect.windows import HOUR_MS

#: Brands that can be compared, at least; shares of them above their 1 % tail at which suspicion begins and at which it ends.
LEAST, SHARE, OVER = 20, 0.2, 0.1
#: -log10 of the tail; a source must be known to a brand for so long; lines for which a passed tail counts; comparable means heard since.
TAIL, KNOWN_MS, HOLD, HEARD_MS = 2.0, 24 * HOUR_MS, 5, 24 * HOUR_MS
#: Suspicion of so long is a new level; for so long it may rest, as at night, and be the same.
LASTING_MS, RESTING_MS = 24 * HOUR_MS, 12 * HOUR_MS
#: Key of what was decided among the states of brands, whose ids know no such character.
FEEDS = b"@feeds"
#: Changes that are remembered, for brands that are computed behind.
_KEPT = 512

#: (source, volume class), and what is known of the two at a line: 0 nothing, 1 comparable, 2 suspect; brands above their tail, brands.
Group = tuple[str, int]
Standing = tuple[int, int, int]
_NONE: Standing = (0, 0, 0)


class FeedLog(msgspec.Struct, array_like=True):
    """What was decided up to and including line ``w``, and the latest changes (line, source, class, standing), oldest first."""

    w: int = -1
    current: list[tuple[str, int, Standing]] = []
    changes: list[tuple[int, str, int, Standing]] = []


_log = msgspec.msgpack.Decoder(FeedLog)


def volume_class(rate: float) -> int:
    """Return the class of a brand of ``rate`` votes an hour: each spans a factor of four.

    >>> [volume_class(rate) for rate in (0.01, 1.0, 3.9, 4.1, 100.0)]
    [0, 4, 4, 5, 7]
    """
    return max(0, 4 + math.floor(math.log(max(rate, 1e-9), 4.0)))


def look(brand: Brand, line: int) -> None:
    """Bring what each source said in about the last hour up to ``line``, and note which of them pass their 1 % tail there.

    What is expected of a source is its share of the brand's votes; a decaying sum of one hour varies half as much as a count. The tail is
    that of the brand's own past hours, as for its volume.
    """
    base, sources, feeds = brand.base, brand.sources, brand.feeds
    rate, known, fixed = base.a / base.b, base.hours >= COLD_HOURS, brand.fixed(line // HOUR_MS)
    brand.lined, brand.volume_class = line, volume_class(rate) if known else -1
    if not feeds.keys() <= sources.keys():
        feeds = brand.feeds = {source: feed for source, feed in feeds.items() if source in sources}
    total = math.fsum(sources.values()) if known else 0.0
    hourly = rate * fixed.running / total if total > 0.0 else 0.0
    for source, feed in feeds.items():
        feed.recent = feed.recent * math.exp((feed.at_ms - line) / HOUR_MS) + feed.fresh
        feed.at_ms, feed.fresh = line, 0.0
        mean = hourly * sources[source]
        if feed.recent > mean > 0.0 and line - feed.since_ms >= KNOWN_MS:
            variance = 0.5 * base.phi[1] * mean + mean * mean * base.phi[1] / max(base.a, 0.5)
            if brand.surprise.score_one(count_tail(feed.recent, mean, variance), fixed.surprise) >= TAIL:
                feed.passed = line


class FeedWatch:
    """Compares the brands of a partition, source by source and volume class by volume class, at each line that visits one.

    `take` every brand that is visited at a line, then `decide`; from then on `standing` tells. Members are a function of the brands'
    states, so they are taken again after a restart; where brands are computed further than others, what was decided below ``log.w``
    is read off the log of changes, which is saved before any brand, so that it is never behind one.
    """

    def __init__(self, grid_ms: int, saved: bytes | None = None) -> None:
        self.log = FeedLog() if saved is None else _log.decode(saved)
        self._hold = HOLD * grid_ms
        self._current: dict[Group, Standing] = {(source, place): standing for source, place, standing in self.log.current}
        self._members: dict[Group, dict[str, int]] = {}
        self._passing: dict[Group, dict[str, int]] = {}
        self._groups: dict[str, list[Group]] = {}
        self._touched: dict[Group, None] = {}
        self._hour = -1

    @property
    def suspects(self) -> int:
        """Sources that are suspect in any volume class."""
        return len({group[0] for group, standing in self._current.items() if standing[0] == 2})

    @property
    def needed(self) -> bool:
        """Whether anything could ever be compared: only then the log is worth saving."""
        return bool(self.log.changes) or any(len(members) > 1 for members in self._members.values())

    def take(self, brand: str, marks: Marks) -> None:
        """Take a brand as it stands at its latest line (see `Brand.marks`)."""
        line, place, known = marks
        passed = {(source, place): passed for source, since, passed in known if place >= 0 and line - since >= KNOWN_MS}
        for group in self._groups.get(brand, ()):
            if group not in passed:
                del self._members[group][brand]
                self._passing[group].pop(brand, None)
                self._touched[group] = None
        self._groups[brand] = list(passed)
        for group, last in passed.items():
            members = self._members.get(group)
            if members is None:
                members, self._passing[group] = self._members.setdefault(group, {}), {}
            members[brand] = line
            if last:
                self._passing[group][brand] = last
            self._touched[group] = None

    def decide(self, line: int) -> None:
        """Say of every group that may have changed whether its source is suspect from ``line`` on."""
        log = self.log
        if line > log.w:
            if line // HOUR_MS != self._hour:
                self._hour = line // HOUR_MS
                self._forget(self._hour * HOUR_MS - HEARD_MS)
            for group in sorted({*self._touched, *(group for group, standing in self._current.items() if standing[0] == 2)}):
                before = self._current.get(group, _NONE)
                brands = len(self._members.get(group, ()))
                # What began ends when an hour went by: in a quiet night five minutes say nothing.
                since = line - (HOUR_MS if before[0] == 2 else self._hold)
                loud = self._loud(group, since) if brands >= LEAST else 0
                state = 0 if brands < LEAST else 2 if loud > (OVER if before[0] == 2 else SHARE) * brands else 1
                if state != before[0]:
                    self._current[group] = (state, loud, brands)
                    log.changes.append((line, *group, (state, loud, brands)))
            log.w = line
            del log.changes[:-_KEPT]
        self._touched.clear()

    def _loud(self, group: Group, since: int) -> int:
        """Return how many brands passed their tail after ``since``, and leave out those that did not: among many brands few do."""
        passing = self._passing.get(group, {})
        for brand in [brand for brand, passed in passing.items() if passed <= since]:
            del passing[brand]
        return len(passing)

    def _forget(self, before: int) -> None:
        """Leave out brands of which nothing was heard since ``before``."""
        for group, members in self._members.items():
            for brand in [brand for brand, line in members.items() if line < before]:
                del members[brand]
                self._passing[group].pop(brand, None)
                self._groups[brand].remove(group)
                self._touched[group] = None

    def standing(self, group: Group, at_ms: int) -> Standing:
        """Return what was known of a group at ``at_ms``."""
        if at_ms >= self.log.w:
            return self._current.get(group, _NONE)
        for line, source, place, standing in reversed(self.log.changes):
            if line <= at_ms and (source, place) == group:
                return standing
        return _NONE

    def hold(self, brand: Brand, line: int) -> list[str]:
        """Hold against ``brand`` the suspect sources on which it is loud itself; return the kinds of signals that this makes.

        What lasts for a day is what is usual from now on: the shadow baseline takes over.
        """
        found = {}
        for source, feed in brand.feeds.items():
            known = brand.suspect.get(source)
            if feed.passed > line - (HOUR_MS if known else self._hold):
                state, *counts = self.standing((source, brand.volume_class), line)
                # Where others went on to another class there is nobody left to compare with: that clears no feed.
                if state == 2 or (known and state == 0):
                    if line - feed.suspected_ms > RESTING_MS:
                        feed.suspect_ms = line
                    feed.suspected_ms = line
                    found[source] = known or (feed.suspect_ms, counts[0], counts[1])
        if not (found or brand.suspect or brand.welcomed):
            return []
        kinds = ["rebased"] if brand.welcomed else []
        brand.welcomed = False
        kinds += ["suspect_feed"] if found.keys() != brand.suspect.keys() else []
        if any(line - since >= LASTING_MS for since, _, _ in found.values()):
            brand.base.rebase()
            brand.rebase_shares(line)
            brand.factors, found = [], {}
            for feed in brand.feeds.values():
                feed.suspected_ms = 0
            kinds = ["rebased", "suspect_feed"]
        brand.suspect = found
        return kinds

    def comparable(self, brand: Brand, at_ms: int) -> bool:
        """Say whether the brand's volume can be compared: within a step it then waits for the others, which the line brings."""
        return any(self.standing((source, brand.volume_class), at_ms)[0] for source in brand.feeds)

    def save(self) -> FeedLog:
        """Return the log with the current standings."""
        self.log.current = [(*group, standing) for group, standing in sorted(self._current.items())]
        return self.log
