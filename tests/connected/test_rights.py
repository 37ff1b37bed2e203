"""What Veille may do on a Kafka: the documented rights are enough, and one that is missing is named."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from schemas.rights import APPLY, COMMANDS, STAGES, Right, command_rights, stage_rights
from schemas.topics import load_topics
from streams.cli.connection import producer
from streams.settings import Settings
from tests.connected.secured import PERSON, WORKER, Stage, allow, clean, count_of, deny, environment, publish, veille, worker

pytestmark = pytest.mark.connected


def named(rights: Iterable[Right], settings: Settings) -> set[Right]:
    """Return ``rights`` with the broker's names of topics and groups."""

    def name(right: Right) -> str:
        if right.kind == "topic":
            return settings.topic(right.name)
        return settings.group_id + right.name.removeprefix(settings.group)

    return {Right(kind, name(Right(kind, plain, operation)), operation) for kind, plain, operation in rights}


@contextmanager
def allowed(stage: Stage, user: str, rights: set[Right]) -> Iterator[None]:
    """``user`` has ``rights`` and no others, inside the context."""
    allow(stage, rights, user)
    try:
        yield
    finally:
        deny(stage, rights, user)


async def test_the_documented_rights_are_enough(stage: Stage, tmp_path: Path) -> None:
    """Workers of as few stages as may be, and the commands, do their whole work with the rows of docs/security.md and nothing else."""
    place = {"VEILLE_TOPIC_PREFIX": "least."}
    admin, person, brands = stage.clients["admin"] | place, stage.clients[PERSON] | place, str(stage.folder / "brands.yaml")
    settings, old = stage.settings("admin", VEILLE_TOPIC_PREFIX="least."), {"VEILLE_RUN": "old"}
    with allowed(stage, PERSON, named(command_rights(APPLY), settings)):
        assert veille(person, "topics", "apply").returncode == 0
        assert ": there" in veille(person, "topics", "apply").stdout
    assert veille(admin, "topics", "apply", "--run", "old").returncode == 0
    pages = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path))
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    site = f"http://127.0.0.1:{pages.server_address[1]}/"
    opening = ("open", "--brand", "acme", "--headline", "Bags lost", "--terms", "bag")
    usual = ("--by", "ann", "--wait", "30")
    steps: list[tuple[str, tuple[str, ...], dict[str, str], int]] = [
        ("veille crisis", (*opening, *usual), {}, 0),
        ("veille crises", ("--json",), {}, 0),
        ("veille brief", ("CRISIS",), {}, 0),
        ("veille crisis", ("capture", "CRISIS", "--file", brands, *usual), {}, 0),
        ("veille crisis", ("claim-add", "CRISIS", "--claim", "c1", "--text", "It was one bag.", *usual), {}, 0),
        ("veille evidence page", ("page", "CRISIS", site, "--allow-internal", "--no-screenshot", *usual), {}, 0),
        ("veille evidence", ("list", "CRISIS"), {}, 0),
        ("veille doctor", (), {}, 0),
        ("veille watchlist", ("apply", brands), old, 0),
        ("veille replay", (str(stage.folder / "old.jsonl"), "--watchlist", brands), old, 0),
        ("veille warm", (str(stage.folder / "old.jsonl"),), old, 0),
        ("veille explain", ("acme-1",), {}, 4),  # there is none yet, which it can say only after it has read all
    ]
    logs = {name: tmp_path / name for name in STAGES}
    with ExitStack() as stack:
        stack.callback(pages.server_close)
        stack.callback(pages.shutdown)
        running = []
        for name, log in logs.items():
            stack.enter_context(allowed(stage, name, named(stage_rights(name), settings)))
            client = stage.clients[name] | place | {"VEILLE_STAGES": name}
            running.append(stack.enter_context(worker(client, log, "--watchlist", brands)))

        def said() -> str:
            return "\n".join(log.read_text() for log in logs.values())

        while said().count('"event": "ready"') < len(STAGES):
            assert not [one for one in running if one.poll() is not None], said()
            await asyncio.sleep(0.2)
        crisis = ""
        for command, words, more, code in steps:
            here = settings.model_copy(update={"run": more.get("VEILLE_RUN", "")})
            with allowed(stage, PERSON, named(command_rights(command), here)):
                done = veille(person | more, command.split()[1], *(crisis if word == "CRISIS" else word for word in words))
            assert done.returncode == code, (command, words, done.stderr, done.stdout, said())
            assert "does not allow" not in done.stderr
            if command == "veille crises":
                crisis = json.loads(done.stdout.splitlines()[0])["data"]["crisis_id"]
        await publish(settings, 3)
        for topic, event in {
            "mentions.enriched": b"veille.enriched",
            "crisis.tasks": b"veille.task",
            "crisis.evidence": b"veille.evidence",
        }.items():
            while not await count_of(settings, topic, event):
                assert not [one for one in running if one.poll() is not None], said()
        for one in running:
            one.terminate()
        assert [one.wait(40) for one in running] == [0] * len(STAGES)
        assert "does not allow" not in said()
    # The crisis room and the collector never end by themselves: what they read and write others do.
    assert {command for command, *_ in steps} == set(COMMANDS) - {"veille board", "veille collect"}
    assert command_rights("veille collect") <= command_rights("veille replay")
    assert command_rights("veille board") <= command_rights("veille brief") | command_rights("veille crises")


