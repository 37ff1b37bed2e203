"""Topics as the engine needs them: there, with a known number of partitions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    IncompatibleBrokerVersion,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnsupportedVersionError,
    for_code,
)

from streams.clock import monotonic
from streams.engine.access import counts_of, refused, start
from streams.engine.connection import connection
from streams.engine.settings import KafkaSettings
from streams.errors import BadInput

#: Changelogs keep the newest value of a key; these settings bound what recovery has to read before compaction ran.
CHANGELOG_CONFIG = {
    "cleanup.policy": "compact",
    "segment.bytes": str(64 << 20),
    "min.cleanable.dirty.ratio": "0.1",
    "max.compaction.lag.ms": str(600_000),
}
COMPACT_CONFIG = {"cleanup.policy": "compact"}


@dataclass(frozen=True)
class TopicPlan:
    """What a topic should look like; 0 stands for the settings' ``partitions`` and ``replication``."""

    partitions: int = 0
    replication: int = 0
    config: Mapping[str, str] = field(default_factory=dict)


def apply_words(settings: KafkaSettings) -> str:
    """Return the command that creates the topics of these settings.

    >>> apply_words(KafkaSettings(run="old"))
    'veille topics apply --run old'
    """
    return f"veille topics apply --run {settings.run}" if settings.run else "veille topics apply"


async def partition_count(settings: KafkaSettings, topic: str, *, seconds: float = 30.0) -> int:
    """Return how many partitions the logical ``topic`` has, waiting ``seconds`` for it to appear.

    The question alone creates the topic on a broker that creates topics by itself (the embedded one: 4 partitions).
    Raises `BadInput` where it is not there, `Unreachable` where no broker answers.
    """
    return (await partition_counts(settings, [topic], seconds=seconds))[topic]


async def partition_counts(settings: KafkaSettings, topics: list[str], *, seconds: float = 30.0) -> dict[str, int]:
    """As `partition_count`, for several topics over one connection."""
    end = monotonic() + seconds
    found: dict[str, int] = {}
    async with _connected(settings) as producer:
        for topic in topics:
            while topic not in found:
                try:
                    partitions = await asyncio.wait_for(producer.partitions_for(settings.topic(topic)), 6.0)
                    if partitions:
                        found[topic] = len(partitions)
                        continue
                except (KafkaError, TimeoutError) as error:
                    if denied := refused(error, settings, "Describe", settings.topic(topic)):
                        raise denied from None
                if monotonic() > end:
                    name = settings.topic(topic)
                    raise BadInput(f"topic {name} does not exist on {settings.broker}; create it with `{apply_words(settings)}`")
                await asyncio.sleep(0.2)
    return found


async def require_topics(settings: KafkaSettings, topics: Collection[str], *, seconds: float = 5.0) -> None:
    """Return once all logical ``topics`` are there; ask without creating any. Raises `BadInput` where some are missing by then.

    Many brokers create a topic that somebody reads or writes, with settings of their own: a watchlist that is not compacted is lost.
    """
    end = monotonic() + seconds
    async with _connected(settings) as producer:
        while True:
            try:
                there = await counts_of(producer.client, map(settings.topic, topics))
            except KafkaError as error:
                raise refused(error, settings) or error from None
            missing = sorted(name for name in map(settings.topic, topics) if name not in there)
            if not missing:
                return
            if monotonic() > end:
                names = ", ".join(missing)
                raise BadInput(f"{settings.broker} has no topic {names}: `{apply_words(settings)}` creates what is missing")
            await asyncio.sleep(0.2)


@asynccontextmanager
async def _connected(settings: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a producer that is connected, and stop it; raises as `start` does."""
    producer = AIOKafkaProducer(**connection(settings), request_timeout_ms=5_000)
    await start(producer, settings)
    try:
        yield producer
    finally:
        await producer.stop()


async def ensure_topics(settings: KafkaSettings, plans: Mapping[str, TopicPlan]) -> list[str]:
    """Create the logical topics that are missing and return their names.

    The embedded broker cannot be asked to create; there each topic is touched, which creates it with 4 partitions.
    What is there is not asked for: who may not create topics needs them made beforehand.
    Raises `Unreachable`, `Forbidden`, or `BadInput` where the broker refuses.
    """
    admin = AIOKafkaAdminClient(**connection(settings), request_timeout_ms=30_000)
    created: list[str] = []
    await start(admin, settings)
    try:
        there = {} if admin._client.cluster.controller is None else await counts_of(admin._client)
        wanted = [
            NewTopic(
                name=settings.topic(name),
                num_partitions=plan.partitions or settings.partitions,
                replication_factor=plan.replication or settings.replication,
                topic_configs=dict(plan.config),
            )
            for name, plan in plans.items()
            if settings.topic(name) not in there
        ]
        # The embedded broker names no controller, and aiokafka then trips over it.
        if admin._client.cluster.controller is None:
            await partition_counts(settings, list(plans))
            return created
        if not wanted:
            return created
        response = await admin.create_topics(wanted)
        names = {settings.topic(name): name for name in plans}
        denied = (TopicAuthorizationFailedError, ClusterAuthorizationFailedError)
        if kept := sorted(topic for topic, code, *_ in response.topic_errors if for_code(code) in denied):
            raise refused(TopicAuthorizationFailedError(kept), settings, "Create") or BadInput("topics cannot be created")
        for topic, code, *rest in response.topic_errors:
            kind = for_code(code)
            if code == 0:
                created.append(names[topic])
            elif kind is not TopicAlreadyExistsError:
                detail = rest[0] if rest and rest[0] else kind.__name__
                raise BadInput(f"the broker refuses topic {topic}: {detail}")
    except (IncompatibleBrokerVersion, UnsupportedVersionError):
        await partition_counts(settings, list(plans))
    finally:
        await admin.close()
    return created
