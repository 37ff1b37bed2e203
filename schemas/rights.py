"""What each command and each stage must be allowed on a Kafka that asks: docs/security.md and the Kubernetes users come from here.

Who reads and who writes is said by the topic files; here stands what follows from it, and what is looked at without being read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import yaml

from schemas.topics import Topic, changelog_topics, load_topics, sources

STAGES = ("enrich", "detect", "commands", "crisis", "evidence", "respond")
#: Commands that go to the broker, and the topics of which they only look at sizes.
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "veille replay": ("mentions.enriched", "brand.signals"),
    "veille collect": (),
    "veille watchlist": (),
    "veille warm": (),
    "veille crises": (),
    "veille crisis": (),
    "veille brief": (),
    "veille board": (),
    "veille evidence": (),
    "veille evidence page": (),
    "veille explain": ("mentions.raw",),
    "veille doctor": tuple(load_topics()),
}
#: What a person of the crisis cell runs.
CELL = ("veille crises", "veille crisis", "veille brief", "veille board", "veille evidence", "veille evidence page")
APPLY = "veille topics apply"
NOTIFY_SUFFIX = "-notify"
#: Stages that have a consumer group of their own, and its suffix: another stage of the worker's group reads the same topic.
OWN_GROUPS: Mapping[str, str] = {"evidence": "-evidence"}


class Right(NamedTuple):
    """One entry of an access list: ``kind`` is topic or group, ``operation`` Kafka's name. Topics and groups without prefix."""

    kind: str
    name: str
    operation: str


def stage_rights(stage: str, group: str = "veille") -> set[Right]:
    """Return what a worker needs that runs ``stage`` alone; for several stages, their union."""
    changelog = f"{group}-{stage}-changelog"
    found = _of({stage, "the worker"} | ({"the worker's clock"} if stage == "enrich" else set()))
    # Whichever worker leads the group shares out the input topics of all; one that it may not see would be read by nobody.
    suffix = OWN_GROUPS.get(stage, "")
    found |= {Right("topic", name, "Describe") for other, name in sources().items() if OWN_GROUPS.get(other, "") == suffix}
    found |= {Right("group", group + suffix, "Read")}
    found |= {Right("topic", changelog, "Read"), Right("topic", changelog, "Write")}
    return found | ({Right("group", group + NOTIFY_SUFFIX, "Read")} if stage == "respond" else set())


def command_rights(command: str, group: str = "veille") -> set[Right]:
    """Return what one of `COMMANDS`, or `APPLY`, needs."""
    if command == APPLY:
        every = [*load_topics(), *changelog_topics(group)]
        return {Right("topic", name, operation) for name in every for operation in ("Create", "Describe")}
    looked_at = {Right("topic", name, "Describe") for name in COMMANDS[command]}
    known = {who for topic in load_topics().values() for who in (*topic.producers, *topic.consumers)}
    # A part of a command that has a row of its own needs more than the rest: who only looks need not be allowed it.
    return looked_at | _of({who for who in known if who == command or (who.startswith(f"{command} ") and who not in COMMANDS)})


def worker_rights(stages: Iterable[str] = STAGES, group: str = "veille") -> set[Right]:
    """Return what a worker with these stages needs."""
    return {right for stage in stages for right in stage_rights(stage, group)}


def _of(who: set[str]) -> set[Right]:
    def mine(topic: Topic) -> set[Right]:
        read = {Right("topic", topic.name, "Read")} if who & set(topic.consumers) else set()
        return read | ({Right("topic", topic.name, "Write")} if who & set(topic.producers) else set())

    return {right for topic in load_topics().values() for right in mine(topic)}


def _row(who: str, rights: set[Right]) -> str:
    def cell(operation: str) -> str:
        names = sorted(right.name for right in rights if right.kind == "topic" and right.operation == operation)
        if operation == "Describe":  # whoever may read or write may describe
            more = {right.name for right in rights if right.operation in ("Read", "Write")}
            names = [name for name in names if name not in more]
        return ", ".join(f"`{name}`" for name in names)

    groups = ", ".join(f"`{right.name}`" for right in sorted(rights) if right.kind == "group")
    return f"| {who} | {cell('Read')} | {cell('Write')} | {cell('Describe')} | {groups} |"