def less(rights: set[Right], *changes: tuple[str, str, str]) -> set[Right]:
    """Return ``rights`` without those of ``changes`` (kind, name, operation); what may no longer be read or written may be described."""
    assert set(changes) <= rights
    return (rights - set(changes)) | {Right("topic", name, "Describe") for kind, name, _ in changes if kind == "topic"}


@pytest.fixture(scope="module")
def lacking(stage: Stage) -> dict[str, str]:
    """Where the topics are of those who lack a right: each partition holds a record, so that there is something to be refused."""
    place = {"VEILLE_TOPIC_PREFIX": "lack."}
    assert veille(stage.clients["admin"] | place, "topics", "apply").returncode == 0
    settings = stage.settings("admin", VEILLE_TOPIC_PREFIX="lack.")

    async def fill() -> None:
        async with producer(settings) as client:
            for name in map(settings.topic, load_topics()):
                for partition in await client.partitions_for(name):
                    await client.send_and_wait(name, b"x", key=b"x", partition=partition)

    asyncio.run(fill())
    return place


#: (command, its words, the right on a topic that is missing)
PEOPLE: list[tuple[str, tuple[str, ...], str, str]] = [
    ("veille crises", (), "crisis.events", "Read"),
    ("veille brief", ("acme-1-1",), "crisis.state", "Read"),
    ("veille evidence", ("list", "acme-1-1"), "crisis.evidence", "Read"),
    ("veille crisis", ("note", "acme-1-1", "--text", "x", "--by", "a"), "crisis.commands", "Write"),
    ("veille doctor", (), "brand.signals", "Read"),
    ("veille board", ("--port", "0"), "crisis.events", "Read"),
    ("veille watchlist", ("apply", "brands.yaml"), "watchlist", "Write"),
    ("veille watchlist", ("apply", "brands.yaml"), "watchlist", "Read"),
    ("veille replay", ("old.jsonl",), "mentions.raw", "Write"),
    ("veille replay", ("old.jsonl",), "mentions.raw", "Read"),
    ("veille warm", ("old.jsonl", "--watchlist", "brands.yaml"), "mentions.enriched", "Write"),
    ("veille explain", ("acme-1",), "mentions.enriched", "Read"),
]


@pytest.mark.parametrize(("command", "words", "topic", "operation"), PEOPLE)
def test_a_command_names_the_right_that_is_missing(
    stage: Stage, lacking: dict[str, str], command: str, words: tuple[str, ...], topic: str, operation: str
) -> None:
    """Topic and operation in one sentence, exit code 4; and so it is where a topic may not even be seen."""
    words = tuple(str(stage.folder / word) if "." in word else word for word in words)
    settings = stage.settings("admin", **lacking)
    for rights, told in (
        (less(command_rights(command), ("topic", topic, operation)), operation),
        ({right for right in command_rights(command) if right.name != topic}, "Describe"),
    ):
        with allowed(stage, PERSON, named(rights, settings)):
            done = veille(stage.clients[PERSON] | lacking, command.split()[1], *words)
        assert done.returncode == 4, (done.stdout, done.stderr)
        assert f"the broker does not allow {PERSON} {told} on topic lack.{topic}" in done.stdout + done.stderr


def test_the_crisis_room_needs_no_more_than_its_row(stage: Stage, lacking: dict[str, str]) -> None:
    """It serves its page and goes on; without one of its rights it would have ended."""
    rights = named(command_rights("veille board"), stage.settings("admin", **lacking))
    command = [sys.executable, "-m", "streams.cli.main", "board", "--port", "0"]
    with (
        allowed(stage, PERSON, rights),
        subprocess.Popen(command, env=environment(stage.clients[PERSON] | lacking), stderr=subprocess.PIPE, text=True) as board,
    ):
        assert board.stderr is not None
        address = board.stderr.readline().split()[-1]
        assert urllib.request.urlopen(address, timeout=10).status == 200
        with pytest.raises(subprocess.TimeoutExpired):
            board.wait(3)
        board.terminate()
        clean(board.stderr.read())


