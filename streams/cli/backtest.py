"""``veille backtest``: the same stages over files, without Kafka."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import Files, Json, Map, MappingFile, Set, Tail, load_settings
from streams.errors import BadInput

HELP = """Run files through the same stages as the worker, without Kafka, and print the crisis events.

Fields of the mention are named with --map and --set; see veille replay --help.

Example: veille backtest mentions.jsonl.gz --watchlist brands.yaml --json

Exit codes: 0 done; 4 bad settings, watchlist or file; 130 interrupted."""


def command(
    files: Files,
    watchlist: Annotated[Path, typer.Option("--watchlist", metavar="FILE", help="Watchlist file.")],
    json: Json = False,
    maps: Map = None,
    sets: Set = None,
    mapping: MappingFile = None,
    tail: Tail = 48.0,
    signals: Annotated[Path | None, typer.Option("--signals", metavar="FILE", help="Also write every signal there, a line each.")] = None,
) -> None:
    """Plan the raw log of the files in memory and feed the stages."""
    from streams import logs
    from streams.backtest.run import backtest
    from streams.backtest.summary import refused_for, summary
    from streams.cli.crisis_words import crisis_line
    from streams.cli.output import cloudevent, emit, event_line, note
    from streams.clock import wall_ms
    from streams.enrich.watchlist import load_watchlist
    from streams.sources.files import read_mentions
    from streams.sources.mapping import parse_mapping
    from streams.sources.plan import plan

    settings = load_settings()
    logs.configure(settings.log_level)
    columns = parse_mapping(maps or (), sets or (), mapping)
    brands = load_watchlist(watchlist)
    mentions = list(read_mentions(files, columns))
    now = wall_ms()
    raw = plan(mentions, settings.partitions, tail, grid_seconds=settings.detect.grid_seconds, latest_ms=now)
    topics = frozenset({"crisis.events", "mentions.rejected"} | ({"brand.signals"} if signals is not None else set()))
    refused: Counter[str] = Counter()
    try:
        with signals.open("wb") if signals is not None else nullcontext() as kept:
            for topic, record in backtest(raw, brands, settings, timestamp_ms=now, topics=topics):
                if topic == "mentions.rejected":
                    refused[refused_for(record)] += 1
                    continue
                event = cloudevent(record.headers, record.value)
                if topic == "crisis.events":
                    emit(event_line(event) if json else crisis_line(event))
                elif kept is not None and event["type"] == "veille.signal":
                    kept.write(event_line(event) + b"\n")
    except OSError as error:
        raise BadInput(f"cannot write {signals}: {error.strerror}") from None
    note(summary(len(mentions), refused))
