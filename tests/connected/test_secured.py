"""Veille on a Kafka that asks who comes and what he may do: TLS, passwords, client certificates."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from tests.connected.secured import PASSWORD, USER, Stage, count_of, publish, veille, worker

pytestmark = pytest.mark.connected


@pytest.mark.parametrize("way", ["scram-256", "scram-512", "plain", "mtls"])
async def test_the_whole_road(stage: Stage, tmp_path: Path, way: str) -> None:
    """Topics are made, a worker with all stages watches, a crisis is declared, mentions come through, and the commands read them."""
    client = stage.clients[way] | {"VEILLE_TOPIC_PREFIX": f"{way}."}
    brands = str(stage.folder / "brands.yaml")
    assert veille(client, "topics", "apply").returncode == 0
    with worker(client, tmp_path / "log", "--watchlist", brands) as running:
        words = ("--brand", "acme", "--headline", "Bags lost", "--terms", "bag", "--by", "ann", "--wait", "30")
        opened = veille(client, "crisis", "open", *words)
        assert opened.returncode == 0, opened.stderr + (tmp_path / "log").read_text()
        settings = stage.settings(way, VEILLE_TOPIC_PREFIX=f"{way}.")
        await publish(settings, 3)
        while await count_of(settings, "mentions.enriched", b"veille.enriched") < 3:
            assert running.poll() is None, (tmp_path / "log").read_text()
        crisis = json.loads(veille(client, "crises", "--json").stdout.splitlines()[0])["data"]["crisis_id"]
        brief = veille(client, "brief", crisis)
        assert brief.returncode == 0, brief.stderr
        doctor = veille(client, "doctor")
        assert doctor.returncode == 0, doctor.stdout
        running.terminate()
        assert running.wait(40) == 0


def test_a_replay_and_what_reads_it(stage: Stage) -> None:
    """What goes to the broker without a worker goes there securely too."""
    client = stage.clients["mtls"] | {"VEILLE_RUN": "old", "VEILLE_WATCHLIST": str(stage.folder / "brands.yaml")}
    for words in (
        ("topics", "apply"),
        ("watchlist", "apply", str(stage.folder / "brands.yaml")),
        ("replay", str(stage.folder / "old.jsonl")),
        ("warm", str(stage.folder / "old.jsonl")),
    ):
        done = veille(client, *words)
        assert done.returncode == 0, done.stderr


SASL: dict[str, str | None] = {"VEILLE_SASL_USERNAME": USER, "VEILLE_SASL_PASSWORD": PASSWORD}
#: name: (whose settings, what differs (None: not set), exit code, what is said)
WRONG: dict[str, tuple[str, dict[str, str | None], int, str]] = {
    "wrong password": ("scram-512", {"VEILLE_SASL_PASSWORD": "guess"}, 4, "user ann with this password by SCRAM-SHA-512"),
    "wrong password, PLAIN": ("plain", {"VEILLE_SASL_PASSWORD": "guess"}, 4, "check VEILLE_SASL_USERNAME, VEILLE_SASL_PASSWORD"),
    "wrong user": ("scram-512", {"VEILLE_SASL_USERNAME": "zoe"}, 4, "does not accept the user zoe"),
    "foreign authority": ("scram-512", {"VEILLE_SSL_CAFILE": "{foreign}/ca.pem"}, 4, "not trusted .*VEILLE_SSL_CAFILE names the CA"),
    "system's authorities": ("scram-512", {"VEILLE_SSL_CAFILE": None}, 4, "not trusted .*VEILLE_SSL_CAFILE names the CA"),
    "another host": ("scram-512", {"VEILLE_BROKER": "127.0.0.1:{SASL}"}, 4, "certificate of another host .*VEILLE_BROKER"),
    "no TLS on a TLS port": ("admin", {"VEILLE_BROKER": "localhost:{SASL}"}, 4, "speaks TLS on this port: set VEILLE_SECURITY_PROTOCOL"),
    "TLS on a plain port": ("scram-512", {"VEILLE_BROKER": "localhost:{PLAINTEXT}"}, 4, "does not speak TLS on this port"),
    "no password for one that asks": (
        "mtls", {"VEILLE_BROKER": "localhost:{SASL}"}, 4, "if it asks for a password, set VEILLE_SECURITY_PROTOCOL=SASL_SSL",
    ),
    "a password for none that asks": (
        "mtls", SASL | {"VEILLE_SECURITY_PROTOCOL": "SASL_SSL"}, 4, "asks for no password on this port",
    ),
    "no client certificate": ("mtls", {"VEILLE_SSL_CERTFILE": None, "VEILLE_SSL_KEYFILE": None}, 4, "asks for a client certificate"),
    "foreign client certificate": (
        "mtls", {"VEILLE_SSL_CERTFILE": "{foreign}/ann.pem", "VEILLE_SSL_KEYFILE": "{foreign}/ann.key"},
        4, "does not accept the client certificate",
    ),
    "locked key without its password": ("mtls", {"VEILLE_SSL_KEYFILE": "{known}/ann.locked"}, 4, "VEILLE_SSL_KEY_PASSWORD is missing"),
    "locked key with another": (
        "mtls", {"VEILLE_SSL_KEYFILE": "{known}/ann.locked", "VEILLE_SSL_KEY_PASSWORD": "x"}, 4, "VEILLE_SSL_KEY_PASSWORD does not open it",
    ),
    "nobody there": ("scram-512", {"VEILLE_BROKER": "localhost:1"}, 3, "no Kafka answers at localhost:1"),
    "no such name": ("scram-512", {"VEILLE_BROKER": "kafka.invalid:9092"}, 3, "the name of kafka.invalid:9092 is not known"),
}  # fmt: skip


@pytest.fixture(scope="module")
def more_files(stage: Stage) -> Stage:
    """A certificate that the broker does not know, and a key behind a password."""
    stage.foreign.sign(USER)
    stage.certificates.encrypted(stage.folder / "known" / f"{USER}.key", "a word")
    return stage


@pytest.mark.parametrize("case", WRONG)
def test_what_the_broker_does_not_take_is_said_with_the_mend(more_files: Stage, case: str) -> None:
    """One sentence, the documented code, no trace, no password."""
    whose, changes, code, said = WRONG[case]
    stage = more_files
    places = {name: str(stage.port(name)) for name in ("SASL", "MTLS", "PLAINTEXT")}
    places |= {name: str(stage.folder / name) for name in ("known", "foreign")}
    client = {name: value for name, value in stage.clients[whose].items() if name not in changes}
    client |= {name: value.format(**places) for name, value in changes.items() if value is not None}
    done = veille(client, "crises")
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("veille: ")
    assert done.stderr.count("\n") == 1
    assert re.search(said, done.stderr), done.stderr


def test_a_locked_key_opens_with_its_password(more_files: Stage) -> None:
    """A key may lie encrypted on the disk."""
    locked = {"VEILLE_SSL_KEYFILE": str(more_files.folder / "known" / f"{USER}.locked"), "VEILLE_SSL_KEY_PASSWORD": "a word"}
    assert veille(more_files.clients["mtls"] | locked, "crises").returncode == 0


@pytest.mark.parametrize("words", [("worker",), ("doctor",), ("topics", "apply"), ("replay", "old.jsonl"), ("brief", "acme-1-1")])
def test_every_command_says_that_it_is_not_taken(stage: Stage, words: tuple[str, ...]) -> None:
    """The worker and the doctor say it in their own form."""
    words = tuple(str(stage.folder / word) if word.endswith(".jsonl") else word for word in words)
    done = veille(stage.clients["scram-512"] | {"VEILLE_SASL_PASSWORD": "guess"}, *words)
    assert done.returncode == 4, done.stderr
    assert "does not accept the user ann" in done.stdout + done.stderr


async def test_a_password_that_is_withdrawn_ends_the_worker(stage: Stage, tmp_path: Path) -> None:
    """A worker whose password no longer holds when it connects again says so, and not that there is no broker."""
    from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

    place = {"VEILLE_TOPIC_PREFIX": "withdrawn."}
    assert veille(stage.clients["admin"] | place, "topics", "apply").returncode == 0
    admin = AdminClient({"bootstrap.servers": stage.cluster.bootstrap})

    def change(password: str) -> None:
        known = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        changed = admin.alter_user_scram_credentials([UserScramCredentialUpsertion(USER, known, password.encode())])
        for done in changed.values():
            done.result(30)

    quick = {"VEILLE_STAGES": "commands", "VEILLE_ENGINE__STALL_SECONDS": "6"}
    with worker(stage.clients["scram-512"] | place | quick, tmp_path / "log") as running:
        while '"event": "ready"' not in (tmp_path / "log").read_text():
            assert running.poll() is None, (tmp_path / "log").read_text()
            await asyncio.sleep(0.2)
        change("another word")
        try:
            stage.cluster.restart()
            assert running.wait(60) == 4, (tmp_path / "log").read_text()
        finally:
            change(PASSWORD)
    assert f"does not accept the user {USER} with this password" in (tmp_path / "log").read_text()
