"""Holds a publisher back while its readers lag, so that a broker with little memory forgets nothing unread.

Credit is counted from what readers have read, not from what they committed: commits wait for the watermark, which waits
for the replay's own clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

#: Bytes that may lie unread in one partition; the embedded broker keeps 5 MiB.
CREDIT_BYTES: Final = 2 << 20
#: Bytes of a record of the topics that others write, with headers: generous guesses, since only offsets are known.
RECORD_BYTES: Final[Mapping[str, int]] = {"mentions.enriched": 1500, "brand.signals": 6000}


class ReadPositions(Protocol):
    """Where the readers are. Topics are logical names."""

    def position(self, topic: str, partition: int) -> int | None:
        """Return the next offset that the reader of this partition will read; None while nobody has told."""
        ...


class Brake:
    """Counts what is unread. ``begin`` gives for each raw partition the offset of the first record that will be sent."""

    def __init__(
        self,
        positions: ReadPositions,
        begin: Mapping[int, int],
        ends: Callable[[], Awaitable[Mapping[tuple[str, int], int]]],
        *,
        credit_bytes: int = CREDIT_BYTES,
    ) -> None:
        self._positions = positions
        self._begin = dict(begin)
        self._ends = ends
        self._credit = credit_bytes
        self._sent: dict[int, int] = dict.fromkeys(begin, 0)
        self._read: dict[int, int] = dict.fromkeys(begin, 0)
        #: (next offset, all bytes sent before it) for each acknowledged flush that is still unread.
        self._marks: dict[int, deque[tuple[int, int]]] = {partition: deque() for partition in begin}

    def sent(self, partition: int, next_offset: int, size: int) -> None:
        """Say that ``size`` bytes were acknowledged, the last of them just before ``next_offset``."""
        self._sent[partition] += size
        self._marks[partition].append((next_offset, self._sent[partition]))

    def reader_seen(self) -> bool:
        """Say whether any reader of the raw topic has told where it is."""
        return any(self._positions.position("mentions.raw", partition) is not None for partition in self._begin)

    def unread_bytes(self, partition: int) -> int:
        """Return the unread bytes of one raw partition, as far as acknowledged flushes tell."""
        position = self._positions.position("mentions.raw", partition)
        marks = self._marks[partition]
        while marks and position is not None and marks[0][0] <= position:
            self._read[partition] = marks.popleft()[1]
        return self._sent[partition] - self._read[partition]

    async def must_wait(self) -> bool:
        """Say whether a partition of any topic holds more unread bytes than the credit.

        While no reader has told where it is there is nobody to wait for: the topic's retention keeps what is sent.
        """
        if not self.reader_seen():
            return False
        if any(self.unread_bytes(partition) > self._credit for partition in self._begin):
            return True
        for (topic, partition), end in (await self._ends()).items():
            position = self._positions.position(topic, partition)
            if position is not None and (end - position) * RECORD_BYTES[topic] > self._credit:
                return True
        return False
