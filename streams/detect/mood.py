"""What is said in a surge: whether the texts that come beyond the usual ones complain of the brand or praise it."""

from __future__ import annotations

import math

import msgspec

from streams.detect.baseline import Share

_HOUR_MS = 3_600_000.0
#: Time constants of the sums, in hours: a steep surge is read off the first, one that has lasted off the second.
SPANS = (0.25, 1.0)
#: Shares of negative, positive and other texts where a crowd complains and where it praises. Measured on the texts planted by seeds
#: 101 to 130 of `streams.simulate.plant`, as enrichment reads them (4,503 and 4,698 texts).
COMPLAINT, PRAISE = (0.54, 0.04, 0.42), (0.12, 0.58, 0.30)
#: Bounds. Praise goes beyond what may speak for a crisis, so that a few texts that were misread do not outweigh it.
PRAISES, COMPLAINS = -5.0, 3.0


class Sums(msgspec.Struct, array_like=True, gc=False):
    """Decayed votes of texts: all, negative, positive."""

    said: float = 0.0
    negative: float = 0.0
    positive: float = 0.0


class Mood(msgspec.Struct, array_like=True, gc=False):
    """Texts that say something of their own (no reshares, no copies), lately and within this hour, and what is usual of them."""

    at_ms: int = 0
    short: Sums = msgspec.field(default_factory=Sums)
    long: Sums = msgspec.field(default_factory=Sums)
    hour: Sums = msgspec.field(default_factory=Sums)
    own_words: Share = msgspec.field(default_factory=lambda: Share(6.4, 1.6))
    negatives: Share = msgspec.field(default_factory=lambda: Share(1.6, 6.4))
    positives: Share = msgspec.field(default_factory=lambda: Share(1.6, 6.4))

    def learn_one(self, t_ms: int, polarity: str, vote: float) -> None:
        """Take one text."""
        self._to(t_ms)
        short, long, hour = self.short, self.long, self.hour
        short.said += vote
        long.said += vote
        hour.said += vote
        if polarity == "negative":
            short.negative += vote
            long.negative += vote
            hour.negative += vote
        elif polarity == "positive":
            short.positive += vote
            long.positive += vote
            hour.positive += vote

    def _to(self, t_ms: int) -> None:
        if t_ms <= self.at_ms:
            return
        past, short, long = self.at_ms - t_ms, self.short, self.long
        keep = math.exp(past / (SPANS[0] * _HOUR_MS))
        short.said, short.negative, short.positive = short.said * keep, short.negative * keep, short.positive * keep
        keep = math.exp(past / (SPANS[1] * _HOUR_MS))
        long.said, long.negative, long.positive = long.said * keep, long.negative * keep, long.positive * keep
        self.at_ms = t_ms

    def end_hour(self, votes: float, usual: bool) -> None:
        """Learn an hour of ``votes``, where it was a usual one."""
        hour = self.hour
        if usual:
            self.own_words.learn_one(hour.said, max(0.0, votes - hour.said))
            self.negatives.learn_one(hour.negative, hour.said - hour.negative)
            self.positives.learn_one(hour.positive, hour.said - hour.positive)
        self.hour = Sums()

    def score_one(self, t_ms: int, votes_an_hour: float) -> float:
        """Return the log-odds that who speaks beyond ``votes_an_hour`` complains; below 0: that he praises.

        A crowd that praises is told from one that complains; one that complains from the usual talk too, which may swell by itself.
        """
        self._to(t_ms)
        expected = votes_an_hour * self.own_words.value()
        short, long = self._odds(self.short, SPANS[0] * expected), self._odds(self.long, SPANS[1] * expected)
        return short if abs(short) >= abs(long) else long

    def _odds(self, sums: Sums, expected: float) -> float:
        more = sums.said - expected
        if more <= 0.0:
            return 0.0
        negative, positive = self.negatives.value(), self.positives.value()
        said, angry, glad, log = sums.said, sums.negative, sums.positive, math.log
        rest, other = said - angry - glad, max(0.05, 1.0 - negative - positive)
        # Written out for negative, positive and other texts: what a crowd that complains would say, one that praises, the usual talk.
        one, two, three = COMPLAINT
        of_angry, of_glad, of_rest = expected * negative, expected * positive, expected * other
        bad_angry, bad_glad, bad_rest = log(of_angry + more * one), log(of_glad + more * two), log(of_rest + more * three)
        one, two, three = PRAISE
        against_praise = 0.0 + angry * (bad_angry - log(of_angry + more * one))
        against_praise += glad * (bad_glad - log(of_glad + more * two))
        against_praise += rest * (bad_rest - log(of_rest + more * three))
        if against_praise < 0.0:
            return max(against_praise, PRAISES)
        against_usual = 0.0 + angry * (bad_angry - log(said * negative))
        against_usual += glad * (bad_glad - log(said * positive))
        against_usual += rest * (bad_rest - log(said * other))
        return min(against_praise, max(0.0, against_usual), COMPLAINS)
