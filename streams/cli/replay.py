"""``veille replay``: publishes mention files with their clock."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import Broker, Files, Map, MappingFile, Run, Set, Tail, Watchlist, load_settings, run_async
from streams.errors import BadInput
from streams.plurals import counted
from streams.settings import Settings
from streams.sources.mapping import Mapping

HELP = """Publish mentions from files to mentions.raw, in time order, with the clock that goes with them; holds back while consumers lag.

A replay of the past needs topics of its own: give worker and replay the same --run NAME. With --watchlist that list
is put in force first; a worker without a list of its own then follows it.

Example: veille replay tweets.csv.gz --run airlines --map id=tweet_id --map published_at=tweet_created --set network=x

Exit codes: 0 done; 1 a record was not taken; 3 no broker; 4 bad file or settings,
or the topic's clock is already later; 130 interrupted."""


def command(
    files: Files,
    speed: Annotated[str, typer.Option("--speed", metavar="N|max", help="Times real time, or as fast as the readers follow.")] = "max",
    run: Run = None,
    tail: Tail = 48.0,
    maps: Map = None,
    sets: Set = None,
    mapping: MappingFile = None,
    watchlist: Watchlist = None,
    broker: Broker = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for a worker that reads before sending.")] = False,
) -> None:
    """Read the files, plan the raw log, send it."""
    from streams.sources.mapping import parse_mapping

    settings = load_settings(broker=broker, run=run)
    columns = parse_mapping(maps or (), sets or (), mapping)
    run_async(_send(settings, files, columns, tail, _times(speed), wait, watchlist))


def _times(speed: str) -> float | None:
    if speed == "max":
        return None
    try:
        times = float(speed)
    except ValueError:
        times = 0.0
    if not times > 0:
        raise BadInput("--speed is a number above 0 (times real time) or max")
    return times


async def _send(
    settings: Settings, files: list[Path], columns: Mapping, tail: float, times: float | None, wait: bool, watchlist: Path | None
) -> None:
    from streams.cli.output import note
    from streams.cli.progress import Bar
    from streams.engine.positions import PositionsReader
    from streams.engine.topics import partition_count, require_topics
    from streams.sources.files import read_mentions
    from streams.sources.plan import plan
    from streams.sources.replay import replay

    mentions = list(read_mentions(files, columns))
    await require_topics(settings, ("mentions.raw", "mentions.enriched", "brand.signals", "positions", "watchlist"))
    if watchlist is not None:
        from streams.cli.definitions import apply_watchlist
        from streams.enrich.watchlist import load_watchlist

        note(f"watchlist version {await apply_watchlist(settings, load_watchlist(watchlist))} goes before the first mention")
    partitions = await partition_count(settings, "mentions.raw")
    raw = plan(mentions, partitions, tail, grid_seconds=settings.detect.grid_seconds)
    async with PositionsReader(settings) as positions:
        with Bar(len(mentions), quiet=not sys.stderr.isatty()) as bar:
            done = await replay(settings, raw, speed=times, progress=bar, positions=positions, need_reader=wait)
    cut = "; the last clock is now, since the tail would lie in the future" if done.tail_cut else ""
    note(f"{counted(done.mentions, 'mention')} and {counted(done.clocks, 'clock record')} sent, {done.waited_seconds:.1f} s held back{cut}")
