"""What old mentions say is usual for the brands of a watchlist: the live stages over files, and only what they learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from typing import cast

import msgspec

from schemas.brand import Watchlist
from schemas.cloudevents import header_maker, type_of
from schemas.enriched import LearnedBaseline
from streams.backtest.run import CHUNK, partition_counts
from streams.backtest.summary import refused_for, summary
from streams.clock import rfc3339
from streams.detect.baseline import COLD_HOURS
from streams.detect.stage import DetectPartition
from streams.detect.warming import tell_baseline
from streams.engine.memory import MemoryRunner
from streams.engine.partitioning import partition_of
from streams.engine.stage import InputRecord, Output
from streams.enrich.rejected import EXPECTED
from streams.enrich.watchlist import Watchlists
from streams.errors import BadInput
from streams.settings import Settings
from streams.sources.files import FileMention
from streams.sources.plan import plan
from streams.topology import build_specs

DAY_MS = 86_400_000
_headers = header_maker("veille.baseline")


def learn(
    mentions: Iterable[FileMention],
    watchlist: Watchlist,
    settings: Settings,
    *,
    timestamp_ms: int,
    say: Callable[[str], None] = lambda words: None,
) -> list[LearnedBaseline]:
    """Run the mentions of files through enrich and detect; return what was learned of each brand, by id.

    Whatever rings on the way is told to nobody, and stays out of what is learned as it does live. ``say`` gets what became of the rows.
    Raises `BadInput` where no row is a mention, with the reason that most rows were refused for.
    """
    watchlists = Watchlists()
    watchlists.add(watchlist)
    # One partition: what is learned may not depend on where brands lie.
    settings = settings.model_copy(update={"stages": "enrich,detect", "partitions": 1})
    counts = partition_counts(settings)
    refused: Counter[str] = Counter()
    used = 0

    def tap(topic: str, partition: int, record: InputRecord) -> None:
        nonlocal used
        if topic == "mentions.rejected":
            refused[refused_for(record)] += 1
        elif topic == "mentions.enriched" and type_of(record.headers) == b"veille.enriched":
            used += 1

    specs = build_specs(settings, watchlists, counts, version=watchlist.version)
    runner = MemoryRunner(specs, counts, timestamp_ms=timestamp_ms, tap=tap)
    rows = list(mentions)
    # A row without a date is often one of 1970: nobody watched the brand from then on, and what is learned would claim it.
    oldest = min(max((row[0] for row in rows), default=0), timestamp_ms) - settings.enrich.past_limit_days * DAY_MS
    recent = [row for row in rows if row[0] >= oldest]
    refused["too_old"] += len(rows) - len(recent)
    records = iter(plan(recent, 1, 0.0, grid_seconds=settings.detect.grid_seconds))
    while batch := list(islice(records, CHUNK)):
        runner.send(batch)
        runner.drain()
    worst, _ = (+refused).most_common(1)[0] if +refused else ("", 0)
    if not used and worst not in EXPECTED:
        raise BadInput(f"no row of these files is a mention that can be used: {worst or 'they are empty'} (see --map and --set)")
    say(summary(len(rows), +refused))
    found = []
    for stage in runner.stages["detect"].values():
        detect = cast(DetectPartition, stage)
        detect.checkpoint(0)  # lets what waits of a step be applied
        for brand in detect.brands.values():
            if detect.watermark is not None:
                brand.advance(detect.watermark)
            found.append(tell_baseline(brand))
    return sorted(found, key=lambda one: one.brand)


def enough(learned: LearnedBaseline) -> bool:
    """Say whether volume means anything after what was learned; less is not worth sending."""
    return learned.hours >= COLD_HOURS


def record(learned: LearnedBaseline, partitions: int) -> Output:
    """Return the record for ``mentions.enriched``, in the brand's partition. Its id is a function of what was learned."""
    headers = _headers(f"{learned.brand}-{learned.until_ms}-{learned.hours:g}-baseline", learned.brand, rfc3339(learned.until_ms))
    key = learned.brand.encode()
    return Output("mentions.enriched", key, msgspec.json.encode(learned), headers, partition_of(key, partitions))
