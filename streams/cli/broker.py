"""``veille broker``: the embedded broker in the foreground, for trying Veille without a Kafka."""

from __future__ import annotations

from streams.cli.options import run_async

HELP = """Run an embedded broker until Ctrl-C and print its address: for trying Veille, one worker, nothing is kept.

It holds the last 5 MiB of each partition in memory, so a worker on it must write its states anew before that:
VEILLE_ENGINE__CHANGELOG_REWRITE_BYTES=2097152. What Veille promises about crashes is promised on a real Kafka (make kafka).

Example: veille broker

Exit codes: 130 after Ctrl-C."""


def command() -> None:
    """Open the broker and wait."""
    run_async(_serve())


async def _serve() -> None:
    import asyncio

    from schemas.topics import load_topics
    from streams.cli.demo import embedded_settings
    from streams.cli.output import emit
    from streams.engine.embedded import EmbeddedBroker
    from streams.engine.topics import partition_counts

    with EmbeddedBroker() as broker:
        # The question alone creates the topics here.
        await partition_counts(embedded_settings(broker.bootstrap), list(load_topics()))
        emit(broker.bootstrap)
        await asyncio.Event().wait()
