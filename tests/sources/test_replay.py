"""A replay through the embedded broker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.cloudevents import type_of
from streams.engine.embedded import EmbeddedBroker
from streams.errors import BadInput
from streams.settings import Settings
from streams.sources.plan import plan
from streams.sources.replay import Progress, replay

START = 1_740_960_000_000


@pytest.fixture
def settings() -> Iterator[Settings]:
    """Settings that name an embedded broker of the test's own."""
    with EmbeddedBroker() as broker:
        yield Settings(broker=broker.bootstrap)


def rows(count: int, step_ms: int = 1000, first: int = START) -> list[tuple[int, bytes, str]]:
    """Return mentions one step apart."""
    return [(first + i * step_ms, b'{"published_at":"2025-03-03T00:00:00Z"}', f"m{i}") for i in range(count)]


async def read_all(settings: Settings) -> dict[int, list[tuple[bytes | None, bytes]]]:
    """Return (key, type) of every record by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(settings.topic("mentions.raw"), partition) for partition in range(4)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        found: dict[int, list[tuple[bytes | None, bytes]]] = {place.partition: [] for place in places}
        while any(len(found[place.partition]) < ends[place] for place in places):
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                found[place.partition] += [(record.key, type_of(record.headers)) for record in records]
        return found
    finally:
        await consumer.stop()


def test_the_plan_arrives_in_order_on_every_partition(settings: Settings) -> None:
    """Each partition holds its own mentions in order, and every clock."""
    outputs = list(plan(rows(300), 4, tail_hours=1))
    seen: list[Progress] = []
    done = asyncio.run(replay(settings, outputs, progress=seen.append))
    assert (done.mentions, done.clocks) == (300, 6)
    assert seen
    found = asyncio.run(read_all(settings))
    for partition, records in found.items():
        expected = [output.key for output in outputs if output.partition in (-1, partition)]
        assert [key for key, _ in records] == expected


def test_the_past_is_refused_where_the_clock_is_later(settings: Settings) -> None:
    """A replay into topics whose clock is already past its first mention ends with exit code 4 and the mend."""
    asyncio.run(replay(settings, plan(rows(10), 4)))
    with pytest.raises(BadInput, match="--run"):
        asyncio.run(replay(settings, plan(rows(10), 4)))
    other = settings.model_copy(update={"run": "again"})
    assert asyncio.run(replay(other, plan(rows(10), 4))).mentions == 10


def test_a_speed_paces_by_virtual_time(settings: Settings) -> None:
    """With a speed the replay waits until the mention's turn, but not for the clock's tail."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    mentions = [(START + i * 60_000, f'{{"published_at":"2025-03-03T00:0{i}:00Z"}}'.encode(), f"m{i}") for i in range(5)]
    asyncio.run(replay(settings, plan(mentions, 4), speed=0.5, sleep=sleep))
    assert max(slept) == pytest.approx(480, abs=20)


def test_a_clock_in_the_future_is_cut_to_now(settings: Settings) -> None:
    """The tail of a file of today ends at the present, since a clock from the future would be refused."""
    done = asyncio.run(replay(settings, plan(rows(3), 4, tail_hours=48), wall=lambda: START + 60_000))
    assert done.tail_cut


def test_it_waits_for_slow_readers(settings: Settings) -> None:
    """With readers that stand still it stops at the credit, and goes on when they do."""

    held: list[bool] = []

    class Slow:
        """Reads on only once the sender waits."""

        def position(self, topic: str, partition: int) -> int | None:
            return 10_000_000 if held else 0

    def progress(done: Progress) -> None:
        if done.held_back:
            held.append(True)

    big = [(ms, b'{"published_at":"2025-03-03T00:00:00Z","text":"' + b"x" * 20_000 + b'"}', key) for ms, _, key in rows(900)]
    done = asyncio.run(replay(settings, plan(big, 4), positions=Slow(), need_reader=True, progress=progress))
    assert done.mentions == 900
    assert done.waited_seconds > 0


def test_it_can_be_stopped_at_any_moment(settings: Settings) -> None:
    """Cancelling a replay ends it cleanly."""

    async def scenario() -> None:
        later = b'{"published_at":"2025-03-03T01:00:00Z"}'
        mentions = [*rows(10), *((START + 3_600_000, later, f"n{i}") for i in range(10))]
        task = asyncio.create_task(replay(settings, plan(mentions, 4), speed=1.0))
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
