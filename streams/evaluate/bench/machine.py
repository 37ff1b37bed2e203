"""What a benchmark ran on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.errors import Unreachable


def machine(broker: str) -> dict[str, Any]:
    """Return cpu, cores, memory (GiB), python, broker and its version."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "python": platform.python_version(),
        "broker": _broker(broker),
    }


def reach(broker: str) -> None:
    """Raise `Unreachable` unless a broker answers."""
    try:
        AdminClient({"bootstrap.servers": broker, "log_level": 0}).list_topics(timeout=10)
    except KafkaException as error:
        raise Unreachable(f"no broker answers at {broker}; `make kafka` starts one") from error


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _broker(broker: str) -> dict[str, Any]:
    """Kafka does not say its release to clients; the embedded broker is known by its cluster id."""
    if not broker:
        return {"kind": "none"}
    found = AdminClient({"bootstrap.servers": broker}).list_topics(timeout=10)
    if str(found.cluster_id).startswith("mockCluster"):
        return {"kind": "embedded (librdkafka)", "brokers": len(found.brokers)}
    try:
        from infra.kafka import VERSION
    except ImportError:
        VERSION = "unknown"
    return {"kind": "Apache Kafka", "version_pinned_here": VERSION, "brokers": len(found.brokers)}
