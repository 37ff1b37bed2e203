"""Whole record batches of aiokafka's own C records, straight from its fetcher.

aiokafka builds an eleven-field dataclass for each record that it hands out; that alone costs as much as decoding
it. `BatchReader` takes what the fetcher has buffered and unpacks the Kafka record batches itself. Nothing is patched:
other consumers of the process keep aiokafka's behaviour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, NamedTuple, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import ConsumerStoppedError, CorruptRecordException

from streams.engine.stage import InputRecord, Record
from streams.errors import LogGap


class Batch(NamedTuple):
    """Records of one partition, in order.

    ``position`` is the offset that was asked for, ``next_offset`` the one to ask for next. Both are given because
    control records (of foreign transactions) leave holes between the records that are no loss.
    """

    place: TopicPartition
    position: int
    next_offset: int
    records: list[Record]


class BatchReader:
    """Takes whole batches out of a consumer's fetcher. Transactions are read uncommitted.

    With ``compacted=False`` a hole between two record batches raises `LogGap`: on such a log offsets never go missing.
    """

    def __init__(self, consumer: AIOKafkaConsumer, *, compacted: bool = False) -> None:
        self._consumer = consumer
        self._fetcher: Any = consumer._fetcher
        self._compacted = compacted
        # A partition whose buffered records wait for room must not delay the fetches of its neighbours on that broker.
        self._fetcher._prefetch_backoff = 0

    def take(self, places: Collection[TopicPartition], most: int) -> list[Batch]:
        """Return what is buffered for ``places``: one batch each, of ``most`` records or little more.

        Partitions that are not named keep what they have. Raises aiokafka's errors of a partition's fetch.
        """
        fetcher = self._fetcher
        if self._consumer._closed or fetcher._closed:
            raise ConsumerStoppedError()
        if fetcher._subscriptions.reassignment_in_progress:
            return []
        taken: list[Batch] = []
        for place in list(fetcher._records):
            if place not in places:
                if not fetcher._subscriptions.is_assigned(place):
                    del fetcher._records[place]
                continue
            result = fetcher._records[place]
            if not isinstance(result, FetchResult):
                if taken:
                    break
                self._forget(place)
                cast(Any, result).check_raise()
                continue
            batch = self._unpack(place, result, most)
            if not result.has_more():
                self._forget(place)
            if batch is not None:
                taken.append(batch)
        return taken

    def pending(self, place: TopicPartition) -> bool:
        """Return whether something of ``place`` is buffered."""
        return place in self._fetcher._records

    def _forget(self, place: TopicPartition) -> None:
        del self._fetcher._records[place]
        self._fetcher._notify(self._fetcher._wait_consume_future)

    def _unpack(self, place: TopicPartition, result: Any, most: int) -> Batch | None:
        if not result.check_assignment(place) or not result.has_more():
            return None
        part = result._partition_records
        log = part._records
        position = part.next_fetch_offset
        expected = position
        records: list[Record] = []
        while len(records) < most and log.has_next():
            piece = log.next_batch()
            if part._check_crcs and not piece.validate_crc():
                raise CorruptRecordException(f"a record batch of {place.topic}[{place.partition}] has a wrong checksum")
            if not self._compacted and piece.base_offset > expected:
                raise LogGap(
                    f"{place.topic}[{place.partition}] goes on at offset {piece.base_offset}, "
                    f"but {expected} was to be read: records were deleted before they were read"
                )
            if not piece.is_control_batch:
                content: list[Record] = []
                try:
                    content.extend(piece)
                except UnicodeDecodeError:
                    # aiokafka cannot go beyond a header whose name is no UTF-8. All of a record batch is of one publisher: the rest of it
                    # goes on without its bytes, so that each stage refuses it with its offset, and what comes after is read.
                    begin = content[-1].offset + 1 if content else piece.base_offset
                    content += [InputRecord(offset, 0, None, None) for offset in range(begin, piece.next_offset)]
                if content and content[0].offset < expected:
                    content = [record for record in content if record.offset >= expected]
                records = records + content if records else content
            expected = max(expected, piece.next_offset)
        part.next_fetch_offset = expected
        result._update_position()
        if not log.has_next():
            result._partition_records = None
        if expected == position:
            return None
        return Batch(place, position, expected, records)

    async def wait(self, seconds: float, wake: asyncio.Event | None = None) -> None:
        """Wait until something was fetched, ``wake`` is set or ``seconds`` are over. Raises what the group reports."""
        waiter = self._fetcher._create_fetch_waiter()
        waiting: set[asyncio.Future[Any]] = {waiter}
        woken = asyncio.ensure_future(wake.wait()) if wake is not None else None
        if woken is not None:
            waiting.add(woken)
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if waiter.done():
                waiter.result()
        finally:
            for future in waiting:
                if not future.done():
                    future.cancel()