def test_topics_are_not_created_without_the_right(stage: Stage) -> None:
    """Who only sees topics cannot create them, and reads which."""
    place = {"VEILLE_TOPIC_PREFIX": "none."}
    rights = {right for right in command_rights(APPLY) if right.operation == "Describe"}
    with allowed(stage, PERSON, named(rights, stage.settings("admin", **place))):
        done = veille(stage.clients[PERSON] | place, "topics", "apply")
    assert done.returncode == 4
    assert f"the broker does not allow {PERSON} Create on topic none.brand.signals" in done.stderr


#: (stage, the rights that are missing, settings, what is said)
WORKERS: list[tuple[str, list[tuple[str, str, str]], dict[str, str], str]] = [
    ("commands", [("group", "veille", "Read")], {}, "Read on consumer group lack.veille"),
    ("commands", [("topic", "crisis.commands", "Read")], {}, "Read on topic lack.crisis.commands"),
    ("commands", [("topic", "veille-commands-changelog", "Write")], {}, "Write on topic lack.veille-commands-changelog"),
    (
        "commands", [right for right in stage_rights("commands") if right.operation == "Write"], {},
        "IdempotentWrite: grant Write on the topics that are written",
    ),
    ("commands", [], {"VEILLE_GROUP": "other"}, "Create on topic lack.other-commands-changelog"),
    ("enrich", [("topic", "watchlist", "Read")], {}, "Read on topic lack.watchlist"),
    ("enrich", [("topic", "mentions.rejected", "Write")], {}, "Write on topic lack.mentions.rejected"),
    ("respond", [("group", "veille-notify", "Read")], {}, "Read on consumer group lack.veille-notify"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "missing", "more", "said"), WORKERS, ids=[said for *_, said in WORKERS])
def test_a_worker_names_the_right_that_is_missing(
    stage: Stage, lacking: dict[str, str], tmp_path: Path, name: str, missing: list[tuple[str, str, str]], more: dict[str, str], said: str
) -> None:
    """Topic or group and the operation, exit code 4."""
    settings = stage.settings("admin", **lacking, **more)
    client = stage.clients[WORKER] | lacking | more | {"VEILLE_STAGES": name, "VEILLE_ENGINE__CHECKPOINT_SECONDS": "0.2"}
    rights = named(less(stage_rights(name, settings.group), *missing), settings)
    with allowed(stage, WORKER, rights), worker(client, tmp_path / "log") as running:
        code = running.wait(40)
    assert code == 4, (tmp_path / "log").read_text()
    assert f"the broker does not allow {WORKER} {said}" in (tmp_path / "log").read_text()


TAKEN = [
    ("topic", "mentions.enriched", "Write"),
    ("topic", "mentions.raw", "Read"),
    ("topic", "veille-enrich-changelog", "Write"),
    ("group", "veille", "Read"),
]


@pytest.mark.parametrize("taken", TAKEN, ids=" ".join)
async def test_a_right_that_is_taken_away_ends_the_worker(stage: Stage, tmp_path: Path, taken: tuple[str, str, str]) -> None:
    """It says which, and has acknowledged nothing that was not delivered: with the right back, the next worker sends it."""
    prefix = f"taken{TAKEN.index(taken)}."
    place = {"VEILLE_TOPIC_PREFIX": prefix}
    settings, brands = stage.settings("admin", **place), str(stage.folder / "brands.yaml")
    assert veille(stage.clients["admin"] | place, "topics", "apply").returncode == 0
    quick = {"VEILLE_STAGES": "enrich", "VEILLE_ENGINE__CHECKPOINT_SECONDS": "0.2", "VEILLE_ENGINE__SESSION_TIMEOUT_SECONDS": "2"}
    client = stage.clients[WORKER] | place | quick

    async def arrived(count: int, running: subprocess.Popen[str], log: Path) -> None:
        while await count_of(settings, "mentions.enriched", b"veille.enriched") < count:
            assert running.poll() is None, log.read_text()

    with allowed(stage, WORKER, named(stage_rights("enrich"), settings)):
        with worker(client, tmp_path / "one", "--watchlist", brands) as running:
            await publish(settings, 1)
            await arrived(1, running, tmp_path / "one")
            deny(stage, named([Right(*taken)], settings), WORKER)
            await publish(settings, 1)
            assert running.wait(40) == 4, (tmp_path / "one").read_text()
        where = f"consumer group {prefix}veille" if taken[0] == "group" else f"topic {prefix}{taken[1]}"
        assert f"the broker does not allow {WORKER} {taken[2]} on {where}" in (tmp_path / "one").read_text()
        allow(stage, named([Right(*taken)], settings), WORKER)
        with worker(client, tmp_path / "two", "--watchlist", brands) as running:
            await arrived(2, running, tmp_path / "two")
