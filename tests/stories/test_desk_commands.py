"""The desk at work on a broker: a person declares, acknowledges and is refused; the brief says what is known."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from schemas.topics import load_topics
from streams.cli.main import app
from streams.engine.topics import partition_counts
from streams.errors import VeilleError
from tests.stories.road import story_settings, worker

RUN = "desk"


def test_a_person_declares_and_the_cell_is_answered(embedded_broker: str, tmp_path: Path) -> None:
    """Each command of the command line gets its recorded answer within seconds; a refusal exits 1 with the reason."""
    settings = story_settings(embedded_broker, RUN)
    settings = settings.model_copy(update={"stages": "enrich,detect,commands,crisis,evidence,respond"})
    watchlist = tmp_path / "watchlist.yaml"
    watchlist.write_text("brands:\n  - {id: acme, names: [Acme]}\n", "utf-8")

    def veille(*words: str) -> tuple[int, list[dict[str, Any]]]:
        """Run a command; return its exit code and the objects printed."""
        shown = CliRunner().invoke(app, [*words, "--json", "--broker", embedded_broker, "--run", RUN])
        code = shown.exception.exit_code if isinstance(shown.exception, VeilleError) else shown.exit_code
        return code, [json.loads(text) for text in shown.stdout.splitlines()]

    asyncio.run(partition_counts(settings, list(load_topics())))
    with worker(settings, watchlist, tmp_path / "worker.log"):
        fire = ("--headline", "Fire in the plant", "--terms", "fire", "--kind", "corporate")
        code, said = veille("crisis", "open", "--brand", "acme", *fire, "--by", "ada", "--role", "on_call", "--wait", "60")
        assert (code, said[-1]["type"]) == (0, "veille.crisis.opened")
        card = said[-1]["data"]
        assert (card["certainty"], card["kind"], card["declared_by"]) == ("Observed", "corporate", "ada")
        crisis = card["crisis_id"]
        code, said = veille("crisis", "ack", crisis, "--by", "ada", "--wait", "60")
        assert (code, said[-1]["data"]["acknowledged_by"]) == (0, "ada")
        code, said = veille("crisis", "close", crisis, "--by", "sam", "--role", "watch", "--wait", "60")
        assert (code, said[-1]["type"]) == (1, "veille.crisis.refused")
        assert said[-1]["data"]["note"] == "role watch may not close; on_call, lead or direction may"
        code, said = veille("crisis", "task-done", crisis, "--task", f"{crisis}/pause", "--by", "ada", "--wait", "60")
        assert (code, said[0]["type"], said[1]["data"]["state"]) == (0, "veille.crisis.noted", "done")
        code, said = veille("crisis", "claim-add", crisis, "--claim", "k", "--text", "a belt burned", "--by", "ada", "--wait", "60")
        assert (code, said[1]["data"]["claim_id"], said[1]["data"]["status"]) == (0, "k", "open")
        code, said = veille("crisis", "release", crisis, "--statement", "s", "--by", "ada", "--role", "lead", "--wait", "60")
        assert (code, said[0]["type"], said[0]["data"]["note"]) == (1, "veille.crisis.refused", "no such statement")
        plain = ["crisis", "ack", crisis, "--by", "sam", "--wait", "60", "--broker", embedded_broker, "--run", RUN]
        shown = CliRunner().invoke(app, plain)
        assert (shown.exit_code, shown.stderr) == (1, "")
        assert shown.stdout == f"refused  {crisis}  open  acknowledged already\n", "told once"
        code, said = veille("brief", crisis, "--language", "fr")
        assert code == 0
        assert len(said[0]["lines"]) == 12
        assert said[0]["lines"][0].startswith("Fire in the plant")
        assert veille("brief", "acme-20260101T060000-7")[0] == 4
        code, said = veille("crisis", "note", crisis, "--text", "x", "--by", "ada")
        assert (code, said[0]["type"]) == (0, "veille.command")
