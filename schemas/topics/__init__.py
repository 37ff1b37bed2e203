"""Topics as data: one YAML file a topic, and what reads them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec
import yaml


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One topic of Veille.

    ``partitions=None`` takes the setting ``VEILLE_PARTITIONS``. ``retention_days`` belongs to clean-up ``delete``.
    ``events`` are the CloudEvents types of its records; ``default_event`` is that of a record without headers.
    ``examples`` are files of ``schemas/examples``. ``for_each`` makes this a family: {stage: its input topic}.
    """

    name: str
    carries: str
    key: str
    cleanup: Literal["delete", "compact"]
    partitions: int | None = None
    retention_days: int | None = None
    max_message_bytes: int | None = None
    config: dict[str, str] = {}
    events: tuple[str, ...] = ()
    default_event: str = ""
    producers: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    for_each: dict[str, str] = {}

    def broker_config(self) -> dict[str, str]:
        """Return the topic's settings under Kafka's names."""
        config = {"cleanup.policy": self.cleanup, **self.config}
        if self.retention_days is not None:
            config["retention.ms"] = str(self.retention_days * 86_400_000)
        if self.max_message_bytes is not None:
            config["max.message.bytes"] = str(self.max_message_bytes)
        return config


@cache
def load_topics() -> dict[str, Topic]:
    """Read every topic file; {logical name: topic}, without families such as the changelogs, sorted by name."""
    return {topic.name: topic for topic in _read() if not topic.for_each}


def changelog_topics(group: str) -> dict[str, tuple[Topic, str]]:
    """Return {changelog name: (its topic, the input topic whose partition count it has)} of one consumer group."""
    (family,) = (topic for topic in _read() if topic.for_each)
    named = {stage: family.name.format(group=group, stage=stage) for stage in family.for_each}
    return {
        named[stage]: (msgspec.structs.replace(family, name=named[stage], for_each={}), source) for stage, source in family.for_each.items()
    }


def sources() -> dict[str, str]:
    """Return {stage: its input topic}."""
    (family,) = (topic for topic in _read() if topic.for_each)
    return dict(family.for_each)


@cache
def _read() -> tuple[Topic, ...]:
    folder = files("schemas.topics")
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda entry: entry.name)
    return tuple(msgspec.convert(yaml.safe_load(entry.read_text("utf-8")), Topic) for entry in found)
