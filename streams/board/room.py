"""What the crisis room knows: each crisis's latest card, course and tasks, and what happened last. Pure: time comes by records."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.crisis import Crisis
from schemas.desk import CLOSED, NONE, OPEN, UNKNOWN
from schemas.response import Task
from streams.clock import ms_of

DAY_MS = 86_400_000
#: The year 9000: what is later cannot be told in every time zone.
_END_MS = 221_845_392_000_000
#: Crises that are kept; of each the steps of its course; entries of what happened last.
MAX_CRISES, MAX_STEPS, MAX_NEWS = 300, 60, 40
#: Events that say nothing new of how a crisis goes.
_SILENT = ("noted", "refused")


class Step(NamedTuple):
    """One event in a crisis's course. ``at_ms``: event time; ``by``: the person who decided it, if one did."""

    at_ms: int
    event: str
    severity: int
    mentions: int
    authors: int
    by: str
    note: str


class News(NamedTuple):
    """One entry of what happened last."""

    revision: int
    event: str
    card: Crisis


@dataclass(slots=True)
class Known:
    """All that is shown of one crisis; ``revision`` is that of the room when it last changed."""

    card: Crisis
    revision: int = 0
    steps: list[Step] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)


class Room:
    """Takes records in the order of each partition, in any order between topics; second deliveries change nothing.

    Raises `ValueError` for a card with a date that is none, before anything changed.

    ``revision`` grows with every change, so that a reader who has seen some revision can be told what came after it.
    """

    def __init__(self, days: int) -> None:
        self._keep_ms = days * DAY_MS
        self.revision = 0
        self.news: deque[News] = deque(maxlen=MAX_NEWS)
        self._crises: dict[str, Known] = {}
        #: Tasks whose crisis is not known, or not yet.
        self._waiting: dict[str, dict[str, Task]] = {}
        self._seen: dict[str, int] = {}
        self._times: dict[int, int] = {}

    @property
    def watched_ms(self) -> int:
        """Up to where (event time, ms) every partition with crises was watched; 0 where none has said so."""
        return min(self._times.values(), default=0)

    def touch(self) -> None:
        """Count a change that is not in the records (the link to the broker)."""
        self.revision += 1

    def take_time(self, partition: int, time_ms: int) -> None:
        """Take how far event time is in one partition of ``crisis.events``."""
        if self._times.get(partition, 0) < time_ms < _END_MS:
            before = self.watched_ms // 60_000
            self._times[partition] = time_ms
            self.revision += self.watched_ms // 60_000 != before

    def take_event(self, event: str, card: Crisis) -> None:
        """Take one record of ``crisis.events``; ``event`` is the last word of its type."""
        if card.seq <= self._seen.get(card.brand, 0):
            return
        _check(card)
        self._seen[card.brand] = card.seq
        self.revision += 1
        if event != "updated" and event != "suspected":
            self.news.append(News(self.revision, event, card))
        if card.crisis_id and card.phase not in (NONE, UNKNOWN) and event != "asked":
            known = self._put(card)
            if event not in _SILENT or card.decision is not None:
                self._go_on(known, event, card)

    def take_card(self, card: Crisis) -> None:
        """Take one record of ``crisis.state``: what is known of a crisis whose events lie far back."""
        known = self._crises.get(card.crisis_id)
        if known is None or known.card.seq < card.seq:
            _check(card)
            self.revision += 1
            self._put(card)

    def take_task(self, task: Task) -> None:
        """Take one record of ``crisis.tasks``. A refused one answers a command and is none to do."""
        if task.state == "refused":
            return
        known = self._crises.get(task.crisis_id)
        tasks = known.tasks if known is not None else self._waiting.setdefault(task.crisis_id, {})
        if tasks.get(task.task_id) != task:
            tasks[task.task_id] = task
            if known is not None:
                self.revision += 1
                known.revision = self.revision

    def _put(self, card: Crisis) -> Known:
        known = self._crises.get(card.crisis_id)
        if known is None:
            known = self._crises[card.crisis_id] = Known(card, tasks=self._waiting.pop(card.crisis_id, {}))
        known.card, known.revision = card, self.revision
        return known

    def _go_on(self, known: Known, event: str, card: Crisis) -> None:
        decision = card.decision
        by = decision.by if decision is not None else ""
        at_ms = ms_of(card.updated_at) if card.updated_at else 0
        known.steps.append(Step(at_ms, event, card.severity, card.mentions, card.authors, by, card.note))
        if len(known.steps) > MAX_STEPS:
            # The course keeps its shape: of two updates in a row the earlier one goes.
            for place in range(1, len(known.steps) - 1):
                if known.steps[place].event == known.steps[place + 1].event == "updated":
                    del known.steps[place]
                    return
            del known.steps[1]

    def tidy(self) -> None:
        """Forget what is over for longer than is kept, and tasks of crises that are not shown. Called once what was there has been read."""
        self._waiting.clear()
        now = max((ms_of(known.card.updated_at) for known in self._crises.values() if known.card.updated_at), default=0)
        now = max(now, self.watched_ms)
        over = sorted(
            (ms_of(known.card.updated_at) if known.card.updated_at else 0, name)
            for name, known in self._crises.items()
            if known.card.phase not in OPEN
        )
        most = len(self._crises) - MAX_CRISES
        for place, (at_ms, name) in enumerate(over):
            if place < most or now - at_ms > self._keep_ms:
                del self._crises[name]
                self.revision += 1

    def open(self) -> list[Known]:
        """Return the crises that people are at work on, the gravest first, what eased after what did not."""
        found = [known for known in self._crises.values() if known.card.phase in OPEN]
        found.sort(key=lambda known: (known.card.opened_at or known.card.onset, known.card.crisis_id), reverse=True)
        return sorted(found, key=lambda known: (known.card.phase == "eased", -known.card.severity))

    def over(self) -> list[Known]:
        """Return the crises that ended, the latest first."""
        found = [known for known in self._crises.values() if known.card.phase in CLOSED]
        return sorted(found, key=lambda k: (k.card.updated_at, k.card.crisis_id), reverse=True)

    def changed(self, since: int) -> Iterator[Known]:
        """Yield what changed after revision ``since``."""
        return (known for known in (*self.open(), *self.over()) if known.revision > since)


def _check(card: Crisis) -> None:
    for text in (card.onset, card.updated_at, card.opened_at):
        if text and not 0 <= ms_of(text) < _END_MS:
            raise ValueError("a date that no clock shows")
