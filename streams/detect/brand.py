"""All that is known of one brand, and how mentions change it."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping

import msgspec
import xxhash

from schemas.enriched import BrandSettings, Enriched
from streams.detect.baseline import Baseline
from streams.detect.copies import Copies
from streams.detect.desk import MAX_FIRST, Desk
from streams.detect.evidence import MAX_NAMES, NOBODY, calls, heaviest, planned, weigh
from streams.detect.feed import Feed, Marks
from streams.detect.history import History
from streams.detect.mood import Mood
from streams.detect.names import number_of
from streams.detect.ring import Ring
from streams.detect.stories import Story
from streams.detect.windows import CRISIS, DOUBT, HOUR_MS, MINUTE_MS, NEGATIVE, RAW, RING_NEGATIVE, RING_VOTES, SIZE, TROUBLE, VOTES

#: Sources that are remembered.
_MAX_SOURCES = 16
#: What a new feed weighs among the sources: enough to be remembered for a few days, too little to count.
_TRACE = 0.1
DAY_MS = 24 * HOUR_MS
_MASK = (1 << 64) - 1


class Brand(History, array_like=True, gc=False):
    """State of one brand. ``w``: computed up to this watermark (ms); ``timer``: next grid line to visit (ms), 0: none."""

    w: int = -1
    seq: int = 0
    timer: int = 0
    version: int = 0
    page_severity: int = 3
    match_hash: str = ""
    calendar: tuple[tuple[int, int, tuple[str, ...], float], ...] = ()
    copies: Copies = msgspec.field(default_factory=Copies)
    desk: Desk = msgspec.field(default_factory=Desk)
    #: Troubled mentions in this step, and how many of them make the brand be judged at once.
    step_trouble: int = 0
    trip: float = 4.0
    #: Mentions in this step; those left out since the last that was not; the greatest sampling since the last signal.
    step_mentions: int = 0
    skipped: int = 0
    sampled: int = 1
    near_ms: int = 0
    #: {raw partition: [first, last offset]} applied since the last signal; digest of all that was applied.
    inputs: dict[int, list[int]] = msgspec.field(default_factory=dict)
    digest: int = 0
    #: {source: what it brings}; the last line that visited the brand (ms), and its volume class there (-1: too little history).
    feeds: dict[str, Feed] = msgspec.field(default_factory=dict)
    lined: int = 0
    volume_class: int = -1
    #: When the next new feed is known (ms, 0: there is none), and whether one has become known since the last line.
    fresh_ms: int = 0
    welcomed: bool = False
    #: None until somebody says something of his own.
    mood: Mood | None = None

    @property
    def settled(self) -> bool:
        """Whether the settings of ``version`` are known."""
        return bool(self.match_hash)

    @property
    def marks(self) -> Marks:
        """What of its feeds is compared with those of other brands."""
        return self.lined, self.volume_class, tuple((source, feed.since_ms, feed.passed) for source, feed in self.feeds.items())

    def settle(self, settings: BrandSettings) -> bool:
        """Take over the brand's settings. Return whether what matches changed (a level shift is due)."""
        self.watched_ms = self.watched_ms or settings.applies_ms
        changed = bool(self.match_hash) and settings.match_hash != self.match_hash
        self.version, self.timezone, self.page_severity = settings.version, sys.intern(settings.timezone), settings.page_severity
        self.match_hash, self.calendar = settings.match_hash, settings.calendar
        self.budget.allow(settings.alarms_per_week, settings.share_per_week)
        self.factors, self.under = [], -99.0
        return changed

    def see(self, source: str, since_ms: int) -> str:
        """A source fell silent (at ``since_ms``) or came back (0); return the kind of signal that says so."""
        if since_ms:
            self.blind[source] = since_ms
            return "blind"
        del self.blind[source]
        return "sighted"

    def begin(self, t_ms: int) -> None:
        """Start to learn with the first full hour after ``t_ms``: a first, broken hour never teaches."""
        if self.next_hour < 0:
            self.born_hour = self.next_hour = t_ms // HOUR_MS + 1
            self.factors = []

    def arrive(self, mention: Enriched, max_step: int) -> int:
        """Note that a mention is there; return for how many it stands, 0: it is left out of the sample.

        From the ``max_step``-th of a step on only a sample is looked at, half as many each time the count doubles. Which ones is a
        function of their ids. Costs little, since all of a step wait until the line, a checkpoint or trouble.
        """
        partition, offset = mention.partition, mention.offset
        span = self.inputs.get(partition)
        if span is None:
            self.inputs[partition] = [offset, offset]
        elif offset > span[1]:
            span[1] = offset
        elif offset < span[0]:
            span[0] = offset
        # A mention is what its place in the raw log says, so this tells states with other pasts apart.
        self.digest = (self.digest * 6_364_136_223_846_793_005 + (mention.applies_ms << 24 ^ offset << 8 ^ partition)) & _MASK
        self.step_mentions += 1
        if mention.crisis_words or mention.polarity == "negative":
            self.step_trouble += 1
        if self.step_mentions <= max_step:
            return 1
        times = 1 << (self.step_mentions // max_step).bit_length()
        if times > self.sampled:
            self.sampled = times
        if xxhash.xxh3_64_intdigest(mention.id.encode("utf-8", "replace")) & (times - 1):
            self.skipped += 1
            return 0
        return times

    def advance(self, t_ms: int) -> None:
        """Learn all full hours before ``t_ms``; new feeds that are known by then bring what they usually bring."""
        while 0 < self.fresh_ms <= t_ms:
            at = self.fresh_ms
            History.advance(self, at)
            for source, feed in self.feeds.items():
                if feed.until_ms == at:
                    # Expected counts add up over sources; one whole day has every hour of the season.
                    rate, feed.until_ms = feed.taught / 24.0, 0
                    self.base.a += rate * self.base.b
                    self.base.shadow_a += rate * self.base.shadow_b
                    self.sources[source] = max(36.0 * rate, self.sources.get(source, 0.0))
            self.fresh_ms = min((feed.until_ms for feed in self.feeds.values() if feed.until_ms), default=0)
            self.factors, self.under, self.welcomed = [], -99.0, True
        History.advance(self, t_ms)

    def _meet(self, source: str, t_ms: int, seen_ms: int) -> Feed:
        """A source mentions the brand for the first time. ``seen_ms``: it was first seen at all then."""
        feed = self.feeds[source] = Feed(t_ms, t_ms)
        if not self.base.cold and source not in self.sources and t_ms - seen_ms < DAY_MS:
            feed.until_ms = t_ms // HOUR_MS * HOUR_MS + HOUR_MS + DAY_MS
            self.fresh_ms = min(self.fresh_ms or feed.until_ms, feed.until_ms)
        return feed

    def apply(self, mention: Enriched, times: int, skipped: int, max_stories: int, seen: Mapping[str, int]) -> None:
        """Take one mention that stands for ``times`` of them; ``skipped`` were left out since the one before.

        ``seen``: when each source was first seen at all. What a feed that was just switched on brings is no volume for a day: nobody
        knows what is usual of it. Its stories count.
        """
        t_ms = mention.applies_ms
        if t_ms // HOUR_MS > self.next_hour or 0 < self.fresh_ms <= t_ms:
            self.advance(t_ms)
        if mention.update:
            self.book.update(mention)
            self.desk.update(mention)
            return
        counts = self.counts
        minute = t_ms // MINUTE_MS
        if minute > counts.minute:
            counts.roll(minute)
        source = mention.source
        feed = self.feeds.get(source) if source else None
        if feed is None and source and len(self.feeds) < _MAX_SOURCES:
            feed = self._meet(source, t_ms, seen.get(source, t_ms))
        fresh = feed is not None and feed.until_ms > 0
        now = [0.0] * SIZE if fresh else counts.now
        now[RAW] += 1.0 + skipped
        author = repeats = 0
        if mention.author:
            authors, author = self.hour_authors, number_of(mention.author)
            repeats = authors.get(author, 0)
            authors[author] = repeats + 1
            if not repeats:
                self.hour_people += times
                if len(authors) > MAX_NAMES:
                    self.hour_authors = heaviest(authors)
        copies, copy_key = 0, ""
        if mention.copy_key and mention.kind != "reshare":
            copy_key = self.copies.find(mention.copy_key)
            number = number_of(copy_key)
            copies = self.hour_copies.get(number, 0)
            self.hour_copies[number] = copies + 1
            if len(self.hour_copies) > MAX_NAMES:
                self.hour_copies = heaviest(self.hour_copies)
        weight = weigh(mention, repeats if repeats > copies else copies)
        desk = self.desk
        quoted = desk.answers > 0 and desk.passes_on(mention)
        if quoted:
            weight = NOBODY
        if self.calendar and not weight[1] and not weight[4]:
            weight = planned(mention, weight, self.calendar)
        vote, negative, trouble, silent, crisis, doubt = weight
        if times > 1:
            vote, negative, trouble = vote * times, negative * times, trouble * times
            weight = (vote, negative, trouble, silent, crisis, doubt)
        call = bool(mention.crisis_words or mention.cues) and calls(mention)
        story = self.book.learn_one(mention, weight, copies, copy_key, max_stories, self.base.hours >= 12.0, times, call)
        if silent and story is not None and story.votes > 0.0:
            negative, trouble = story.echo(vote)
        now[VOTES] += vote
        if trouble:
            now[TROUBLE] += trouble
            if negative:
                now[NEGATIVE] += negative
            if crisis:
                now[CRISIS] += vote
        if doubt:
            now[DOUBT] += vote
        if vote and not copies and not fresh and mention.kind != "reshare":
            mood = self.mood = self.mood or Mood()
            mood.learn_one(t_ms, mention.polarity, vote)
        if call:
            self.hour_calls += vote
        desk.learn_one(mention, story, self.ring, quoted, times, author)
        if len(desk.first) > MAX_FIRST:
            desk.make_room(self.book.stories)
        if self.ring is not None:
            self._ring_on(self.ring, story, author, times, vote, negative, now)
        if feed is not None:
            feed.fresh += vote
            if fresh and t_ms >= feed.until_ms - DAY_MS:
                feed.taught += vote
            elif not fresh and feed.since_ms // HOUR_MS == t_ms // HOUR_MS and not self.base.cold:
                self.hour_new += vote
        if source:
            sources = self.sources
            if source in sources:
                sources[source] += 0.0 if fresh else vote
            elif len(sources) < _MAX_SOURCES:
                sources[source] = _TRACE if fresh else vote

    def _ring_on(self, ring: Ring, story: Story | None, author: int, times: int, vote: float, negative: float, now: list[float]) -> None:
        """Count a mention to what rings, if it belongs there."""
        if story is not None and story.rings_ms and story.id not in ring.stories:
            ring.stories.append(story.id)  # what rang was merged into this one
        if not ring.whole and (story is None or not story.rings_ms):
            return
        if not ring.rebased:  # from then on it is what is usual
            now[RING_VOTES] += vote
            now[RING_NEGATIVE] += negative
        ring.mentions += times
        ring.votes += vote
        ring.negative += negative
        if author:
            ring.authors.learn_number(author)
        else:
            ring.authors.learn_one("")

    def crowd(self, t_ms: int) -> float:
        """Return the log-odds of a crowd that complains against one that praises; 0 where there is none, or no history."""
        base = self.base
        if self.mood is None or base.cold:
            return 0.0
        return self.mood.score_one(t_ms, base.rate * self.factor(t_ms // HOUR_MS) * self.live)

    def _learn_hour(self, hour: int, found: list[float] | None) -> None:
        if self.mood is not None:
            self.mood.end_hour(0.0 if found is None else max(0.0, found[VOTES] - self.hour_new), self.teaches)
        History._learn_hour(self, hour, found)

    def end_step(self, t_ms: int) -> None:
        """End a step at its line, and fix how many troubled mentions of the next have the brand judged at once.

        That is what five minutes usually hold, and 4 deviations.
        """
        if self.skipped:
            self.counts.now[RAW] += self.skipped
        self.step_trouble = self.step_mentions = self.skipped = 0
        mean = self.base.rate * self.factor(t_ms // HOUR_MS) * self.trouble.value() / 12.0
        self.trip = max(4.0, mean + 4.0 * math.sqrt(mean))

    def fall_silent(self) -> None:
        """What rang is over."""
        if self.ring is not None:
            for story_id in self.ring.stories:
                if (story := self.book.stories.get(story_id)) is not None:
                    story.rings_ms, story.rang = 0, True
        self.ring = None
        self.desk.fall_silent()

    def rebase(self, t_ms: int) -> None:
        """What matches has changed: the old level says nothing of the new one."""
        self.watched_ms = t_ms
        self.base = Baseline()
        self.born_hour = self.next_hour = -1
        self.factors, self.under = [], -99.0
