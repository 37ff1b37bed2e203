"""Brokers of a real Apache Kafka without Docker: KRaft stores in a temporary folder, free loopback ports."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from types import TracebackType

from infra.kafka.jars import HERE, LIBS, fetch_jars, java
from infra.kafka.keeper import Keeper
from infra.kafka.secured import LISTENERS, Secured


class DidNotStart(RuntimeError):
    """The broker ended or did not answer; the message ends with the last lines of its log."""


def free_ports(count: int) -> list[int]:
    """Return ``count`` different loopback ports that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _require_free(port: int) -> None:
    """Raise `DidNotStart` where somebody else listens: a client would take them for the broker that is about to start."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DidNotStart(f"port {port} is in use (a broker that already runs?); name another one with --port") from error


class Broker:
    """One Kafka process; it knows its folder, its ports and its process id."""

    def __init__(
        self, folder: Path, node: int, port: int, controller_port: int, heap_mb: int, keeper: Keeper, secured: Secured | None
    ) -> None:
        self._keeper = keeper
        self._secured = secured
        #: Where clients that say who they are connect: ``{"SASL": port, "MTLS": port}``, empty for a broker that asks nobody.
        self.secured_ports = dict(zip(LISTENERS, free_ports(len(LISTENERS)), strict=True)) if secured is not None else {}
        self.folder = folder
        self.node = node
        self.port = port
        self.controller_port = controller_port
        self.log = folder / "broker.log"
        self._heap_mb = heap_mb
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def properties(self) -> Path:
        return self.folder / "server.properties"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def configure(self, voters: str, brokers: int, extra: dict[str, str]) -> None:
        """Write ``server.properties``."""
        replicas = str(min(3, brokers))
        ports = {"PLAINTEXT": self.port, "CONTROLLER": self.controller_port, **self.secured_ports}
        values = {
            "process.roles": "broker,controller",
            "node.id": str(self.node),
            "controller.quorum.voters": voters,
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.folder / "store"),
            "num.partitions": "4",
            "offsets.topic.replication.factor": replicas,
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": "1",
            "default.replication.factor": replicas,
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            **(self._secured.properties(ports) if self._secured is not None else {}),
            **extra,
        }
        self.properties.write_text("".join(f"{key}={value}\n" for key, value in values.items()), "utf-8")

    def java(self, libs: Path, main: str, *arguments: str) -> list[str]:
        flags = [
            f"-Xmx{self._heap_mb}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={HERE / 'log4j2.xml'}",
        ]
        return [java(), *flags, "-cp", f"{libs}/*", main, *arguments]

    def start(self, libs: Path) -> None:
        """Start the process; it need not answer yet. Raises `DidNotStart` where its port is taken."""
        _require_free(self.port)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.java(libs, "kafka.Kafka", str(self.properties)),
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.folder, start_new_session=True,
            )  # fmt: skip
        self._keeper.watch(self._process.pid)

    def answers(self) -> bool:
        """Whether the port takes connections. Raises `DidNotStart` when the process has ended."""
        if self.pid is None:
            raise DidNotStart(f"broker {self.node} ended:\n{self.tail()}")
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=0.5).close()
        except OSError:
            return False
        return True

    def tail(self, lines: int = 20) -> str:
        """The last lines of the broker's log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:]) if self.log.exists() else ""

    def signal(self, number: int) -> None:
        """Send a signal, for instance SIGSTOP and SIGCONT."""
        if self.pid is not None:
            os.kill(self.pid, number)

    def stop(self, *, grace_seconds: float = 20.0, hard: bool = False) -> None:
        """End the process (SIGTERM, then SIGKILL; ``hard`` only SIGKILL) and wait for it."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
            try:
                process.wait(grace_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        # Only now: interrupted before, a second stop finds the process again, and so does the keeper.
        self._process = None
        self._keeper.forget(process.pid)


class KafkaCluster:
    """One or three brokers (each also a controller) on loopback. They end with this process, even where it is killed.

    ``keep``: a folder that outlives the cluster; a later one with the same folder goes on with its records and ports.
    ``port``: where the first broker listens (0: a free one). ``properties``: more lines of ``server.properties``.
    ``secured``: the brokers also listen for clients that say who they are (`Broker.secured_ports`), and ask what each may do.
    """

    def __init__(
        self,
        *,
        brokers: int = 1,
        keep: Path | None = None,
        port: int = 0,
        heap_mb: int = 512,
        properties: dict[str, str] | None = None,
        secured: Secured | None = None,
    ) -> None:
        if brokers not in (1, 3):
            raise ValueError("one or three brokers")
        self._keep = keep
        self._folder: Path | None = None
        self._count = brokers
        self._port = port
        self._heap_mb = heap_mb
        self._extra = properties or {}
        self._secured = secured
        self._keeper: Keeper | None = None
        self.brokers: list[Broker] = []

    @property
    def bootstrap(self) -> str:
        """``host:port,...`` of all brokers."""
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    def start(self, timeout_seconds: float = 90.0) -> KafkaCluster:
        """Fetch, format where the folder is new, start, and wait until it answers. Raises `Missing`, `DidNotStart`."""
        libs = fetch_jars()
        java()
        self._folder = (self._keep or Path(tempfile.mkdtemp(prefix="veille-kafka-"))).resolve()
        self._keeper = Keeper(self._folder, remove=self._keep is None)
        try:
            self._prepare(libs, self._folder, self._keeper)
            for broker in self.brokers:
                broker.start(libs)
            self.wait(timeout_seconds)
        except BaseException:
            self.stop(hard=True)
            raise
        return self

    def _prepare(self, libs: Path, folder: Path, keeper: Keeper) -> None:
        known = sorted(folder.glob("node-*/ports"))
        if known and len(known) != self._count:
            raise DidNotStart(
                f"the store in {folder} belongs to {len(known)} broker(s), not {self._count}: ask for as many, or name another folder"
            )
        if known:
            places = [[int(word) for word in path.read_text("utf-8").split()] for path in known]
        else:
            free = free_ports(2 * self._count)
            places = [[free[2 * n], free[2 * n + 1]] for n in range(self._count)]
            if self._port:
                places[0][0] = self._port
        voters = ",".join(f"{node}@127.0.0.1:{ports[1]}" for node, ports in enumerate(places, 1))
        # An id that begins with "-" would be taken for an option of the storage tool.
        cluster_id = "V" + base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()[1:]
        for node, (port, controller_port) in enumerate(places, 1):
            home = folder / f"node-{node}"
            home.mkdir(parents=True, exist_ok=True)
            broker = Broker(home, node, port, controller_port, self._heap_mb, keeper, self._secured)
            broker.configure(voters, len(places), self._extra)
            self.brokers.append(broker)
            if not known:
                options = self._secured.format_options() if self._secured is not None else []
                tool = broker.java(libs, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(broker.properties), *options)
                done = subprocess.run(tool, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise DidNotStart(f"the store could not be formatted:\n{(done.stdout + done.stderr)[-2000:]}")
                (home / "ports").write_text(f"{port} {controller_port}\n", "utf-8")

    def wait(self, timeout_seconds: float = 90.0) -> None:
        """Wait until every broker takes connections. Raises `DidNotStart`."""
        deadline = time.monotonic() + timeout_seconds
        for broker in self.brokers:
            while not broker.answers():
                if time.monotonic() > deadline:
                    raise DidNotStart(f"broker {broker.node} does not answer:\n{broker.tail()}")
                time.sleep(0.05)

    def restart(self, index: int = 0, *, hard: bool = False) -> None:
        """Stop one broker (``hard``: SIGKILL) and start it again on the same store and ports."""
        self.brokers[index].stop(hard=hard)
        self.brokers[index].start(LIBS)
        self.wait()

    def stop(self, *, hard: bool = False) -> None:
        """End every broker and, unless the folder is kept, remove it."""
        for broker in self.brokers:
            broker.stop(hard=hard)
        self.brokers.clear()
        if self._folder is not None and self._keep is None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    def __enter__(self) -> KafkaCluster:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
