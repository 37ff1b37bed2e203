"""The outbox: order, confirmation, back-pressure, loud failures."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from streams.engine import outbox as outbox_module
from streams.engine.embedded import EmbeddedBroker
from streams.engine.outbox import Outbox
from streams.engine.partitioning import partition_of
from streams.engine.stage import ALL_PARTITIONS, Output
from streams.errors import DeliveryFailed, Fatal
from tests.engine.counting import read_all, settings_for


async def test_confirmed_means_on_the_broker_in_order(embedded_broker: str) -> None:
    """Everything sent before `confirmed` is there when it returns, in the order of sending within a partition."""
    settings = settings_for(embedded_broker, "order", producer_batch_bytes=2048)
    outbox = Outbox(settings)
    await outbox.start()
    for begin in range(0, 3_000, 100):
        outbox.send(Output("ordered", b"one key", b"%d" % n) for n in range(begin, begin + 100))
    await outbox.confirmed()
    assert outbox.buffered == 0
    assert [value for _, value in await read_all(settings, "ordered")] == [b"%d" % n for n in range(3_000)]
    await outbox.stop()


async def test_keys_decide_the_partition_and_copies_go_to_all(embedded_broker: str) -> None:
    """Murmur2 of the key, a named partition, or one copy for each."""
    settings = settings_for(embedded_broker, "places")
    outbox = Outbox(settings)
    await outbox.start()
    outbox.send([Output("placed", b"brand", b"keyed"), Output("placed", None, b"copy", (), ALL_PARTITIONS)])
    outbox.send([Output("placed", None, b"third", [("ce_type", b"x")], 3)])
    await outbox.confirmed()
    values = [value for _, value in await read_all(settings, "placed")]
    assert values.count(b"copy") == 4
    assert values[-1] == b"third"
    assert values.count(b"keyed") == 1
    assert 0 <= partition_of(b"brand", 4) < 4
    await outbox.stop()


async def test_a_record_over_the_limit_is_fatal(embedded_broker: str) -> None:
    """The record is refused before anything reaches the broker."""
    outbox = Outbox(settings_for(embedded_broker, "large-one"))
    await outbox.start()
    outbox.send([Output("large", b"k", b"small")])
    await outbox.confirmed()
    with pytest.raises(Fatal, match="over the limit"):
        outbox.send([Output("large", b"k", b"x" * 1_000_001)])
    await outbox.stop()


async def test_a_broker_that_is_gone_fails_within_the_deadline() -> None:
    """`confirmed` gives up in time, tells it once, and every later call says so again."""
    broker = EmbeddedBroker().open()
    told: list[Fatal] = []
    outbox = Outbox(settings_for(broker.bootstrap, "", send_timeout_seconds=1), on_failure=told.append)
    await outbox.start()
    outbox.send([Output("t", b"k", b"v")])
    await outbox.confirmed()
    broker.close()
    outbox.send([Output("t", b"k", b"v")])
    with pytest.raises(DeliveryFailed):
        await outbox.confirmed()
    with pytest.raises(DeliveryFailed):
        outbox.send([Output("t", b"k", b"v")])
    assert len(told) == 1
    await outbox.stop()


async def test_a_full_buffer_holds_the_sender_back(embedded_broker: str) -> None:
    """`room` returns only once the buffer is below its bound again."""
    outbox = Outbox(settings_for(embedded_broker, "full", compression="none"), max_bytes=100_000)
    await outbox.start()
    outbox.send([Output("full", b"k", b"v")])
    await outbox.confirmed()
    outbox.send(Output("full", b"k", b"x" * 1_000) for _ in range(500))
    assert outbox.buffered > 100_000
    await outbox.room()
    assert outbox.buffered <= 100_000
    await outbox.confirmed()
    await outbox.stop()


async def test_a_buffer_that_stays_full_is_fatal(embedded_broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender does not wait for ever: after the deadline of a send `room` raises, and so does every later call."""
    outbox = Outbox(settings_for(embedded_broker, "stays-full", send_timeout_seconds=0.3), max_bytes=1_000)
    await outbox.start()
    outbox.send([Output("full", b"k", b"v")])
    await outbox.confirmed()
    monkeypatch.setattr(outbox, "_delivered", lambda *_: None)
    outbox.send([Output("full", b"k", b"x" * 2_000)])
    for _ in range(2):
        with pytest.raises(DeliveryFailed, match="stayed full"):
            await outbox.room()
    await outbox.stop()


async def test_the_producer_is_idempotent(embedded_broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry inside the producer cannot double a record or change the order, and no replica is left out."""
    given: dict[str, Any] = {}

    class Producer(AIOKafkaProducer):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            given.update(options)
            super().__init__(**options)

    monkeypatch.setattr(outbox_module, "AIOKafkaProducer", Producer)
    outbox = Outbox(settings_for(embedded_broker, "idempotent"))
    await outbox.start()
    await outbox.stop()
    assert given["enable_idempotence"] is True
    assert given["acks"] == "all"
