"""A secured broker for the tests, whoever may use it, and the command line as its user."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.kafka import Certificates, KafkaCluster, Secured
from streams.settings import Settings

USER, PASSWORD = "ann", "correct-horse"
WATCHLIST = "brands:\n  - {id: acme, names: [Acme]}\n"


@dataclass
class Stage:
    """The broker, its certificates, and foreign ones that it does not know."""

    cluster: KafkaCluster
    certificates: Certificates
    foreign: Certificates
    folder: Path
    clients: dict[str, dict[str, str]] = field(default_factory=dict)

    def port(self, listener: str) -> int:
        broker = self.cluster.brokers[0]
        return broker.secured_ports.get(listener, broker.port)

    def settings(self, client: str, **more: str) -> Settings:
        """Return the settings of one of `clients`."""
        names = {name.removeprefix("VEILLE_").lower(): value for name, value in (self.clients[client] | more).items()}
        return Settings.model_validate(names)


@contextmanager
def secured(folder: Path) -> Iterator[Stage]:
    """A broker with a user and a client certificate of the same name, so that the same rights hold for each way in."""
    certificates, foreign = Certificates(folder / "known"), Certificates(folder / "foreign")
    certificate, key = certificates.sign(USER)
    with KafkaCluster(secured=Secured(certificates, {USER: PASSWORD})) as cluster:
        stage = Stage(cluster, certificates, foreign, folder)
        tls = {"VEILLE_SSL_CAFILE": str(certificates.authority)}
        sasl = {"VEILLE_BROKER": f"localhost:{stage.port('SASL')}", "VEILLE_SECURITY_PROTOCOL": "SASL_SSL"} | tls
        sasl |= {"VEILLE_SASL_USERNAME": USER, "VEILLE_SASL_PASSWORD": PASSWORD}
        mine = {"VEILLE_SSL_CERTFILE": str(certificate), "VEILLE_SSL_KEYFILE": str(key)}
        stage.clients = {
            "scram-256": sasl | {"VEILLE_SASL_MECHANISM": "SCRAM-SHA-256"},
            "scram-512": sasl | {"VEILLE_SASL_MECHANISM": "SCRAM-SHA-512"},
            "plain": sasl | {"VEILLE_SASL_MECHANISM": "PLAIN"},
            "mtls": {"VEILLE_BROKER": f"localhost:{stage.port('MTLS')}", "VEILLE_SECURITY_PROTOCOL": "SSL"} | tls | mine,
            "admin": {"VEILLE_BROKER": cluster.bootstrap},
        }
        yield stage


def environment(client: Mapping[str, str], **more: str) -> dict[str, str]:
    """Return what a command of that client runs in."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith("VEILLE_")}
    return usual | {"VEILLE_HTTP__PORT": "0", "VEILLE_ENRICH__AUTHOR_KEY": "a key of the tests"} | dict(client) | more


def veille(client: Mapping[str, str], *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; neither a trace nor the password may be in what it says."""
    command = [sys.executable, "-m", "streams.cli.main", *words]
    done = subprocess.run(command, env=environment(client, **more), capture_output=True, text=True, timeout=60, check=False)
    clean(done.stdout + done.stderr)
    return done


def clean(said: str) -> None:
    """Fail where something was said that may not be."""
    assert "Traceback" not in said, said
    assert PASSWORD not in said


@contextmanager
def worker(client: Mapping[str, str], log: Path, *words: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A worker that ends with the context."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli.main", "worker", *words], env=environment(client, **more), stderr=out, stdout=out, text=True
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(40)
            clean(log.read_text("utf-8"))


Right = tuple[str, str, str]


def allow(stage: Stage, rights: Iterable[Right]) -> None:
    """Give the user ``rights``: (topic, group or cluster; name; operation)."""
    _each(stage, rights, "create_acls")


def deny(stage: Stage, rights: Iterable[Right]) -> None:
    """Take ``rights`` away."""
    _each(stage, rights, "delete_acls")


def _each(stage: Stage, rights: Iterable[Right], method: str) -> None:
    from confluent_kafka.admin import (
        AclBinding,
        AclBindingFilter,
        AclOperation,
        AclPermissionType,
        AdminClient,
        ResourcePatternType,
        ResourceType,
    )

    kinds = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "cluster": ResourceType.BROKER}
    admin = AdminClient({"bootstrap.servers": stage.cluster.bootstrap})
    make = AclBinding if method == "create_acls" else AclBindingFilter
    acls = [
        make(
            kinds[kind], name, ResourcePatternType.LITERAL, f"User:{USER}", "*",
            AclOperation[operation.upper().replace("IDEMPOTENTWRITE", "IDEMPOTENT_WRITE")], AclPermissionType.ALLOW,
        )
        for kind, name, operation in rights
    ]  # fmt: skip
    for done in getattr(admin, method)(acls).values():
        done.result(30)
