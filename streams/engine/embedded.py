"""A Kafka broker inside this process: librdkafka's mock cluster, a real TCP endpoint, without Java or Docker.

It is for trying Veille and for fast tests. Its limits:

- memory only, no compaction, and each partition keeps its last 5 MiB, changelogs too: set
  ``VEILLE_ENGINE__CHANGELOG_REWRITE_BYTES`` to 2 MiB, and let a replay hold back (`streams.engine.positions`);
- it cannot be asked to create topics: they appear with 4 partitions at the first question for them;
- one worker in a group; offsets are not committed during a rebalance; no transactions;
- it lives as long as the process that opened it, so open it in the parent, never in a worker that may be killed.

What Veille promises about crashes and rebalances is tested on a real Apache Kafka.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from confluent_kafka import Producer

#: Setting for a worker on this broker: every state is written anew before the log forgets it.
REWRITE_BYTES = 2 << 20


class EmbeddedBroker:
    """Context manager; ``bootstrap`` is the host:port to connect to while it is open."""

    def __init__(self) -> None:
        self._cluster: Producer | None = None
        self.bootstrap = ""

    def open(self) -> EmbeddedBroker:
        """Start the broker."""
        self._cluster = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 0})
        brokers = self._cluster.list_topics(timeout=10).brokers.values()
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        return self

    def close(self) -> None:
        """Stop it; everything it held is gone."""
        self._cluster = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
