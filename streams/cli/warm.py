"""``veille warm``: fills the baselines of brands from an export of old mentions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from schemas.brand import Watchlist
from schemas.enriched import LearnedBaseline
from streams.cli.options import Broker, Files, Json, Map, MappingFile, Run, Set, load_settings, run_async
from streams.cli.options import Watchlist as WatchlistOption
from streams.errors import BadInput
from streams.settings import Settings

HELP = """Learn from files of old mentions what is usual for the brands of the watchlist, and tell detect; nothing rings and nobody is told.

A brand that was just added rings on volume only after a day; after this it does from its first hour on. Detect takes over what it
is told where it knows fewer hours by itself, so a second time changes nothing. Two weeks or more are best: weekdays differ.

Without --watchlist the newest one of the topic counts. Fields are named as in veille replay.

Example: veille warm old.csv.gz --watchlist brands.yaml --map published_at=created_at --set network=x

Exit codes: 0 done; 1 too little was found of every brand; 3 no broker; 4 bad settings, watchlist or file; 130 interrupted."""


def command(
    files: Files,
    watchlist: WatchlistOption = None,
    maps: Map = None,
    sets: Set = None,
    mapping: MappingFile = None,
    broker: Broker = None,
    run: Run = None,
    json: Json = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent; with --watchlist it needs no broker.")] = False,
) -> None:
    """Learn in memory, say what was found of each brand, and send it."""
    from streams import logs
    from streams.backtest.warm import enough, learn
    from streams.cli.output import emit, event_line, note
    from streams.clock import wall_ms
    from streams.sources.files import read_mentions
    from streams.sources.mapping import parse_mapping

    settings = load_settings(broker=broker, run=run)
    logs.configure(settings.log_level)
    columns = parse_mapping(maps or (), sets or (), mapping)
    brands = run_async(_watchlist(settings, watchlist))
    read = read_mentions(files, columns)
    learned = {one.brand: one for one in learn(read, brands, settings, timestamp_ms=wall_ms(), say=note)}
    found = [one for one in learned.values() if enough(one)]
    if found and not dry_run:
        run_async(_send(settings, found))
    word = "would be sent" if dry_run else "sent"
    for brand in brands.brands:
        one = learned.get(brand.id)
        hours, rate = (one.hours, one.numbers["rate"][0] / one.numbers["rate"][1]) if one else (0.0, 0.0)
        state = word if one in found else "too little: a day at least is needed"
        row = {
            "brand": brand.id,
            "hours": round(hours),
            "usual_per_hour": round(rate, 2),
            "sent": one in found and not dry_run,
            "state": state,
        }
        emit(event_line(row) if json else f"{brand.id}: {hours:.0f} h, {rate:.2f} an hour are usual; {state}")
    if not found:
        raise typer.Exit(1)


async def _watchlist(settings: Settings, path: Path | None) -> Watchlist:
    from streams.enrich.watchlist import load_watchlist

    if path is not None or settings.watchlist:
        return load_watchlist(path or Path(settings.watchlist))
    from streams.cli.definitions import latest_watchlist

    latest = await latest_watchlist(settings)
    if latest is None:
        raise BadInput("the topic watchlist is empty: give --watchlist FILE, or run veille watchlist apply FILE first")
    return latest


async def _send(settings: Settings, found: list[LearnedBaseline]) -> None:
    from streams.backtest.warm import record
    from streams.cli.connection import consumer, partition_counts, producer
    from streams.engine.topics import apply_words

    topic = settings.topic("mentions.enriched")
    async with consumer(settings) as reader:
        counts = await partition_counts(reader, topic)
    if topic not in counts:
        raise BadInput(f"there is no topic {topic}: run {apply_words(settings)} first")
    async with producer(settings, topic) as writer:
        for one in found:
            output = record(one, counts[topic])
            await writer.send_and_wait(topic, output.value, key=output.key, partition=output.partition, headers=list(output.headers))
