"""``veille topics``: creates the topics of ``schemas/topics`` and says what differs."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import typer

from schemas.topics import changelog_topics, load_topics
from streams.cli.options import Broker, Json, Run, load_settings, run_async
from streams.errors import BadInput, Unreachable
from streams.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Create the topics, or list them.")


class Wanted(NamedTuple):
    """A topic as the broker should have it."""

    name: str
    partitions: int
    config: dict[str, str]


def wanted(settings: Settings) -> list[Wanted]:
    """Return every topic of one deployment under the broker's names, changelogs too, in the order of their names."""
    counts = {topic.name: topic.partitions or settings.partitions for topic in load_topics().values()}
    found = [Wanted(settings.topic(topic.name), counts[topic.name], topic.broker_config()) for topic in load_topics().values()]
    for name, (topic, source) in changelog_topics(settings.group_id).items():
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
            emit(f"{settings.topic(topic.name):<32} {topic.cleanup:<8} key: {topic.key}")


async def create(settings: Settings) -> list[str]:
    """Create what is missing and return a line for each topic. Raises `BadInput` where a partition count differs."""
    from aiokafka.admin import NewTopic
    from aiokafka.errors import KafkaError

    from streams.cli.connection import admin, consumer, partition_counts

    async with consumer(settings) as reader:
        there = await partition_counts(reader)
    wants = wanted(settings)
    other = [f"{want.name} has {there[want.name]}, {want.partitions} are wanted" for want in wants if _differs(want, there)]
    if other:
        raise BadInput("partition counts never change (a brand would leave its state): " + "; ".join(other) + "; set VEILLE_PARTITIONS")
    missing = [want for want in wants if want.name not in there]
    if missing:
        new = [
            NewTopic(want.name, num_partitions=want.partitions, replication_factor=settings.replication, topic_configs=want.config)
            for want in missing
        ]
        async with admin(settings) as client:
            try:
                answer = await client.create_topics(new)
            except (KafkaError, IndexError) as error:
                raise Unreachable(
                    f"the broker at {settings.broker} creates no topics ({type(error).__name__}); the embedded broker makes them by itself"
                ) from None
        _check(answer)
    return [f"{want.name}: {'created' if want in missing else 'there'}, {want.partitions} partitions" for want in wants]


def _differs(want: Wanted, there: dict[str, int]) -> bool:
    return want.name in there and there[want.name] != want.partitions


def _check(answer: Any) -> None:
    from aiokafka.errors import for_code

    already = 36
    for name, code, *rest in getattr(answer, "topic_errors", ()):
        if code not in (0, already):
            raise BadInput(f"topic {name}: {rest[0] if rest and rest[0] else for_code(code).__name__}")
