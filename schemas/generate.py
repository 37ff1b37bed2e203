"""Writes what follows from the contracts: JSON Schemas, AsyncAPI, docs/topics.md, docs/commands.md, docs/security.md
and Kubernetes topics and users.

python -m schemas.generate           write
python -m schemas.generate --check   say what is not current, and exit 1
"""

from __future__ import annotations

import json
import sys
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec
import yaml

from schemas.brand import Brand, Watchlist
from schemas.cloudevents import SCHEMA_OF, SCHEMA_ROOT
from schemas.command import Command, ForwardedCommand
from schemas.crisis import Crisis
from schemas.desk import markdown as commands_page
from schemas.enriched import BrandSettings, Enriched, LearnedBaseline, SourceState, Watermarks
from schemas.evidence import Evidence
from schemas.mention import Clock, Mention, WatchlistMarker
from schemas.response import Claim, Notification, Statement, Task
from schemas.rights import security_page, strimzi_users
from schemas.signal import Signal, SignalWatermark
from schemas.topics import Topic, changelog_topics, load_topics

ROOT = Path(__file__).resolve().parent.parent
VERSION = "1.0.0"

#: Name of the schema file -> the struct that it describes.
STRUCTS: dict[str, type[msgspec.Struct]] = {
    "mention": Mention,
    "clock": Clock,
    "watchlist_marker": WatchlistMarker,
    "brand": Brand,
    "watchlist": Watchlist,
    "enriched": Enriched,
    "watermarks": Watermarks,
    "source_state": SourceState,
    "brand_settings": BrandSettings,
    "learned_baseline": LearnedBaseline,
    "signal": Signal,
    "signal_watermark": SignalWatermark,
    "command": Command,
    "forwarded_command": ForwardedCommand,
    "evidence": Evidence,
    "task": Task,
    "statement": Statement,
    "claim": Claim,
    "notification": Notification,
    "crisis": Crisis,
}

#: CloudEvents attributes as Kafka headers (binary mode of the Kafka protocol binding 1.0).
_HEADERS = {
    "type": "object",
    "required": ["ce_id", "ce_type", "ce_source", "ce_specversion"],
    "properties": {
        "ce_id": {"type": "string", "description": "Derived from the inputs: a repeat has the same id."},
        "ce_type": {"type": "string"},
        "ce_source": {"type": "string", "const": "/veille"},
        "ce_subject": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time", "description": "Event time."},
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_dataschema": {"type": "string", "format": "uri"},
        "content-type": {"type": "string", "const": "application/json"},
    },
}


def schema_name(event: str) -> str:
    """Return the schema file's name of a CloudEvents type."""
    return SCHEMA_OF.get(event) or ("crisis" if event.startswith("veille.crisis.") else event)


def json_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one struct; its `$defs` hold all that it is made of."""
    schema = msgspec.json.schema(STRUCTS[name])
    for one in schema["$defs"].values():
        if "description" in one:  # a docstring, which Python 3.13 keeps without its indent and earlier ones with it
            one["description"] = cleandoc(one["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{SCHEMA_ROOT}{name}.schema.json",
        **schema,
    }


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3 document: a channel for each topic, one operation for each direction that others may use."""
    channels: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for topic in load_topics().values():
        names = sorted({schema_name(event) for event in topic.events})
        place = topic.name.replace(".", "_")
        channels[place] = {
            "address": topic.name,
            "description": topic.carries,
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
            "bindings": {"kafka": {"topic": topic.name, "topicConfiguration": _binding(topic), "bindingVersion": "0.5.0"}},
        }
        for event in topic.events:
            name = schema_name(event)
            messages[name] = {
                "name": name,
                "contentType": "application/json",
                "headers": _HEADERS,
                "payload": {
                    "schemaFormat": "application/schema+json;version=draft-2020-12",
                    "schema": {"$ref": f"./events/{name}.schema.json"},
                },
                "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": "0.5.0"}},
            }
        if names:
            operations[f"read_{place}"] = {
                "action": "send",
                "channel": {"$ref": f"#/channels/{place}"},
                "summary": "Veille writes, you read.",
            }
        if {"your service", "anyone"} & set(topic.producers):
            operations[f"write_{place}"] = _operation("receive", place, "You write, Veille reads.")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Veille",
            "version": VERSION,
            "description": "Mentions in, crises out. Within a major version, changes are additive.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": dict(sorted(messages.items()))},
    }


