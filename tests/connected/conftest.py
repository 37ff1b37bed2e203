"""A real Apache Kafka for the connected suite; it is never replaced by the embedded broker."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest

from infra.kafka import KafkaCluster, Missing
from tests.connected.secured import Stage, secured

_counter = iter(range(1, 1_000_000))


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaCluster]:
    """One broker for all tests of a run; each test takes topics of its own."""
    try:
        cluster = KafkaCluster().start()
    except Missing as missing:
        pytest.skip(str(missing))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One broker that asks who comes, for all tests of a run; see `tests.connected.secured`."""
    try:
        with secured(tmp_path_factory.mktemp("secured")) as found:
            yield found
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def topic(kafka: KafkaCluster) -> Callable[..., str]:
    """Make a topic nobody has used: ``topic("mentions", partitions=4, **config)``."""
    from confluent_kafka.admin import AdminClient, NewTopic

    def make(stem: str, partitions: int = 4, **config: str) -> str:
        name = f"t{next(_counter)}.{stem}"
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        admin.create_topics([NewTopic(name, partitions, 1, config=config)])[name].result(30)
        return name

    return make


@pytest.fixture
def kcat() -> str:
    """Path of ``kcat``, a Kafka client that shares nothing with ours but librdkafka."""
    found = shutil.which("kcat")
    if found is None:
        pytest.skip("kcat is missing (apt-get install kcat)")
    return found
