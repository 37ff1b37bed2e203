"""Topics as data: what the files say holds against contracts, examples and each other."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from typer.core import TyperGroup
from typer.main import get_command

from schemas.cloudevents import SCHEMA_OF
from schemas.crisis import EVENT_TYPES
from schemas.generate import STRUCTS, asyncapi, json_schema, schema_name, stale
from schemas.topics import changelog_topics, load_topics
from streams.cli.main import app
from streams.settings import Settings

EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples"


def _struct_of(example: str) -> str:
    return {"mention_full": "mention"}.get(example.removesuffix(".json"), example.removesuffix(".json"))


def test_every_topic_of_the_road_has_a_file() -> None:
    """The road's topics are all described, under the file name of the topic."""
    road = {"watchlist", "mentions.raw", "mentions.rejected", "mentions.enriched", "brand.signals", "crisis.events", "crisis.state"}
    desk = {"crisis.commands", "crisis.evidence", "crisis.tasks", "crisis.statements"}
    assert road | desk <= set(load_topics())


@pytest.mark.parametrize("name", sorted(load_topics()))
def test_a_topic_file_holds_together(name: str) -> None:
    """Each topic has known events, an end to its retention or compaction, and examples for every schema it carries."""
    topic = load_topics()[name]
    known = set(SCHEMA_OF) | set(EVENT_TYPES)
    assert set(topic.events) <= known
    assert (topic.cleanup == "compact") == (topic.retention_days is None)
    assert topic.producers
    assert topic.consumers
    assert {_struct_of(example) for example in topic.examples} == {schema_name(event) for event in topic.events}


@pytest.mark.parametrize("name", sorted(load_topics()))
def test_a_topic_names_whom_there_is(name: str) -> None:
    """Who writes and reads it is a stage, a command of the command line, or somebody outside; the bare record is one of its events."""
    topic = load_topics()[name]
    outside = {"anyone", "people", "your service", "the worker", "the worker's clock"}
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    commands = {f"veille {name}" for name in command.commands}
    commands |= {f"veille {name} {sub}" for name, one in command.commands.items() if isinstance(one, TyperGroup) for sub in one.commands}
    stages = set(Settings.model_fields["stages"].default.split(","))
    assert {*topic.producers, *topic.consumers} <= outside | commands | stages
    assert topic.default_event in ("", *topic.events)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_example_is_valid(path: Path) -> None:
    """An example satisfies the published JSON Schema and is understood by the struct."""
    name = _struct_of(path.name)
    value = path.read_bytes()
    jsonschema.Draft202012Validator(json_schema(name)).validate(json.loads(value))
    assert msgspec.json.decode(value, type=STRUCTS[name])


def test_every_example_belongs_to_a_topic() -> None:
    """No example lies about that no topic names."""
    named = {example for topic in load_topics().values() for example in topic.examples}
    assert named == {path.name for path in EXAMPLES.glob("*.json")}


def test_every_event_type_has_a_schema() -> None:
    """What headers may name as schema exists."""
    assert set(SCHEMA_OF.values()) | {"crisis"} == set(STRUCTS)


def test_generated_files_are_current() -> None:
    """`make schemas` has been run since the last change of a contract."""
    assert stale() == []


def test_every_event_of_a_crisis_is_announced() -> None:
    """Whoever reads the topic's file or the AsyncAPI document knows every event that may come."""
    assert set(EVENT_TYPES) <= set(load_topics()["crisis.events"].events)


def test_asyncapi_refers_only_to_what_exists() -> None:
    """Each reference of the AsyncAPI document leads somewhere."""
    document = asyncapi()
    channels, messages = document["channels"], document["components"]["messages"]
    for channel in channels.values():
        for reference in channel["messages"].values():
            assert reference["$ref"].removeprefix("#/components/messages/") in messages
    for operation in document["operations"].values():
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in channels
    folder = EXAMPLES.parent
    for message in messages.values():
        assert (folder / message["payload"]["schema"]["$ref"]).exists()


def test_changelogs_follow_their_input() -> None:
    """Each stage has a compacted changelog, named after the group, with the partitions of the stage's input."""
    topics = changelog_topics("g")
    assert topics["g-detect-changelog"][1] == "mentions.enriched"
    assert all(topic.cleanup == "compact" for topic, _ in topics.values())
    assert all(source in load_topics() for _, source in topics.values())
