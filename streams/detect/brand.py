"""All that is known of one brand, and how mentions and hours change it."""

from __future__ import annotations

import math
import sys

import msgspec
import xxhash

from schemas.enriched import BrandSettings, Enriched
from streams.detect.authors import Authors
from streams.detect.baseline import Baseline, Share
from streams.detect.book import Book
from streams.detect.budget import Budget
from streams.detect.copies import Copies
from streams.detect.desk import Desk
from streams.detect.evidence import SILENT, weigh
from streams.detect.score import Usual
from streams.detect.stories import Story
from streams.detect.tail import Tail
from streams.detect.windows import HOUR_MS, NEGATIVE, RAW, RING_NEGATIVE, RING_VOTES, TROUBLE, VOTES, Windows

_MAX_NAMES = 512


class Ring(msgspec.Struct, array_like=True):
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


class Brand(msgspec.Struct, array_like=True):
    """State of one brand. ``w``: computed up to this watermark (ms); ``timer``: next grid line to visit (ms), 0: none."""

    id: str
    w: int = -1
    seq: int = 0
    timer: int = 0
    version: int = 0
    timezone: str = "UTC"
    page_severity: int = 3
    match_hash: str = ""
    calendar: tuple[tuple[int, int, tuple[str, ...], float], ...] = ()
    #: Since when the brand is watched (ms), where that is known: hours without a mention count from then on.
    watched_ms: int = 0
    #: First hour that can be learned (hours since 1970), and the next one; -1: nothing seen.
    born_hour: int = -1
    next_hour: int = -1
    counts: Windows = msgspec.field(default_factory=Windows)
    base: Baseline = msgspec.field(default_factory=Baseline)
    negative: Share = msgspec.field(default_factory=lambda: Share(1.6, 6.4))
    trouble: Share = msgspec.field(default_factory=lambda: Share(2.0, 6.0))
    crisis: Share = msgspec.field(default_factory=lambda: Share(0.3, 7.7))
    doubt: Share = msgspec.field(default_factory=lambda: Share(0.6, 7.4))
    #: Distinct authors among mentions of an hour; raw mentions to a vote.
    authorship: Share = msgspec.field(default_factory=lambda: Share(7.2, 0.8))
    votes: Share = msgspec.field(default_factory=lambda: Share(7.2, 0.8))
    #: Usual largest story: mean and mean square of ln(1 + trouble), and how many hours it rests on.
    story_mean: float = 0.0
    story_square: float = 0.0
    story_hours: float = 0.0
    book: Book = msgspec.field(default_factory=Book)
    #: Pooled tail of counts: read off the tails of NAB's five public series of mention counts (measured there, so optimistic there).
    surprise: Tail = msgspec.field(default_factory=lambda: Tail(start=-4.0, scale=1.5, own_start=True))
    tail: Tail = msgspec.field(default_factory=Tail)
    budget: Budget = msgspec.field(default_factory=Budget)
    hour_score: float = -99.0
    hour_surprise: float = 0.0
    hour_story: float = 0.0
    #: Authors and near-copies of the current hour: {name: times}.
    hour_authors: dict[str, int] = {}
    hour_copies: dict[str, int] = {}
    copies: Copies = msgspec.field(default_factory=Copies)
    #: Trouble in this step, and how much of it makes the brand be judged at once.
    step_trouble: float = 0.0
    trip: float = 4.0
    near_ms: int = 0
    ring: Ring | None = None
    desk: Desk = msgspec.field(default_factory=Desk)
    #: {source: votes}, decayed by the day; {silent source: since ms}.
    sources: dict[str, float] = {}
    blind: dict[str, int] = {}
    #: {raw partition: [first, last offset]} applied since the last signal; digest of all that was applied.
    inputs: dict[int, list[int]] = {}
    digest: int = 0

    def settle(self, settings: BrandSettings) -> bool:
        """Take over a newer version of the brand's settings. Return whether what matches changed (a level shift is due)."""
        if settings.version < self.version or (settings.version == self.version and self.match_hash):
            return False
        self.watched_ms = self.watched_ms or settings.applies_ms
        changed = bool(self.match_hash) and settings.match_hash != self.match_hash
        self.version, self.timezone, self.page_severity = settings.version, sys.intern(settings.timezone), settings.page_severity
        self.match_hash, self.calendar = settings.match_hash, settings.calendar
        self.budget.asked = settings.alarms_per_week
        return changed

    def begin(self, t_ms: int) -> None:
        """Start to learn with the first full hour after ``t_ms``: a first, broken hour never teaches."""
        if self.next_hour < 0:
            self.born_hour = self.next_hour = t_ms // HOUR_MS + 1

    @property
    def live(self) -> float:
        """Share of the brand's mentions that come from sources that are up."""
        if not self.blind:
            return 1.0
        total = math.fsum(self.sources.values())
        return 1.0 - math.fsum(self.sources.get(name, 0.0) for name in self.blind) / total if total > 0.0 else 1.0

    def known(self) -> bool:
        """Half a day of history: enough to tell new talk from usual talk."""
        return self.base.hours >= 12.0

    def usual(self) -> Usual:
        """Return what is usual, with the assumed values where little is known."""
        trouble = self.base.rate * 3.0 * self.trouble.value() * 0.15 if not self.base.cold else 1.0
        prior, weight = math.log1p(min(trouble, 200.0)), 12.0
        n = weight + self.story_hours
        mean = (weight * prior + self.story_hours * self.story_mean) / n
        square = max(0.0, self.story_square - self.story_mean * self.story_mean) if self.story_hours else 0.0
        deviation = math.sqrt((weight * 0.49 + self.story_hours * square) / n)
        return Usual(
            self.negative.value(), self.crisis.value(), self.doubt.value(), mean, max(0.45, deviation),
            self.base.rate * self.authorship.value(),
        )  # fmt: skip

    def advance(self, t_ms: int) -> None:
        """Learn all full hours before ``t_ms``; empty ones in closed form."""
        hour = t_ms // HOUR_MS
        if self.next_hour < 0 or hour <= self.next_hour:
            return
        while self.next_hour < hour:
            found = self.counts.hours.get(self.next_hour)
            if found is None and not self.hour_authors:
                later = min((key for key in self.counts.hours if key > self.next_hour), default=hour)
                self._skip(min(hour, later) - self.next_hour)
            else:
                self._learn_hour(self.next_hour, found)
        self.counts.prune(t_ms)
        self.book.expire(t_ms)
        self.budget.settle(t_ms)

    def _skip(self, hours: int) -> None:
        self.base.skip(self.next_hour, hours, self.timezone, self.live)
        self.tail.skip(hours)
        self.surprise.skip(hours)
        keep = 0.5 ** (hours / 168.0)
        self.story_mean, self.story_square = self.story_mean * keep, self.story_square * keep
        self.story_hours = min(336.0, self.story_hours + hours)
        self.next_hour += hours
        self._new_hour()

    def _learn_hour(self, hour: int, found: list[float] | None) -> None:
        if found is not None:
            votes, negative = found[VOTES] - found[RING_VOTES], found[NEGATIVE] - found[RING_NEGATIVE]
            self.base.learn_one(hour, max(0.0, votes), self.timezone, self.live)
            self.negative.learn_one(max(0.0, negative), max(0.0, votes - negative))
            if self.ring is None:
                self.trouble.learn_one(found[TROUBLE], max(0.0, found[VOTES] - found[TROUBLE]))
                self.crisis.learn_one(found[4], max(0.0, found[VOTES] - found[4]))
                self.doubt.learn_one(found[5], max(0.0, found[VOTES] - found[5]))
                people = float(len(self.hour_authors))
                self.authorship.learn_one(people, max(0.0, found[RAW] - people))
                self.votes.learn_one(found[VOTES], max(0.0, found[RAW] - found[VOTES]))
            self._learn_dispersion(hour)
        else:
            self.base.learn_one(hour, 0.0, self.timezone, self.live)
        if self.ring is None:
            if self.hour_score > -99.0:
                self.tail.learn_one(self.hour_score)
            else:
                self.tail.skip(1)
            self.surprise.learn_one(self.hour_surprise)
            pace = max(1.0 / (self.story_hours + 1.0), 0.006)
            x = math.log1p(self.hour_story)
            self.story_mean += pace * (x - self.story_mean)
            self.story_square += pace * (x * x - self.story_square)
            self.story_hours = min(336.0, self.story_hours + 1.0)
        self.next_hour = hour + 1
        self._new_hour()

    def _learn_dispersion(self, hour: int) -> None:
        five = [0.0] * 12
        for minute in range(60):
            found = self.counts.minutes.get(hour * 60 + minute)
            if found is not None:
                five[minute // 5] += found[VOTES]
        mean = self.base.expected(float(hour), hour + 1.0, self.timezone, self.live) / 12.0
        for count in five:
            self.base.learn_dispersion(0, count, mean)
        for window, hours in ((2, 6), (3, 24)):
            if self.base.hours >= hours + 24 and hour % (hours // 2) == 0:
                count = math.fsum(self.counts.hours[key][VOTES] for key in range(hour - hours + 1, hour + 1) if key in self.counts.hours)
                self.base.learn_dispersion(window, count, self.base.expected(hour - hours + 1.0, hour + 1.0, self.timezone, self.live))

    def _new_hour(self) -> None:
        self.hour_score, self.hour_surprise, self.hour_story = -99.0, 0.0, 0.0
        self.hour_authors.clear()
        self.hour_copies.clear()

    def apply(self, mention: Enriched, max_stories: int) -> Story | None:
        """Take one mention; return its story, if it has one."""
        t_ms = mention.applies_ms
        self.begin(t_ms)
        if t_ms // HOUR_MS > self.next_hour:
            self.advance(t_ms)
        span = self.inputs.get(mention.partition)
        if span is None:
            self.inputs[mention.partition] = [mention.offset, mention.offset]
        else:
            span[0], span[1] = min(span[0], mention.offset), max(span[1], mention.offset)
        self.digest = xxhash.xxh3_64_intdigest(mention.id.encode("utf-8", "replace"), self.digest ^ t_ms)
        if mention.update:
            self.desk.update(mention)
            return None
        repeats = 0
        if mention.author:
            repeats = self.hour_authors.get(mention.author, 0)
            if repeats or len(self.hour_authors) < _MAX_NAMES:
                self.hour_authors[mention.author] = repeats + 1
        copies, copy_key = 0, ""
        if mention.copy_key and mention.kind != "reshare":
            copy_key = self.copies.find(mention.copy_key)
            copies = self.hour_copies.get(copy_key, 0)
            if copies or len(self.hour_copies) < _MAX_NAMES:
                self.hour_copies[copy_key] = copies + 1
        weight = weigh(mention, max(repeats, copies))
        quoted = self.desk.answers > 0 and self.desk.passes_on(mention)
        if quoted:
            weight = SILENT
        if self.calendar and not weight.negative and not weight.crisis:
            expect = self._planned(mention)
            if expect > 1.0:
                weight = weight._replace(vote=weight.vote / expect, trouble=weight.trouble / expect)
        story = self.book.learn_one(mention, weight, copies, copy_key, max_stories, self.known())
        vote, negative, trouble, silent, crisis, doubt = weight
        if silent and story is not None and story.votes > 0.0:
            negative, trouble = vote * story.negative / story.votes, vote * story.trouble / story.votes
        ring = self.ring
        if ring is not None and story is not None and story.rings_ms and story.id not in ring.stories:
            ring.stories.append(story.id)  # what rang was merged into this one
        rings = ring is not None and (ring.whole or (story is not None and story.rings_ms > 0))
        self.desk.learn_one(mention, story, ring, quoted)
        self.counts.add(
            t_ms,
            (
                1.0, vote, negative, trouble, vote if crisis else 0.0, vote if doubt else 0.0,
                vote if rings else 0.0, negative if rings else 0.0,
            ),
        )  # fmt: skip
        if rings and ring is not None:
            ring.mentions += 1
            ring.votes += vote
            ring.negative += negative
            ring.authors.learn_one(mention.author)
        if mention.source and (mention.source in self.sources or len(self.sources) < 16):
            self.sources[mention.source] = self.sources.get(mention.source, 0.0) + vote
        self.step_trouble += trouble
        return story

    def _planned(self, mention: Enriched) -> float:
        for start, end, terms, expect in self.calendar:
            if start <= mention.applies_ms < end and any(term in mention.terms or term in mention.hashtags for term in terms):
                return expect
        return 1.0

    def set_trip(self, t_ms: int) -> None:
        """Fix how much trouble within the coming step has the brand judged at once: what five minutes hold, and 4 deviations."""
        mean = self.base.rate * self.base.season.factor(t_ms // HOUR_MS, self.timezone) * self.trouble.value() / 12.0
        self.trip = max(4.0, mean + 4.0 * math.sqrt(mean))

    def fall_silent(self) -> None:
        """What rang is over."""
        if self.ring is not None:
            for story_id in self.ring.stories:
                if (story := self.book.stories.get(story_id)) is not None:
                    story.rings_ms = 0
        self.ring = None
        self.desk.fall_silent()

    def rebase(self, t_ms: int) -> None:
        """What matches has changed: the old level says nothing of the new one."""
        self.watched_ms = t_ms
        self.base = Baseline()
        self.born_hour = self.next_hour = -1
