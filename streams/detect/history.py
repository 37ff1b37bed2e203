"""What a brand's past says is usual, learned hour by hour."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from streams.detect.baseline import COLD_HOURS, Baseline, Share
from streams.detect.book import Book
from streams.detect.budget import Budget
from streams.detect.ring import Ring
from streams.detect.score import SHIPPED, Lasting, Usual, Weights
from streams.detect.tail import Fit, Tail
from streams.detect.verdicts import Verdicts
from streams.detect.windows import CRISIS, DOUBT, HOUR_MS, NEGATIVE, RAW, RING_NEGATIVE, RING_VOTES, TROUBLE, VOTES, Windows


class Fixed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What stays the same for an hour: the season of it, of the one before and, added up, of the 5 and the 23 before; what is usual;
    the tails of surprises; parts of stories' scores."""

    hour: int
    running: float
    before: float
    five: float
    many: float
    usual: Usual
    surprise: Fit
    anger_five: Fit
    anger: Fit
    lasting: Lasting


class History(msgspec.Struct, array_like=True, gc=False):
    """Counts, baselines and tails of one brand, and what rings. While something rings its own mentions stay out of what is learned."""

    id: str
    timezone: str = "UTC"
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
    #: Calls to act against the brand among votes, and those of the current hour.
    calls: Share = msgspec.field(default_factory=lambda: Share(0.04, 7.96))
    hour_calls: float = 0.0
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
    #: The same of negative mentions, within 5 min and in longer windows: how they scatter has little to do with how mentions do.
    anger_five: Tail = msgspec.field(default_factory=lambda: Tail(start=-1.0, scale=0.8, own_start=True))
    anger: Tail = msgspec.field(default_factory=lambda: Tail(start=-4.0, scale=1.5, own_start=True))
    tail: Tail = msgspec.field(default_factory=Tail)
    budget: Budget = msgspec.field(default_factory=Budget)
    hour_score: float = -99.0
    hour_surprise: float = 0.0
    hour_anger_five: float = 0.0
    hour_anger: float = 0.0
    hour_story: float = 0.0
    #: Authors and texts of the hour by number (see `names`).
    hour_authors: dict[int, int] = {}
    hour_copies: dict[int, int] = {}
    hour_people: int = 0
    #: Votes of sources that first spoke of the brand within this hour: a first, broken hour never teaches.
    hour_new: float = 0.0
    #: What is fixed for the running hour; empty: to be computed.
    factors: list[Fixed] = []
    ring: Ring | None = None
    #: What verdicts made of the score's weights; the greatest score of this hour that is known to be below the threshold.
    weights: Weights = SHIPPED
    verdicts: Verdicts = msgspec.field(default_factory=Verdicts)
    #: The latest alarm and the latest near miss: when (ms), and the groups of its score.
    alarm: tuple[int, tuple[float, ...]] | None = None
    near: tuple[int, tuple[float, ...]] | None = None
    under: float = -99.0
    #: {source: votes}, halved every day; {silent source: since ms}.
    sources: dict[str, float] = {}
    blind: dict[str, int] = {}
    #: {suspect source on which the brand is loud: (since ms, comparable brands that are loud, comparable brands)}.
    suspect: dict[str, tuple[int, int, int]] = {}

    @property
    def live(self) -> float:
        """Share of the brand's mentions that come from sources that are up."""
        if not self.blind:
            return 1.0
        total = math.fsum(self.sources.values())
        return 1.0 - math.fsum(self.sources.get(name, 0.0) for name in self.blind) / total if total > 0.0 else 1.0

    @property
    def teaches(self) -> bool:
        """Whether what is said now counts as usual: nothing rings, or only what has become usual, and no feed is at fault."""
        return (self.ring is None or self.ring.rebased) and not self.suspect

    def usual(self) -> Usual:
        """Return what is usual, with the assumed values where little is known."""
        base = self.base
        trouble = base.rate * 3.0 * self.trouble.value() * 0.15 if not base.cold else 1.0
        prior, weight = math.log1p(min(trouble, 200.0)), 12.0
        n = weight + self.story_hours
        mean = (weight * prior + self.story_hours * self.story_mean) / n
        square = max(0.0, self.story_square - self.story_mean * self.story_mean) if self.story_hours else 0.0
        deviation = math.sqrt((weight * 0.49 + self.story_hours * square) / n)
        return Usual(
            self.negative.value(), self.crisis.value(), self.doubt.value(), mean, max(0.45, deviation),
            base.rate * self.authorship.value(), base.rate * self.calls.value(), self.calls.yes,
        )  # fmt: skip

    def usual_day(self) -> tuple[float, float]:
        """Return the mentions and the distinct authors of a usual day."""
        mentions = self.base.rate * 24.0 / max(self.votes.value(), 0.05)
        return mentions, mentions * self.authorship.value()

    def expected(self, starts: Sequence[float], now: float, hour: int) -> list[float]:
        """Return the expected votes from each start to ``now`` (hours since 1970).

        ``hour`` is the running one, starts are at most 23 hours before it.
        """
        fixed = self.fixed(hour)
        running, before, five, many = fixed.running, fixed.before, fixed.five, fixed.many
        base = self.base
        rate, live = base.a / base.b, self.live if self.blind else 1.0
        first = self.born_hour - 1.0 if base.hours < COLD_HOURS or self.born_hour > hour - 24 else -1.0
        found = []
        for start in starts:
            if start < first:
                start = first
            if start >= hour:
                share = (now - start) * running
            elif start >= hour - 1:
                share = (hour - start) * before + (now - hour) * running
            else:
                share = (five if start >= hour - 5 else many) + (now - hour) * running
            found.append(share * rate * live)
        return found

    def factor(self, hour: int) -> float:
        """Return the season of the running hour."""
        factors = self.factors
        return factors[0].running if factors and factors[0].hour == hour else self.base.season.factor(hour, self.timezone)

    def fixed(self, hour: int) -> Fixed:
        """Return what is fixed for ``hour``, the running one: it changes by the hour, and where the level shifts."""
        if self.factors and self.factors[0].hour == hour:
            return self.factors[0]
        each = self.base.season.day(hour, self.timezone)
        if self.base.cold or self.born_hour > hour - 24:
            # What lies before the first hour counts as nothing expected.
            known = each[min(23, max(0, self.born_hour - 1 - (hour - 23))) : 23]
            five, many = _added(known[-5:]), _added(known)
        else:
            five, many = math.fsum(each[18:23]), math.fsum(each[:23])
        tails = self.surprise.fit(), self.anger_five.fit(), self.anger.fit()
        self.factors = [Fixed(hour, each[23], each[22], five, many, self.usual(), *tails, {})]
        return self.factors[0]

    def told(self, *, confirmed: bool, missed: bool = False) -> None:
        """Take a person's word on the latest alarm, or (``missed``) that something should have rung: the latest near miss."""
        meant = self.near if missed else self.alarm
        if meant is not None:
            self.weights, self.under = self.verdicts.learn_one(*meant, confirmed=confirmed), -99.0

    def advance(self, t_ms: int) -> None:
        """Learn all full hours before ``t_ms``; empty ones in closed form. When it is called changes nothing that is learned."""
        hour = t_ms // HOUR_MS
        if self.next_hour < 0 or hour <= self.next_hour:
            return
        counts = self.counts
        counts.close(self.next_hour)
        days = hour // 24 - self.next_hour // 24
        if days > 0 and self.sources:
            self.sources = {name: votes * 0.5**days for name, votes in self.sources.items() if votes * 0.5**days >= 0.01}
        while self.next_hour < hour:
            found = counts.hours.get(self.next_hour)
            if found is None and not self.hour_authors:
                later = min((key for key in counts.hours if key > self.next_hour), default=hour)
                self._skip(min(hour, later) - self.next_hour)
            else:
                self._learn_hour(self.next_hour, found)
        counts.roll(hour * 60)
        self.book.expire(hour * HOUR_MS)
        self.budget.settle(hour * HOUR_MS)

    def _skip(self, hours: int) -> None:
        self.base.skip(self.next_hour, hours, self.timezone, self.live)
        self.tail.skip(hours)
        self.surprise.skip(hours)
        self.anger_five.skip(hours)
        self.anger.skip(hours)
        keep = 0.5 ** (hours / 168.0)
        self.story_mean, self.story_square = self.story_mean * keep, self.story_square * keep
        self.story_hours = min(336.0, self.story_hours + hours)
        self.next_hour += hours
        self._new_hour()

    def rebase_shares(self, t_ms: int) -> None:
        """Let the last day say what share of the brand's talk is negative, troubled, of crisis words or in doubt: the level shifted."""
        day = self.counts.read(t_ms)[3][0]
        for share, place in ((self.negative, NEGATIVE), (self.trouble, TROUBLE), (self.crisis, CRISIS), (self.doubt, DOUBT)):
            share.rebase(day[place], max(0.0, day[VOTES] - day[place]))

    def _learn_hour(self, hour: int, found: list[float] | None) -> None:
        usual = self.teaches
        if found is not None:
            every = max(0.0, found[VOTES] - self.hour_new)
            votes, negative = every - found[RING_VOTES], found[NEGATIVE] - found[RING_NEGATIVE]
            if self.suspect or (self.ring is not None and self.ring.whole and not self.ring.rebased):
                # All of it rings, or a feed is at fault: what is left is no low hour.
                self.base.learn_shadow(hour, every, self.timezone, self.live)
            else:
                self.base.learn_one(hour, max(0.0, votes), self.timezone, self.live, every)
                self.negative.learn_one(max(0.0, negative), max(0.0, votes - negative))
            if usual:
                self.trouble.learn_one(found[TROUBLE], max(0.0, found[VOTES] - found[TROUBLE]))
                self.crisis.learn_one(found[CRISIS], max(0.0, found[VOTES] - found[CRISIS]))
                self.doubt.learn_one(found[DOUBT], max(0.0, found[VOTES] - found[DOUBT]))
                self.calls.learn_one(self.hour_calls, max(0.0, found[VOTES] - self.hour_calls))
                people = min(float(self.hour_people), found[RAW])
                self.authorship.learn_one(people, max(0.0, found[RAW] - people))
                self.votes.learn_one(found[VOTES], max(0.0, found[RAW] - found[VOTES]))
            if not self.suspect and not self.hour_new:
                self._learn_dispersion(hour)
        else:
            self.base.learn_one(hour, 0.0, self.timezone, self.live)
        if usual:
            if self.hour_score > -99.0:
                self.tail.learn_one(self.hour_score)
            else:
                self.tail.skip(1)
            self.surprise.learn_one(self.hour_surprise)
            self.anger_five.learn_one(self.hour_anger_five)
            self.anger.learn_one(self.hour_anger)
            pace = max(1.0 / (self.story_hours + 1.0), 0.006)
            x = math.log1p(self.hour_story)
            self.story_mean += pace * (x - self.story_mean)
            self.story_square += pace * (x * x - self.story_square)
            self.story_hours = min(336.0, self.story_hours + 1.0)
        self.next_hour = hour + 1
        self._new_hour()

    def _learn_dispersion(self, hour: int) -> None:
        base = self.base
        if base.cold:
            return
        five, first = [0.0] * 12, hour * 60
        for minute, found in self.counts.minutes.items():
            if first <= minute < first + 60:
                five[(minute - first) // 5] += found[VOTES]
        mean = base.season.factor(hour, self.timezone) * base.rate * self.live / 12.0
        base.learn_dispersions(0, five, mean)
        for window, hours in ((2, 6), (3, 24)):
            if hour % (hours // 2) == 0 and base.hours >= hours + 24:
                count = self.counts.votes_between(hour - hours + 1, hour)
                base.learn_dispersion(window, count, base.expected(hour - hours + 1.0, hour + 1.0, self.timezone, self.live))

    def _new_hour(self) -> None:
        self.hour_score, self.hour_surprise, self.hour_story = -99.0, 0.0, 0.0
        self.hour_anger_five = self.hour_anger = 0.0
        self.hour_authors.clear()
        self.hour_people, self.hour_new, self.hour_calls = 0, 0.0, 0.0
        self.factors, self.under = [], -99.0
        self.hour_copies.clear()


def _added(values: list[float]) -> float:
    """Return the sum, added one by one: `sum` rounds otherwise from Python 3.12 on, and a replay must not hang on the version."""
    total = 0.0
    for value in values:
        total += value
    return total
