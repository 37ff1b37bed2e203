"""The road of one mention over a file: the live stages, fed from memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from schemas.brand import Watchlist
from streams.engine.memory import MemoryRunner
from streams.engine.stage import InputRecord, Output
from streams.enrich.watchlist import Watchlists
from streams.settings import Settings
from streams.topology import build_specs

#: Raw records between two rounds of the stages; the results do not depend on it.
CHUNK = 2000


def partition_counts(settings: Settings) -> dict[str, int]:
    """Return the partition counts that `veille topics apply` would create."""
    return dict.fromkeys(("mentions.raw", "mentions.enriched", "brand.signals", "crisis.commands", "crisis.events"), settings.partitions)


def backtest(
    raw: Iterable[Output],
    watchlist: Watchlist,
    settings: Settings,
    *,
    timestamp_ms: int,
    topics: frozenset[str] = frozenset({"crisis.events"}),
    chunk: int = CHUNK,
) -> Iterator[tuple[str, InputRecord]]:
    """Run raw records (see `streams.sources.plan`) through all stages; yield (topic, record) of ``topics`` as they come.

    ``timestamp_ms`` is the wall time that the records would have got from Kafka. Records of one key come in the
    order in which a live run would write them.
    """
    found: list[tuple[str, InputRecord]] = []

    def tap(topic: str, partition: int, record: InputRecord) -> None:
        # A record without a key tells the time and nothing of any brand; one that was refused keeps the key that it came with.
        if topic in topics and (record.key is not None or topic == "mentions.rejected"):
            found.append((topic, record))

    watchlists = Watchlists()
    watchlists.add(watchlist)
    counts = partition_counts(settings)
    # Nobody is told of what a backtest finds.
    settings = settings.model_copy(update={"stages": "enrich,detect,commands,crisis"})
    specs = build_specs(settings, watchlists, counts, version=watchlist.version)
    runner = MemoryRunner(specs, counts, timestamp_ms=timestamp_ms, tap=tap)
    records = iter(raw)
    while batch := list(islice(records, chunk)):
        runner.send(batch)
        runner.drain()
        yield from found
        found.clear()
