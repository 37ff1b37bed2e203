"""The waiting room: turns what several raw partitions left in any order into the one order of event time.

Rules (docs/architecture.md): a record is identified by (raw partition, offset, name); it is dropped where it applies below W,
the smallest watermark, or where its identity waits already; records are applied strictly below W, in the
order (applies_ms, id, partition, offset); reading restarts at the smallest offset that still waits.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

#: (applies_ms, id, raw partition, raw offset, name, input offset, payload). What comes before the input offset tells
#: records apart, the input offset tells second deliveries apart, so a payload is never compared.
Entry = tuple[int, str, int, int, str, int, T]

#: Sources of which a partition remembers when it saw them first.
MOST_SEEN = 4096
#: Event time that waits in one list, sorted only when W has passed it (or stands in it).
_BUCKET_MS = 1000


class Cut(msgspec.Struct, array_like=True):
    """State of the partition as a whole at W."""

    marks: list[int | None]
    #: {source: {raw partition: silent since ms}}
    silent: dict[str, dict[int, int]] = {}
    #: When the first mention applied, ms.
    first_ms: int = 0
    #: {source: when its first mention applied, ms}
    seen: dict[str, int] = {}


class WaitingRoom(Generic[T]):
    """Holds records until every raw partition's watermark has passed them.

    ``raw_partitions`` is the number of partitions of the raw topic: W is unknown until each of them has told its watermark.
    A second delivery lies beside the first once they are sorted, and is left out then.

    >>> room: WaitingRoom[str] = WaitingRoom(2)
    >>> room.offer((5, "b", 0, 7, "acme", 100, "later")), room.offer((3, "a", 1, 2, "acme", 101, "sooner"))
    (True, True)
    >>> room.mark({0: 9}), room.mark({1: 4})
    (False, True)
    >>> [entry[6] for entry in room.take()], room.take()
    (['sooner'], [])
    >>> room.commit(102), room.offer((3, "a", 1, 2, "acme", 102, "again"))
    (100, False)
    """

    def __init__(self, raw_partitions: int) -> None:
        self._marks: list[int | None] = [None] * raw_partitions
        self._buckets: dict[int, list[Entry[T]]] = {}
        self._order: list[int] = []
        self._count = 0
        self._watermark: int | None = None

    def __len__(self) -> int:
        return self._count

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

    def offer(self, entry: Entry[T]) -> bool:
        """Let a record wait. Return False where it applies below W: it was applied."""
        at_ms = entry[0]
        if self._watermark is not None and at_ms < self._watermark:
            return False
        key = at_ms // _BUCKET_MS
        bucket = self._buckets.get(key)
        if bucket is None:
            self._buckets[key] = [entry]
            heapq.heappush(self._order, key)
        else:
            bucket.append(entry)
        self._count += 1
        return True

    def take(self) -> list[Entry[T]]:
        """Remove and return the next records strictly below W, in order; an empty list when there are none."""
        limit, order = self._watermark, self._order
        while limit is not None and order and order[0] * _BUCKET_MS < limit:
            key = order[0]
            bucket = self._buckets[key]
            bucket.sort()
            if (key + 1) * _BUCKET_MS > limit and bucket[-1][0] >= limit:
                at = next(i for i, entry in enumerate(bucket) if entry[0] >= limit)
                if not at:
                    return []
                self._buckets[key] = bucket[at:]
                del bucket[at:]
            else:
                heapq.heappop(order)
                del self._buckets[key]
            self._count -= len(bucket)
            return _once(bucket)
        return []

    def commit(self, next_offset: int) -> int:
        """Return the input offset from which a restart must read: the smallest that still waits, or ``next_offset``."""
        return min((entry[5] for bucket in self._buckets.values() for entry in bucket), default=next_offset)


def _once(entries: list[Entry[T]]) -> list[Entry[T]]:
    """Leave out second deliveries of sorted entries."""
    doubled = [i for i in range(1, len(entries)) if entries[i][3] == entries[i - 1][3] and entries[i][:5] == entries[i - 1][:5]]
    for i in reversed(doubled):
        del entries[i]
    return entries
