"""Seeded mentions to read: JSON of about 600 bytes, and topics filled with them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

import msgspec
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

_TEXT = (
    "today the service was late again and nobody could say why so we waited at the counter for an answer that did not come "
    "merci pour rien encore une panne ce matin impossible de joindre quelqu'un au telephone depuis hier soir"
)
_WORDS = _TEXT.split()


def engine_mentions(count: int, brands: int = 1000, seed: int = 7) -> Iterator[tuple[bytes, bytes]]:
    """Yield ``count`` pairs of key (one of ``brands``) and mention, about 600 bytes of JSON."""
    source = random.Random(seed)
    for number in range(count):
        value = {
            "id": f"m{number}",
            "network": "x",
            "kind": "post",
            "text": " ".join(source.choices(_WORDS, k=44)),
            "published_at": f"2026-01-{1 + number % 28:02d}T{number % 24:02d}:{number % 60:02d}:00Z",
            "author": {"id": f"a{number % 50_000}", "handle": f"user{number % 50_000}", "followers": number % 9000, "verified": False},
            "url": f"https://x.example/user{number % 50_000}/status/{number}",
            "lang": "en",
            "engagement": {"replies": number % 7, "reshares": number % 11, "likes": number % 101},
            "source": "bench",
        }
        yield b"brand%d" % source.randrange(brands), msgspec.json.encode(value)


def create_topic(broker: str, name: str, partitions: int = 4) -> None:
    """Create ``name`` where it is missing (the embedded broker creates topics by itself)."""
    admin = AdminClient({"bootstrap.servers": broker})
    if name in admin.list_topics(timeout=10).topics:
        return
    try:
        admin.create_topics([NewTopic(name, partitions, 1)])[name].result(30)
    except Exception:
        admin.list_topics(name, timeout=10)


def delete_topics(broker: str, names: list[str]) -> None:
    """Delete topics; a broker that cannot keeps them."""
    for future in AdminClient({"bootstrap.servers": broker}).delete_topics(names).values():
        try:
            future.result(30)
        except Exception:
            continue


def fill(broker: str, name: str, records: Iterable[tuple[bytes | None, bytes, int | None, list[tuple[str, bytes]]]]) -> int:
    """Write (key, value, partition or None, headers) to ``name``, uncompressed, and return how many."""
    producer = Producer(
        {
            "bootstrap.servers": broker, "linger.ms": 20, "batch.size": 262144, "acks": "all",
            "partitioner": "murmur2_random", "queue.buffering.max.messages": 200_000,
        }
    )  # fmt: skip
    count = 0
    for key, value, partition, headers in records:
        while True:
            try:
                producer.produce(name, value, key, partition=-1 if partition is None else partition, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
        count += 1
        if not count % 1000:
            producer.poll(0)
    producer.flush(120)
    return count
