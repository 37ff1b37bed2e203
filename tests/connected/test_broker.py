"""Tests of infra.kafka: what the suites and the benchmarks stand on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from infra.kafka import DidNotStart, KafkaCluster, Missing, jars

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


@pytest.fixture
def command(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`make kafka`'s program, up and listening, with its temporary files under ``tmp_path``."""
    with subprocess.Popen(
        [sys.executable, "-m", "infra.kafka", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as process:  # fmt: skip
        yield process
        process.kill()


def _processes_of(folder: Path) -> list[int]:
    """Processes whose command line names ``folder``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("word", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL], ids=lambda word: word.name)
def test_the_command_leaves_nothing_behind_however_it_ends(command: subprocess.Popen[str], tmp_path: Path, word: signal.Signals) -> None:
    """It says where it listens, and after any end, SIGKILL too, there is no process, no folder and no port of it."""
    assert command.stdout is not None
    host, _, port = command.stdout.readline().strip().partition(":")
    socket.create_connection((host, int(port)), timeout=5).close()
    assert _processes_of(tmp_path)
    os.kill(command.pid, word)
    assert command.wait(60) == (-signal.SIGKILL if word == signal.SIGKILL else 0)
    # Killed, it cannot wait itself for what it leaves to its keeper.
    while _processes_of(tmp_path) or any(tmp_path.iterdir()):
        time.sleep(0.1)
    with pytest.raises(OSError), socket.create_connection((host, int(port)), timeout=1):
        pass


async def test_a_kept_store_outlives_a_killed_command(tmp_path: Path) -> None:
    """With ``--keep`` the store of a killed command is closed in order, and the next one goes on with it."""
    keep = tmp_path / "store"
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.kafka", "--port", "0", "--keep", str(keep)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        await _write(process.stdout.readline().strip(), "kept", 10)
        process.kill()
    while _processes_of(keep):
        time.sleep(0.1)
    with KafkaCluster(keep=keep) as second:
        assert await _read(second.bootstrap, "kept", 10) == list(range(10))


def test_a_port_in_use_is_named(kafka: KafkaCluster) -> None:
    """A second broker on a taken port does not pass the first one off as itself."""
    with pytest.raises(DidNotStart, match=r"in use.*--port"):
        KafkaCluster(port=kafka.brokers[0].port).start()


def test_a_kept_store_of_another_size_is_named(tmp_path: Path) -> None:
    """A store of three brokers is not started as one."""
    for node in (1, 2, 3):
        (tmp_path / f"node-{node}").mkdir()
        (tmp_path / f"node-{node}" / "ports").write_text("1 2\n", "utf-8")
    with pytest.raises(DidNotStart, match="belongs to 3"):
        KafkaCluster(keep=tmp_path).start()


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
