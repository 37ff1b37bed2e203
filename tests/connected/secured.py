"""A secured broker for the tests, whoever may use it, and the command line as its user."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.kafka import Certificates, KafkaCluster, Secured
from schemas.cloudevents import type_of
from schemas.rights import STAGES, Right
from streams.cli.connection import consumer, places_of, producer, records_of
from streams.settings import Settings

USER, PASSWORD = "ann", "correct-horse"
#: A worker and a person, and for each stage a user of its name, who may do nothing until a test allows it.
WORKER, PERSON = "bob", "eve"
EVERYTHING = [Right("topic", "*", "All"), Right("group", "*", "All"), Right("cluster", "kafka-cluster", "All")]
#: A day and a half of mentions.
_HOURS = [f"2026-03-0{2 + n // 24}T{n % 24:02}:00:00Z" for n in range(36)]
OLD = "".join(f'{{"id": "{at}", "network": "x", "text": "Acme lost my bag", "published_at": "{at}"}}\n' for at in _HOURS)
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
    with KafkaCluster(secured=Secured(certificates, dict.fromkeys((USER, WORKER, PERSON, *STAGES), PASSWORD))) as cluster:
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
        for name in (WORKER, PERSON, *STAGES):
            stage.clients[name] = stage.clients["scram-512"] | {"VEILLE_SASL_USERNAME": name}
        allow(stage, EVERYTHING)
        (folder / "brands.yaml").write_text(WATCHLIST)
        (folder / "old.jsonl").write_text(OLD)
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


def allow(stage: Stage, rights: Collection[Right], user: str = USER) -> None:
    """Give ``user`` ``rights``: (topic, group or cluster; name; operation)."""
    _each(stage, rights, user, "create_acls")


def deny(stage: Stage, rights: Collection[Right], user: str = USER) -> None:
    """Take ``rights`` away from ``user``."""
    _each(stage, rights, user, "delete_acls")


def _each(stage: Stage, rights: Collection[Right], user: str, method: str) -> None:
    from confluent_kafka.admin import (
        AclBinding,
        AclBindingFilter,
        AclOperation,
        AclPermissionType,
        AdminClient,
        ResourcePatternType,
        ResourceType,
    )

    if not rights:
        return
    kinds = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "cluster": ResourceType.BROKER}
    admin = AdminClient({"bootstrap.servers": stage.cluster.bootstrap})
    make = AclBinding if method == "create_acls" else AclBindingFilter
    acls = [
        make(
            kinds[kind], name, ResourcePatternType.LITERAL, f"User:{user}", "*",
            AclOperation[operation.upper().replace("IDEMPOTENTWRITE", "IDEMPOTENT_WRITE")], AclPermissionType.ALLOW,
        )
        for kind, name, operation in rights
    ]  # fmt: skip
    for done in getattr(admin, method)(acls).values():
        done.result(30)


async def publish(settings: Settings, count: int) -> None:
    """Send ``count`` mentions of now, as a publisher who knows the topic."""
    async with producer(settings) as client:
        for _ in range(count):
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            mention = {"id": uuid.uuid4().hex, "network": "x", "text": "Acme lost my bag", "published_at": now}
            await client.send_and_wait(settings.topic("mentions.raw"), json.dumps(mention).encode())


async def count_of(settings: Settings, topic: str, event: bytes) -> int:
    """Return how many events of a type lie in a topic."""
    async with consumer(settings) as client:
        places = await places_of(client, settings.topic(topic))
        return len([1 async for records in records_of(client, places) for record in records if type_of(record.headers) == event])