def _operation(action: str, place: str, summary: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{place}"}, "summary": summary}


def _binding(topic: Topic) -> dict[str, Any]:
    config: dict[str, Any] = {"cleanup.policy": [topic.cleanup]}
    if topic.retention_days is not None:
        config["retention.ms"] = topic.retention_days * 86_400_000
    if topic.max_message_bytes is not None:
        config["max.message.bytes"] = topic.max_message_bytes
    return config


def topics_page() -> str:
    """Return docs/topics.md."""
    lines = [
        "# Topics",
        "",
        "Made from `schemas/topics/*.yaml` by `make schemas`. Names get the prefix `VEILLE_TOPIC_PREFIX`, and `NAME.` for a replay's own",
        "run. `veille topics apply` creates them. Partitions without a number follow `VEILLE_PARTITIONS`; `mentions.enriched`,",
        "`brand.signals`, `crisis.commands` and `crisis.events` must have equal counts, which `veille doctor` checks.",
        "",
        "| topic | key | clean-up | partitions | records | written by | read by |",
        "|---|---|---|---|---|---|---|",
    ]
    for topic in load_topics().values():
        kept = f"{topic.cleanup}, {topic.retention_days} d" if topic.retention_days else topic.cleanup
        links = ", ".join(f"[{name}](../schemas/events/{name}.schema.json)" for name in dict.fromkeys(map(schema_name, topic.events)))
        lines.append(
            f"| `{topic.name}` | {topic.key} | {kept} | {topic.partitions or 'setting'} | {links or '(bytes)'} "
            f"| {', '.join(topic.producers)} | {', '.join(topic.consumers)} |"
        )
    lines.append("")
    for topic in load_topics().values():
        lines += [f"## `{topic.name}`", "", topic.carries, ""]
        if topic.events:
            bare = f" A record without `ce_type` is a `{topic.default_event}`." if topic.default_event else ""
            lines += ["CloudEvents types: " + ", ".join(f"`{event}`" for event in topic.events) + "." + bare, ""]
        for example in topic.examples:
            lines += [f"Example: [`{example}`](../schemas/examples/{example})", ""]
    lines += [
        "## Changelogs",
        "",
        "`<group>-<stage>-changelog`, one for each stage, compacted, as many partitions as the stage's input topic. Key: consumer",
        "generation and state key. Private to the worker: see docs/architecture.md.",
        "",
    ]
    return "\n".join(lines)


def strimzi_topics() -> str:
    """Return the Kubernetes resources (Strimzi KafkaTopic) of all topics and changelogs, 12 partitions and 3 copies by default."""
    parts = []
    changelogs = [topic for topic, _ in changelog_topics("veille").values()]
    for topic in [*load_topics().values(), *changelogs]:
        spec: dict[str, Any] = {
            "topicName": topic.name,
            "partitions": topic.partitions or 12,
            "replicas": 3,
            "config": topic.broker_config(),
        }
        spec["config"]["min.insync.replicas"] = "2"
        resource = {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "KafkaTopic",
            "metadata": {"name": f"veille-{topic.name}", "labels": {"strimzi.io/cluster": "veille"}},
            "spec": spec,
        }
        parts.append(yaml.safe_dump(resource, sort_keys=False, width=140))
    head = "# Made from schemas/topics/*.yaml by `make schemas`. Label and counts: set them as your cluster needs.\n"
    return head + "---\n".join(parts)


def generated() -> dict[str, str]:
    """Return {path below the repository: content} of everything that is generated."""
    made = {f"schemas/events/{name}.schema.json": json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n" for name in STRUCTS}
    head = "# Made from schemas/topics/*.yaml and the structs by `make schemas`.\n"
    made["schemas/asyncapi.yaml"] = head + yaml.dump(asyncapi(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=140)
    made["docs/topics.md"] = topics_page()
    made["docs/commands.md"] = commands_page()
    made["docs/security.md"] = security_page()
    made["infra/kubernetes/topics.yaml"] = strimzi_topics()
    made["infra/kubernetes/users.yaml"] = strimzi_users()
    return made


class _Plain(yaml.SafeDumper):
    """Writes repeated values out instead of anchors, so that the document reads as others read AsyncAPI."""

    def ignore_aliases(self, data: Any) -> bool:
        """No value is an alias."""
        return True


def stale(root: Path = ROOT) -> list[str]:
    """Return the paths whose content on disk is not what would be written."""
    return [path for path, content in generated().items() if not (root / path).exists() or (root / path).read_text("utf-8") != content]


def main(arguments: list[str]) -> int:
    """Write or check; return the exit code."""
    if "--check" in arguments:
        old = stale()
        for path in old:
            sys.stderr.write(f"{path} is not current: run make schemas\n")
        return 1 if old else 0
    for path, content in generated().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(content, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
