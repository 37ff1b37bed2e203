"""What the pages of the docs show is run."""

from __future__ import annotations

import base64
import doctest
import importlib
import pkgutil
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from schemas.desk import TABLE
from streams import gate, respond
from streams.respond.drill_acts import parse
from streams.respond.playbook_check import check
from streams.respond.routes import FORMATS, load_routes
from streams.respond.settings import RespondSettings

DOCS = Path(__file__).parents[2] / "docs"


def block(page: str, language: str) -> str:
    """Return the first block of a language on a page."""
    found = re.search(rf"```{language}\n(.*?)```", (DOCS / page).read_text("utf-8"), re.S)
    assert found is not None
    return found[1]


_ROOMS = [f"{room.__name__}.{one.name}" for room in (respond, gate) for one in pkgutil.iter_modules(room.__path__)]


@pytest.mark.parametrize("name", [*_ROOMS, "streams.captures", "streams.plurals"])
def test_examples_in_docstrings_hold(name: str) -> None:
    """What a docstring shows is what comes out."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_playbook_on_the_page_holds() -> None:
    """Its own tests too."""
    plan, problems = check(block("playbooks.md", "yaml"))
    assert problems == []
    assert plan is not None


def test_the_acts_on_the_page_can_be_read() -> None:
    """Each line but the comment is one."""
    acts = [parse(line, n, "acme", "c") for n, line in enumerate(block("playbooks.md", "text").splitlines(), 1)]
    assert [act.command.command for act in acts if act] == ["task-done", "capture", "claim-add", "claim-verify", "draft", "approve"]


def test_the_routes_on_the_page_load(tmp_path: Path) -> None:
    """Every secret from the environment; every format is in the table."""
    (tmp_path / "routes.yaml").write_text(block("notifications.md", "yaml"), "utf-8")
    secrets = {"PAGERDUTY_KEY": "k", "MAIL_PASSWORD": "p", "PAUSE_SECRET": "whsec_" + base64.b64encode(b"s" * 24).decode()}
    found = load_routes(RespondSettings(routes=str(tmp_path / "routes.yaml")), secrets)
    assert [route.name for route in found.values()] == ["log", "desk", "night", "rumours", "pause", "oncall"]
    page = (DOCS / "notifications.md").read_text("utf-8")
    assert all(f"| `{form}` |" in page for form in FORMATS)


def test_the_receiver_on_the_page_checks_signatures() -> None:
    """The snippet takes what is signed."""
    there: dict[str, Any] = {}
    exec(block("notifications.md", "python"), there)
    secret, now = "whsec_" + base64.b64encode(b"s" * 24).decode(), datetime.now(UTC)
    headers = {"webhook-id": "m", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": Webhook(secret).sign("m", now, "{}")}
    assert there["receive"](secret, b"{}", headers) == {}


@pytest.mark.parametrize("page", ["gate.md", "playbooks.md"])
def test_commands_on_the_pages_exist(page: str) -> None:
    """Each is in the table, with the options that it has there."""
    lines = re.findall(r"^    veille crisis ([a-z-]+) \S+(.*)$", (DOCS / page).read_text("utf-8"), re.M)
    assert lines
    for name, rest in lines:
        known = {arg.name for arg in TABLE[name].args} | {"by", "role", "file"}
        assert set(re.findall(r"--([a-z_]+)", rest)) <= known