_HEAD = """# A Kafka that asks who comes

Made from `schemas/rights.py` and `schemas/topics/*.yaml` by `make schemas`.

| setting | for |
|---|---|
| `VEILLE_SECURITY_PROTOCOL` | `PLAINTEXT` (default), `SSL` (TLS, with a client certificate or none) or `SASL_SSL` (TLS and a password) |
| `VEILLE_SSL_CAFILE` | the CA of the broker's certificate, PEM; empty: those of the system |
| `VEILLE_SSL_CERTFILE`, `VEILLE_SSL_KEYFILE` | client certificate and its key, PEM |
| `VEILLE_SSL_KEY_PASSWORD` | password of an encrypted key |
| `VEILLE_SASL_MECHANISM` | `PLAIN` (the default), `SCRAM-SHA-256` or `SCRAM-SHA-512` |
| `VEILLE_SASL_USERNAME`, `VEILLE_SASL_PASSWORD` | who we are |

The host in `VEILLE_BROKER`, and those that the brokers advertise, must be in the brokers' certificates. A password never goes without TLS.
A worker reads its certificates when it starts: restart it when they were renewed.

`veille doctor` tries the connection. Who is not let in reads why and what to set, and the command ends with 4; 3 means that nobody
answered.

## Rights

What may be done on each topic, and in which consumer group: a test on a real Kafka runs the worker and each command with these rights
alone. Names get the prefix of `VEILLE_TOPIC_PREFIX` and of `--run`; another `VEILLE_GROUP` stands in place of `veille`. Read and Write
bring Describe with them. Transactions are not used. The producer is idempotent, for which Write on any topic is enough (before Kafka 2.8:
IdempotentWrite on the cluster). The worker needs no right to create: run `veille topics apply` first, as somebody who may. Brokers need
not create topics by themselves (`auto.create.topics.enable=false` is best).

A right that is missing, or that is taken from a running worker, ends it with a sentence that names the right, and exit code 4. What was not
delivered was not acknowledged: with the right back, the next worker goes on from there. Only `positions` may be lacking: it serves replays.

| who | Read | Write | Describe | consumer groups (Read) |
|---|---|---|---|---|
"""
_TAIL = """
A worker that runs several stages needs the rows of all of them. Each sees the inputs of all stages of its group, since one member shares
out the partitions for all; with a `VEILLE_GROUP` of its own a worker needs to see only what it reads. `evidence` has a group of its own,
since it reads the same topic as `respond`: workers may split the stages as they like. Who publishes mentions needs Write on
`mentions.raw`; your own service needs Read on what it reads, and a group of its own. `veille topics apply` needs Create and Describe on
every topic, the changelogs (`veille-STAGE-changelog`) included.

[infra/kubernetes/users.yaml](../infra/kubernetes/users.yaml) has these rights as Strimzi users, with client certificates.
"""


def security_page() -> str:
    """Return docs/security.md."""
    rows = [_row(f"stage `{stage}`", stage_rights(stage)) for stage in STAGES]
    rows += [_row(f"`{command}`", command_rights(command)) for command in COMMANDS]
    return _HEAD + "\n".join(rows) + "\n" + _TAIL


def strimzi_users() -> str:
    """Return Kubernetes resources (Strimzi KafkaUser): the worker, the crisis cell, live sources, and who publishes mentions."""
    cell = {right for command in CELL for right in command_rights(command)}
    publisher, collector = {Right("topic", "mentions.raw", "Write")}, command_rights("veille collect")
    users = {"worker": worker_rights(), "cell": cell, "collector": collector, "publisher": publisher}
    parts = [yaml.safe_dump(_user(name, rights), sort_keys=False, width=140) for name, rights in users.items()]
    head = (
        "# Made from schemas/rights.py by `make schemas`: docs/security.md says what each command needs. Label: as your cluster is named.\n"
    )
    return head + "---\n".join(parts)


def _user(name: str, rights: set[Right]) -> dict[str, Any]:
    acls = []
    for kind, resource in sorted({(right.kind, right.name) for right in rights}):
        operations = sorted(right.operation for right in rights if (right.kind, right.name) == (kind, resource))
        acls.append({"resource": {"type": kind, "name": resource, "patternType": "literal"}, "operations": operations, "host": "*"})
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaUser",
        "metadata": {"name": f"veille-{name}", "labels": {"strimzi.io/cluster": "veille"}},
        "spec": {"authentication": {"type": "tls"}, "authorization": {"type": "simple", "acls": acls}},
    }
