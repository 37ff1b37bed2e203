"""The waiting room: turns what several raw partitions left in any order into the one order of event time.

Rules (docs/architecture.md): a record is identified by (raw partition, offset, name); it is dropped where it applies below W,
the smallest watermark, or where its identity waits already; records are applied strictly below W, in the
order (applies_ms, id, partition, offset); reading restarts at the smallest offset that still waits.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

#: (applies_ms, id, raw partition, raw offset, name): unique for each record, so the payload is never compared.
Place = tuple[int, str, int, int, str]


class WaitingRoom(Generic[T]):
    """Holds records until every raw partition's watermark has passed them.

    ``raw_partitions`` is the number of partitions of the raw topic: W is unknown until each of them has told its watermark.

    >>> room: WaitingRoom[str] = WaitingRoom(2)
    >>> room.offer((5, "b", 0, 7, "acme"), 100, "later"), room.offer((3, "a", 1, 2, "acme"), 101, "sooner")
    (True, True)
    >>> room.mark({0: 9}), room.mark({1: 4})
    (False, True)
    >>> room.pop_below(room.watermark or 0)
    ((3, 'a', 1, 2, 'acme'), 'sooner')
    >>> room.pop_below(4) is None, room.commit(102)
    (True, 100)
    >>> room.offer((3, "a", 1, 2, "acme"), 102, "again")
    False
    """

    def __init__(self, raw_partitions: int) -> None:
        self._marks: list[int | None] = [None] * raw_partitions
        self._heap: list[tuple[Place, int, T]] = []
        self._waiting: dict[tuple[int, int, str], int] = {}
        self._watermark: int | None = None

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def watermark(self) -> int | None:
        """W in ms: everything below it is applied or about to be; None while a partition has told nothing."""
        return self._watermark

    @property
    def marks(self) -> list[int | None]:
        """The watermark of each raw partition, in ms."""
        return list(self._marks)

    @marks.setter
    def marks(self, marks: list[int | None]) -> None:
        self._marks = [*marks, *[None] * (len(self._marks) - len(marks))]
        self._settle()

    def mark(self, marks: Mapping[int, int]) -> bool:
        """Take over watermarks {raw partition: ms}; they only move forward. Return whether W moved."""
        moved = False
        for partition, mark in marks.items():
            if not 0 <= partition < len(self._marks):
                continue
            known = self._marks[partition]
            if known is None or mark > known:
                self._marks[partition] = mark
                moved = True
        return moved and self._settle()

    def _settle(self) -> bool:
        known = [mark for mark in self._marks if mark is not None]
        before = self._watermark
        self._watermark = min(known) if len(known) == len(self._marks) else None
        return self._watermark != before

    def offer(self, place: Place, offset: int, payload: T) -> bool:
        """Let a record wait. ``offset`` is that of the input log. Return False where it was seen before."""
        if self._watermark is not None and place[0] < self._watermark:
            return False
        identity = (place[2], place[3], place[4])
        if identity in self._waiting:
            return False
        self._waiting[identity] = offset
        heapq.heappush(self._heap, (place, offset, payload))
        return True

    def next_ms(self) -> int | None:
        """When the first waiting record applies."""
        return self._heap[0][0][0] if self._heap else None

    def pop_below(self, limit_ms: int) -> tuple[Place, T] | None:
        """Remove and return the first record that applies strictly below ``limit_ms``."""
        if not self._heap or self._heap[0][0][0] >= limit_ms:
            return None
        place, _, payload = heapq.heappop(self._heap)
        del self._waiting[(place[2], place[3], place[4])]
        return place, payload

    def commit(self, next_offset: int) -> int:
        """Return the input offset from which a restart must read: the smallest that still waits, or ``next_offset``."""
        return min(self._waiting.values(), default=next_offset)
