"""The rights that are written down: whom they name there is, and what they name too."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from schemas.rights import COMMANDS, OWN_GROUPS, STAGES, Right, command_rights, stage_rights, worker_rights
from schemas.topics import changelog_topics, load_topics, sources
from streams.cli.main import app
from streams.enrich.watchlist import Watchlists
from streams.settings import Settings
from streams.topology import build_specs

USERS = Path(__file__).parents[2] / "infra" / "kubernetes" / "users.yaml"


def test_the_rows_are_those_of_the_stages_and_commands_there_are() -> None:
    """A new stage has a row, and no row speaks of a command that is gone."""
    assert ",".join(STAGES) == Settings.model_fields["stages"].default
    assert set(sources()) == set(STAGES)
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    groups = {name: group.commands for name, group in command.commands.items() if isinstance(group, TyperGroup)}
    parts = {f"veille {name} {part}" for name, commands in groups.items() for part in commands}
    assert set(COMMANDS) <= {f"veille {name}" for name in command.commands} | parts


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_may_read_its_input_and_its_state(stage: str) -> None:
    """Less would not do, and nobody may read or write what another stage alone needs."""
    rights = stage_rights(stage, "g")
    changelog = f"g-{stage}-changelog"
    assert {Right("topic", sources()[stage], "Read"), Right("group", "g" + OWN_GROUPS.get(stage, ""), "Read")} <= rights
    assert {right.name for right in rights if right.name.endswith("-changelog")} == {changelog}
    assert not [right for right in rights if right.operation == "Create"]
    assert Right("topic", "crisis.statements", "Write") not in rights or stage == "crisis"


def test_nobody_but_the_cell_commands() -> None:
    """The only commands that write decisions are those that people give; who lists and checks evidence gives none."""
    writers = [command for command in COMMANDS if Right("topic", "crisis.commands", "Write") in command_rights(command)]
    assert writers == ["veille crisis", "veille evidence page"]


def test_the_kubernetes_users_name_what_there_is() -> None:
    """Valid YAML; each topic and group exists, and the worker has all that the worker needs."""
    users = {one["metadata"]["name"]: one["spec"]["authorization"]["acls"] for one in yaml.safe_load_all(USERS.read_text("utf-8"))}
    topics = {*load_topics(), *changelog_topics("veille")}
    for acls in users.values():
        for acl in acls:
            known = topics if acl["resource"]["type"] == "topic" else {"veille", "veille-evidence", "veille-notify"}
            assert acl["resource"]["name"] in known
    given = {Right(acl["resource"]["type"], acl["resource"]["name"], one) for acl in users["veille-worker"] for one in acl["operations"]}
    assert given == worker_rights()


def test_no_two_stages_of_a_group_read_one_topic() -> None:
    """Two members of a group share a topic out: in workers of their own each stage would see part of it."""
    specs = build_specs(Settings(), Watchlists(), {"mentions.raw": 1})
    read = [(spec.group, spec.input_topic) for spec in specs]
    assert len(set(read)) == len(read)
    assert {spec.name: spec.group for spec in specs if spec.group} == OWN_GROUPS
