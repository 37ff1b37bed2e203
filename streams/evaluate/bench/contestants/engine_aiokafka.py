"""A bare aiokafka loop: ``getmany``, as its documentation shows for batches."""

from __future__ import annotations

import asyncio
import time

from aiokafka import AIOKafkaConsumer

from streams.evaluate.bench.contestants.work import Tally, decode, job


async def _main() -> None:
    todo = job()
    tally = Tally(todo["records"])
    consumer = AIOKafkaConsumer(
        todo["topic"], bootstrap_servers=todo["broker"], group_id=todo["group"], auto_offset_reset="earliest",
        enable_auto_commit=False, max_partition_fetch_bytes=4 << 20, fetch_max_bytes=16 << 20,
    )  # fmt: skip
    async with consumer:
        saved = time.monotonic()
        counts = tally.counts
        while not tally.complete:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=10_000)).values():
                tally.begin()
                for record in records:
                    decode(record.value)
                    counts[record.key] = counts.get(record.key, 0) + 1
                tally.done += len(records)
            if time.monotonic() - saved > 5:
                saved = time.monotonic()
                await consumer.commit()
        await consumer.commit()
        tally.finish()


if __name__ == "__main__":
    asyncio.run(_main())
