"""A real Apache Kafka without Docker, for tests, benchmarks and `make kafka`. Needs Java 17 and, the first time, Maven."""

from __future__ import annotations

from infra.kafka.jars import VERSION, Missing, fetch_jars
from infra.kafka.secured import Certificates, Secured
from infra.kafka.server import Broker, DidNotStart, KafkaCluster

__all__ = ["VERSION", "Broker", "Certificates", "DidNotStart", "KafkaCluster", "Missing", "Secured", "fetch_jars"]
