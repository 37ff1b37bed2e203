"""How the commands reach the broker, and one way to fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

from streams.engine.connection import close, connection, no_broker
from streams.errors import Unreachable
from streams.settings import Settings


@asynccontextmanager
async def running(
    client: Any, settings: Settings, stop: Callable[[], Awaitable[None]], operation: str = "Read", topic: str = ""
) -> AsyncIterator[Any]:
    """A client of aiokafka that is started, and stopped at the end.

    Raises `Unreachable`, `BadInput` or `Forbidden` with the mend, also for what the client is told while it is used.
    """
    from aiokafka.errors import KafkaConnectionError, KafkaError

    from streams.engine.access import refused, start

    try:
        await start(client, settings, writes=topic)
        yield client
    except KafkaConnectionError as error:
        raise Unreachable(no_broker(settings.broker, error)) from None
    except KafkaError as error:
        raise refused(error, settings, operation, topic) or error from None
    finally:
        await stop()


def consumer(settings: Settings) -> AbstractAsyncContextManager[Any]:
    """A started consumer without a group, stopped at the end."""
    from aiokafka import AIOKafkaConsumer

    client = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=100)
    # Of a broker that is gone, aiokafka's own stop hands on a cancellation: the command would end as if it had been told to.
    return running(client, settings, partial(close, client))


def producer(settings: Settings, *topics: str) -> AbstractAsyncContextManager[Any]:
    """A started idempotent producer for ``topics``; what was sent is flushed at the end."""
    from aiokafka import AIOKafkaProducer

    client = AIOKafkaProducer(**connection(settings), enable_idempotence=True, compression_type=_codec(settings))
    return running(client, settings, client.stop, "Write", ", ".join(topics))


async def partition_counts(client: Any, *topics: str) -> dict[str, int]:
    """Return {topic: number of partitions} of all that the broker shows, from a consumer. Creates nothing.

    Raises aiokafka's error for one of ``topics`` that it keeps from us.
    """
    from streams.engine.access import counts_of

    return await counts_of(client._client, topics)


async def places_of(client: Any, topic: str) -> list[Any]:
    """Return a topic's partitions as `TopicPartition`; empty where the broker does not know it."""
    from aiokafka import TopicPartition

    return [TopicPartition(topic, partition) for partition in range((await partition_counts(client, topic)).get(topic, 0))]


async def records_of(client: Any, places: Sequence[Any], last: int | None = None) -> AsyncIterator[Sequence[Any]]:
    """Yield what lies in ``places`` at this moment, in batches of one partition each.

    It begins with the first record that is kept, or with the ``last`` ones of each partition.
    """
    if not places:
        return  # the broker does not know the topic
    client.assign(places)
    await client.seek_to_beginning(*places)
    ends = await client.end_offsets(places)
    if last is not None:
        first = await client.beginning_offsets(places)
        for place in places:
            client.seek(place, max(first[place], ends[place] - last))
    while [place for place in places if await client.position(place) < ends[place]]:
        for records in (await client.getmany(timeout_ms=200)).values():
            yield records


def _codec(settings: Settings) -> str | None:
    return None if settings.engine.compression == "none" else settings.engine.compression
