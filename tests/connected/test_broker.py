"""Tests of infra.kafka: what the suites and the benchmarks stand on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from infra.kafka import KafkaCluster, Missing, jars

pytestmark = pytest.mark.connected


async def _write(bootstrap: str, topic: str, count: int) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        for number in range(count):
            await producer.send(topic, b"%d" % number, key=b"%d" % number)


async def _read(bootstrap: str, topic: str, count: int) -> list[int]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None)
    async with consumer:
        return sorted([int((await consumer.getone()).value) for _ in range(count)])


async def test_what_is_written_is_read(kafka: KafkaCluster, topic: Callable[..., str]) -> None:
    """An idempotent producer's records come back, each once."""
    name = topic("roundtrip")
    await _write(kafka.bootstrap, name, 1000)
    assert await _read(kafka.bootstrap, name, 1000) == list(range(1000))


def test_a_foreign_client_gets_through(kafka: KafkaCluster, topic: Callable[..., str], kcat: str) -> None:
    """One line from kcat is one record that kcat reads again."""
    name = topic("foreign", partitions=1)
    subprocess.run([kcat, "-P", "-b", kafka.bootstrap, "-t", name], input=b"hello\n", check=True)
    read = subprocess.run([kcat, "-C", "-b", kafka.bootstrap, "-t", name, "-o", "beginning", "-e", "-q"], capture_output=True, check=True)
    assert read.stdout == b"hello\n"


@pytest.mark.parametrize("hard", [False, True], ids=["stopped", "killed"])
async def test_records_outlive_a_restart(tmp_path: Path, hard: bool) -> None:
    """A broker that was stopped or killed answers again on the same port with the same records."""
    with KafkaCluster(keep=tmp_path) as cluster:
        await _write(cluster.bootstrap, "kept", 100)
        before = cluster.bootstrap
        cluster.restart(hard=hard)
        assert cluster.bootstrap == before
        assert await _read(cluster.bootstrap, "kept", 100) == list(range(100))


async def test_a_kept_store_outlives_the_cluster(tmp_path: Path) -> None:
    """A new cluster on the same folder goes on with the records and the ports of the old one."""
    with KafkaCluster(keep=tmp_path) as first:
        await _write(first.bootstrap, "kept", 10)
        ports = first.bootstrap
    with KafkaCluster(keep=tmp_path) as second:
        assert second.bootstrap == ports
        assert await _read(second.bootstrap, "kept", 10) == list(range(10))


async def test_three_brokers_survive_one() -> None:
    """A replicated topic is written and read while one of three brokers is dead."""
    from confluent_kafka.admin import AdminClient, NewTopic

    with KafkaCluster(brokers=3, heap_mb=256) as cluster:
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
        admin.create_topics([NewTopic("three", 4, 3)])["three"].result(30)
        cluster.brokers[1].stop(hard=True)
        await _write(cluster.bootstrap, "three", 100)
        assert await _read(cluster.bootstrap, "three", 100) == list(range(100))


def test_nothing_is_left_behind() -> None:
    """After a stop neither the process nor its folder nor its port is there."""
    cluster = KafkaCluster().start()
    broker = cluster.brokers[0]
    pid, folder, port = broker.pid, broker.folder, broker.port
    assert pid is not None
    cluster.stop()
    assert not folder.exists()
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        pass


def test_the_command_prints_its_bootstrap_servers_and_ends_cleanly() -> None:
    """`python -m infra.kafka` says where it listens on stdout and ends with 0 on SIGTERM."""
    command = [sys.executable, "-m", "infra.kafka", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        host, _, port = process.stdout.readline().strip().partition(":")
        socket.create_connection((host, int(port)), timeout=5).close()
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(60) == 0


def test_a_missing_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Java the message says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(Missing, match="install it"):
        jars.java()


def test_a_missing_maven_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Maven and without jars the message says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match="Maven"):
        jars.fetch_jars(tmp_path / "libs")
