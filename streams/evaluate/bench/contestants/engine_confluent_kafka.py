"""A bare confluent-kafka loop: ``consume`` in batches, offsets stored and committed by librdkafka."""

from __future__ import annotations

from confluent_kafka import Consumer

from streams.evaluate.bench.contestants.work import Tally, decode, job


def _main() -> None:
    todo = job()
    tally = Tally(todo["records"])
    consumer = Consumer(
        {
            "bootstrap.servers": todo["broker"], "group.id": todo["group"], "auto.offset.reset": "earliest",
            "enable.auto.commit": True, "auto.commit.interval.ms": 5000, "fetch.min.bytes": 65536,
            "queued.min.messages": 200_000, "max.partition.fetch.bytes": 4 << 20,
        }
    )  # fmt: skip
    consumer.subscribe([todo["topic"]])
    counts = tally.counts
    while not tally.complete:
        for message in consumer.consume(10_000, 0.2):
            tally.begin()
            if message.error():
                raise SystemExit(str(message.error()))
            decode(message.value())
            key = message.key()
            counts[key] = counts.get(key, 0) + 1
            tally.done += 1
    consumer.commit(asynchronous=False)
    tally.finish()
    consumer.close()


if __name__ == "__main__":
    _main()
