"""On a broker: a declared crisis is told outside, its plan is paused by webhook, and a statement passes the gate command by command."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook
from typer.testing import CliRunner

from schemas.topics import load_topics
from streams.cli.child import worker_process
from streams.cli.demo import environment
from streams.cli.main import app
from streams.engine.topics import partition_counts
from streams.errors import VeilleError
from tests.respond.local import Seen, server
from tests.stories.road import read_all, story_settings

RUN = "told"
STAGES = "commands,crisis,evidence,respond"
SECRET = "whsec_" + base64.b64encode(b"t" * 32).decode()


def veille(broker: str, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Run a command of the desk and wait for its answer; return its exit code and the records that it prints."""
    shown = CliRunner().invoke(app, ["crisis", *words, "--wait", "60", "--json", "--broker", broker, "--run", RUN])
    code = shown.exception.exit_code if isinstance(shown.exception, VeilleError) else shown.exit_code
    return code, [json.loads(text)["data"] for text in shown.stdout.splitlines()]


async def told(seen: Seen, kind: str) -> dict[str, Any]:
    """Wait for a signed event of a type; return it."""
    while True:
        for headers, packed in seen:
            event: dict[str, Any] = Webhook(SECRET).verify(packed, headers)
            if event["type"] == kind:
                return event
        await asyncio.sleep(0.1)


async def test_from_the_declaration_to_the_statement(embedded_broker: str, tmp_path: Path) -> None:
    """Two routes are told, signed; a third one is dead and ends in the dead letters; the gate answers each command on record."""
    settings = story_settings(embedded_broker, RUN)
    (tmp_path / "watchlist.yaml").write_text("brands:\n  - {id: acme, names: [Acme]}\n", "utf-8")
    await partition_counts(settings, list(load_topics()))

    async def desk(*words: str) -> tuple[int, list[dict[str, Any]]]:
        return await asyncio.to_thread(veille, embedded_broker, *words)

    async with server(lambda n: "204 Fine") as (good, seen), server(lambda n: "410 Gone") as (gone, _):
        route = f"format: webhook, secret: {SECRET}, allow_private: true"
        (tmp_path / "routes.yaml").write_text(
            f"routes:\n  - {{name: desk, url: '{good}', {route}}}\n  - {{name: dead, url: '{gone}', {route}}}\n"
            f"  - {{name: pause, url: '{good}', {route}, only_steps: true}}\n"
        )
        more = {"VEILLE_RUN": RUN, "VEILLE_RESPOND__ROUTES": str(tmp_path / "routes.yaml"), "VEILLE_STAGES": STAGES}
        with worker_process(environment(settings, tmp_path / "watchlist.yaml") | more, tmp_path / "worker.log"):
            code, said = await desk("open", "--brand", "acme", "--headline", "Fire in the plant", "--by", "ada", "--role", "on_call")
            assert code == 0
            crisis = said[-1]["crisis_id"]
            opened = await asyncio.wait_for(told(seen, "veille.crisis.opened"), 60)
            assert len(opened["data"]["brief"]) == 12
            paused = await asyncio.wait_for(told(seen, "veille.task.opened"), 60)
            assert [task["step"] for task in paused["data"]["tasks"]] == ["pause"]
            assert (await desk("task-done", crisis, "--task", "pause", "--by", "bo"))[1][-1]["done_by"] == "bo"

            (tmp_path / "letter.eml").write_bytes(b"Subject: your plant\r\n\r\nIs it true?\r\n")
            assert (await desk("capture", crisis, "--file", str(tmp_path / "letter.eml"), "--by", "bo", "--id", "letter"))[0] == 0
            assert (await desk("claim-add", crisis, "--claim", "fire", "--text", "It burnt.", "--by", "bo"))[1][-1]["status"] == "open"
            assert (await desk("claim-verify", crisis, "--claim", "fire", "--evidence", "9", "--by", "bo"))[0] == 1
            code, said = await desk("claim-verify", crisis, "--claim", "fire", "--evidence", "letter", "--by", "bo")
            assert (code, said[-1]["status"], said[-1]["evidence"]) == (0, "verified", [f"{crisis}/1"])
            proven = ("--claims", "fire", "--evidence", "1")
            _, said = await desk("draft", crisis, "--statement", "s", "--text", "There was a fire.", *proven, "--by", "ada")
            text_hash = said[-1]["text_hash"]
            release = ("release", crisis, "--statement", "s", "--by", "cy", "--role", "lead")
            assert (await desk(*release))[0] == 1
            for who, role in (("bo", "legal"), ("cy", "lead")):
                assert (await desk("approve", crisis, "--statement", "s", "--hash", text_hash, "--by", who, "--role", role))[0] == 0
            code, said = await desk(*release)
            assert (code, said[-1]["state"], said[-1]["approved_by"]) == (0, "released", ["bo", "cy"])
            assert (await desk("delete-own-post", crisis, "--by", "ada"))[0] == 1
            async with asyncio.timeout(60):  # nobody waits for evidence
                while not [one for one in await read_all(settings, "crisis.evidence") if b"letter.eml" in (one.value or b"")]:
                    await asyncio.sleep(0.2)
    dead = await read_all(settings, "crisis.notifications.rejected")
    assert {dict(record.headers)["veille-reason"] for record in dead} == {b"http 410"}
    kept = [json.loads(record.value) for record in await read_all(settings, "crisis.evidence")]
    assert [base64.b64decode(one["bytes_b64"])[:8] for one in kept if one["name"] == "letter.eml"] == [b"Subject:"]
