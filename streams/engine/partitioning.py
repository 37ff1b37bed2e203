"""Which partition a key belongs to: murmur2, as the Java client and librdkafka's ``murmur2_random`` do."""

from __future__ import annotations

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=200_000)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of ``key`` among ``partitions``."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)
