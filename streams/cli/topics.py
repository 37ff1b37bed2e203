"""``veille topics``: creates the topics of ``schemas/topics`` and says what differs."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from schemas.topics import changelog_topics, load_topics
from streams.cli.options import Broker, Json, Run, load_settings, run_async
from streams.errors import BadInput
from streams.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Create the topics, or list them.")


#: Partitions of what the embedded broker creates.
_EMBEDDED = 4


class Wanted(NamedTuple):
    """A topic as the broker should have it, under its logical name."""

    name: str
    partitions: int
    config: dict[str, str]


def wanted(settings: Settings) -> list[Wanted]:
    """Return every topic of one deployment under its logical name, changelogs too, in the order of their names."""
    counts = {topic.name: topic.partitions or settings.partitions for topic in load_topics().values()}
    found = [Wanted(topic.name, counts[topic.name], topic.broker_config()) for topic in load_topics().values()]
    for name, (topic, source) in changelog_topics(settings.group).items():
        found.append(Wanted(name, counts[source], topic.broker_config()))
    return sorted(found)


@app.command()
def apply(
    broker: Broker = None,
    run: Run = None,
    partitions: Annotated[int | None, typer.Option("--partitions", metavar="N", help="Partitions where a file names none.")] = None,
    replication: Annotated[int | None, typer.Option("--replication", metavar="N", help="Copies of each partition.")] = None,
) -> None:
    """Create the topics that are missing; the counts of those that exist are never changed (a brand would leave its state).

    Example: veille topics apply --broker kafka:9092 --partitions 12 --replication 3

    Exit codes: 0 done; 3 no broker; 4 a count differs from what is wanted, or bad settings.
    """
    from streams.cli.output import emit

    settings = load_settings(broker=broker, run=run, partitions=partitions, replication=replication)
    for line in run_async(create(settings)):
        emit(line)


@app.command("list")
def list_topics(json: Json = False) -> None:
    """List the topics with key, clean-up, who writes and who reads.

    Example: veille topics list

    Exit codes: 0 done; 4 bad settings.
    """
    import msgspec

    from streams.cli.output import emit

    settings = load_settings()
    for topic in load_topics().values():
        if json:
            emit(msgspec.json.encode({"topic": settings.topic(topic.name), **msgspec.to_builtins(topic)}))
        else:
            who = f"written by {', '.join(topic.producers)}; read by {', '.join(topic.consumers)}"
            emit(f"{settings.topic(topic.name):<32} {topic.cleanup:<8} key: {topic.key}; {who}")


async def create(settings: Settings) -> list[str]:
    """Create what is missing and return a line for each topic. Raises `BadInput` where a partition count differs."""
    from streams.cli.connection import consumer, partition_counts
    from streams.engine.topics import TopicPlan, ensure_topics

    async with consumer(settings) as reader:
        there = await partition_counts(reader)
        # The embedded broker names no controller, and makes each topic by itself, with counts of its own: nothing is to mend there.
        embedded = reader._client.cluster.controller is None
    wants = wanted(settings)
    other = [
        f"{settings.topic(want.name)} has {have}, {want.partitions} are wanted"
        for want in wants
        if (have := there.get(settings.topic(want.name), want.partitions)) != want.partitions
    ]
    if other and not embedded:
        raise BadInput("partition counts never change (a brand would leave its state): " + "; ".join(other) + "; see VEILLE_PARTITIONS")
    missing = [want for want in wants if settings.topic(want.name) not in there]
    if missing:
        await ensure_topics(settings, {want.name: TopicPlan(want.partitions, config=want.config) for want in missing})
    return [
        f"{name}: {'created' if want in missing else 'there'}, {count} partition{'' if count == 1 else 's'}"
        for want in wants
        for name in [settings.topic(want.name)]
        for count in [_EMBEDDED if embedded and want in missing else there.get(name, want.partitions)]
    ]
