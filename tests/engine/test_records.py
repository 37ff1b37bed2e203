"""Record batches straight from the fetcher: whole, contiguous, and loud about holes."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.engine.records import BatchReader
from streams.errors import LogGap

PLACE = TopicPartition("numbers", 0)


def log_of(*pieces: tuple[int, int]) -> bytes:
    """Return the bytes of record batches, each given by first offset and number of records."""
    content = b""
    for first, count in pieces:
        builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 20)
        for n in range(count):
            builder.append(n, 1_000, b"k", b"%d" % (first + n), [("h", b"x")])
        built = bytes(builder.build())
        content += struct.pack(">q", first) + built[8:]
    return content


class Place:
    """What aiokafka knows of one partition."""

    paused = False

    def __init__(self, position: int) -> None:
        self.position = position

    def consumed_to(self, position: int) -> None:
        """Move on."""
        self.position = position


class Stub:
    """As much of a consumer, its fetcher and its assignment as `BatchReader` looks at."""

    active = True
    _closed = False
    reassignment_in_progress = False

    def __init__(self, content: bytes, position: int) -> None:
        self._fetcher = self._subscriptions = self
        self.place = Place(position)
        self._prefetch_backoff = 1.0
        self._wait_consume_future = None
        records = PartitionRecords(PLACE, MemoryRecords(content), [], position, None, None, True, 0)
        self._records: dict[TopicPartition, Any] = {PLACE: FetchResult(PLACE, assignment=self, partition_records=records, backoff=0)}

    def state_value(self, place: TopicPartition) -> Place:
        """Position of the only partition."""
        return self.place

    def _notify(self, future: object) -> None:
        """Nobody waits."""


def test_batches_are_whole_and_contiguous() -> None:
    """Each take goes on where the last one ended; records have offset, key, value, timestamp and headers."""
    stub = Stub(log_of((5, 3), (8, 4), (12, 2)), 5)
    reader = BatchReader(stub)
    first = reader.take([PLACE], 4)
    assert [(batch.position, batch.next_offset, len(batch.records)) for batch in first] == [(5, 12, 7)]
    record = first[0].records[0]
    assert (record.offset, record.key, record.value, record.timestamp, list(record.headers)) == (5, b"k", b"5", 1_000, [("h", b"x")])
    second = reader.take([PLACE], 4)
    assert [(batch.position, batch.next_offset) for batch in second] == [(12, 14)]
    assert reader.take([PLACE], 4) == []
    assert not reader.pending(PLACE)


def test_reading_may_begin_within_a_batch() -> None:
    """Records below the position that was asked for are left out."""
    batch = BatchReader(Stub(log_of((0, 10)), 6)).take([PLACE], 100)[0]
    assert [record.offset for record in batch.records] == [6, 7, 8, 9]


def test_a_hole_in_the_log_is_told() -> None:
    """On an input log a missing offset means that something was deleted before it was read."""
    with pytest.raises(LogGap):
        BatchReader(Stub(log_of((0, 3), (5, 2)), 0)).take([PLACE], 100)


def test_a_hole_in_a_compacted_log_is_none() -> None:
    """Compaction leaves holes; a changelog is read over them."""
    batch = BatchReader(Stub(log_of((0, 3), (5, 2)), 0), compacted=True).take([PLACE], 100)[0]
    assert [record.offset for record in batch.records] == [0, 1, 2, 5, 6]


def test_a_partition_that_is_not_wanted_keeps_what_it_has() -> None:
    """Nothing is dropped while a partition is held back."""
    stub = Stub(log_of((0, 3)), 0)
    stub.is_assigned = lambda place: True  # type: ignore[attr-defined]
    reader = BatchReader(stub)
    assert reader.take([], 100) == []
    assert len(reader.take([PLACE], 100)[0].records) == 3


def test_a_damaged_batch_is_not_handed_out() -> None:
    """A wrong checksum raises instead of handing out wrong records."""
    content = bytearray(log_of((0, 3)))
    content[-3] ^= 0xFF
    with pytest.raises(Exception, match="checksum"):
        BatchReader(Stub(bytes(content), 0)).take([PLACE], 100)


class _NoText(str):
    """A header name that is written as bytes which are no UTF-8."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Return bytes that nobody can read as a text."""
        return b"\xff\xfe"


def test_a_header_that_nobody_can_name_holds_up_nothing() -> None:
    """What aiokafka cannot read of a record batch comes without its bytes, under its offsets; the next batch is read."""
    from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

    builder = _DefaultRecordBatchBuilderPy(2, 0, False, -1, -1, -1, 1 << 20)
    for n, name in enumerate(("h", _NoText("h"), "h")):
        builder.append(n, 1_000, b"k", b"v", [(name, b"x")])
    stub = Stub(bytes(builder.build()) + log_of((3, 2)), 0)
    [batch] = BatchReader(stub).take([PLACE], 10)
    assert [(record.offset, record.value) for record in batch.records] == [(0, b"v"), (1, None), (2, None), (3, b"3"), (4, b"4")]
    assert batch.next_offset == 5
