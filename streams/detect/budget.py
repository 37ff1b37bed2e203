"""The alarm budget: a ceiling on false alarms that page a person."""

from __future__ import annotations

import math

import msgspec

HOURS_A_WEEK = 168.0
DAY_MS = 86_400_000


class Budget(msgspec.Struct, array_like=True, gc=False):
    """The threshold, in -log10 of an hour's probability, that a rate of alarms a week allows.

    Base = log10(168 / asked). An alarm that nobody confirmed within a day moves it up by ``gain * (1 - asked / 7)``; every week
    lets it come back by ``gain * asked``, never below its base (a controller after the quantile tracking of Gibbs and
    Candes 2021, "Adaptive conformal inference", with one side closed: what is unused is never spent by force). A confirmed
    alarm moves nothing.

    >>> budget = Budget(asked=0.5)
    >>> round(budget.threshold(), 3)
    2.526
    >>> budget.alarm(0)
    >>> budget.settle(2 * DAY_MS)
    >>> round(budget.threshold(), 3)
    2.758
    >>> budget.settle(60 * DAY_MS)
    >>> round(budget.threshold(), 3)
    2.526
    """

    asked: float = 0.5
    gain: float = 0.25
    raised: float = 0.0
    #: Alarms younger than a day, ms.
    open: list[int] = []
    settled_ms: int = 0
    #: What the brand itself asks, before the ceiling for all brands; when an alarm last rang beyond the budget, ms.
    own: float = 0.5
    beyond_ms: int = 0

    def allow(self, own: float, share: float) -> None:
        """Take over what the brand asks for a week, at most its ``share`` of the ceiling for all brands (0: there is none)."""
        self.own, self.asked = own, min(own, share) if share else own

    def threshold(self) -> float:
        """Return what the recalibrated number must reach."""
        return math.log10(HOURS_A_WEEK / max(self.asked, 1e-6)) + self.raised

    score_one = threshold

    def base(self) -> float:
        """Return what the brand's own asked rate comes to, whatever was spent and whatever ceiling lies over all brands."""
        return math.log10(HOURS_A_WEEK / max(self.own, 1e-6))

    def spent(self, number: float, t_ms: int) -> bool:
        """Say whether ``number`` passes the brand's own rate and not the threshold, and nothing rang so within a day."""
        return self.base() <= number < self.threshold() and not (self.beyond_ms and t_ms - self.beyond_ms < DAY_MS)

    def alarm(self, t_ms: int) -> None:
        """An alarm rang."""
        if not self.settled_ms:
            self.settled_ms = t_ms
        self.open.append(t_ms)

    learn_one = alarm

    def confirm(self, t_ms: int) -> None:
        """A person confirmed what rang within the day before ``t_ms``."""
        self.open = [t for t in self.open if not t_ms - DAY_MS <= t <= t_ms]

    def settle(self, t_ms: int) -> None:
        """Let time pass up to ``t_ms``: count alarms older than a day, move back towards the base."""
        if not self.settled_ms:
            self.settled_ms = t_ms
        weeks = max(0.0, (t_ms - self.settled_ms) / (7 * DAY_MS))
        self.raised = max(0.0, self.raised - self.gain * max(self.asked, 0.1) * weeks)
        self.settled_ms = max(self.settled_ms, t_ms)
        while self.open and t_ms - self.open[0] >= DAY_MS:
            del self.open[0]
            self.raised = min(3.0, self.raised + self.gain * max(0.0, 1.0 - self.asked / 7.0))
