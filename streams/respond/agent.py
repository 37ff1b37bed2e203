"""Reads ``crisis.notifications`` and has them delivered: what is committed was delivered, or is a dead letter on the broker."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.engine.access import start
from streams.engine.connection import close, connection
from streams.engine.outbox import Outbox
from streams.metrics import PrometheusMeter
from streams.respond.notify import NotifyWorker
from streams.settings import Settings

TOPIC = "crisis.notifications"


async def notify(settings: Settings, meter: PrometheusMeter) -> None:
    """Deliver notifications until cancelled.

    A consumer group of its own (``<group>-notify``), apart from the stages': a target that stalls holds up nobody's
    detection. Raises `BadInput` for a route that cannot be used, aiokafka's errors where the broker is lost or refuses,
    and `DeliveryFailed` where a dead letter is not taken.
    """
    worker = NotifyWorker(settings.respond)
    consumer = AIOKafkaConsumer(
        settings.topic(TOPIC),
        **connection(settings),
        group_id=f"{settings.group_id}-notify",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=50,
        # A target may be down for as long as the repeats last; the group waits for that.
        max_poll_interval_ms=30 * 60 * 1000,
    )
    outbox = Outbox(settings)
    await outbox.start()
    try:
        await start(consumer, settings)
        while True:
            batches = await consumer.getmany(timeout_ms=500)
            for place, records in batches.items():
                dead = await worker.handle(records)
                meter.count("veille_notifications", len(records) - len(dead), "sent")
                if dead:
                    meter.count("veille_notifications", len(dead), "rejected")
                    outbox.send(dead)
                    await outbox.confirmed()
                await consumer.commit({TopicPartition(place.topic, place.partition): records[-1].offset + 1})
    finally:
        await close(consumer)
        await worker.close()
        await outbox.stop()
