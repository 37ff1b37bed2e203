"""``veille explain``: derives a signal anew from the log and shows its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from streams.cli.options import Broker, Json, Language, Map, MappingFile, Run, Set, Tail, Watchlist, language_of, load_settings, run_async
from streams.errors import BadInput, VeilleError
from streams.settings import Settings

HELP = """Derive a signal anew from the log that it came from, show its numbers, and say "same" or what differs.

SIGNAL_ID is the ce_id of a record of brand.signals: the brand, a hyphen, its number. Without --file the log is the brand's
partition of mentions.enriched, read from its beginning, and what was sent is read from brand.signals. With --file mention
files go through the stages as in veille backtest, with --watchlist, and --recorded may name what veille backtest --signals wrote.

Example: veille explain airline-17

Example: veille explain airline-17 --file mentions.jsonl.gz --watchlist brands.yaml --recorded signals.jsonl

Exit codes: 0 same (or no longer kept as sent); 1 it differs, or the log that made it is deleted; 3 no broker;
4 no such signal, bad settings or file; 130 interrupted."""


class Differs(VeilleError):
    """The log does not give the signal that was sent."""

    exit_code = 1


def command(
    signal_id: Annotated[str, typer.Argument(metavar="SIGNAL_ID", help="ce_id of the signal.")],
    files: Annotated[list[Path] | None, typer.Option("--file", metavar="FILE", help="Mentions in place of the topics. Repeatable.")] = None,
    recorded: Annotated[
        Path | None, typer.Option("--recorded", metavar="FILE", help="Signals that veille backtest --signals wrote.")
    ] = None,
    watchlist: Watchlist = None,
    maps: Map = None,
    sets: Set = None,
    mapping: MappingFile = None,
    tail: Tail = 48.0,
    language: Language = "",
    json: Json = False,
    broker: Broker = None,
    run: Run = None,
) -> None:
    """Find the signal, derive it, compare, and print."""
    from streams.backtest.explain import compare
    from streams.cli.explain_words import as_object, lines
    from streams.cli.output import emit, event_line
    from streams.detect.reading import settings_hash

    brand = signal_id.rpartition("-")[0]
    if not brand or not signal_id.rpartition("-")[2].isdigit():
        raise BadInput("a SIGNAL_ID is a brand, a hyphen and a number, as in airline-17")
    settings = load_settings(broker=broker, run=run, watchlist=None if watchlist is None else str(watchlist))
    language = language_of(language, settings)
    if files:
        sent = _recorded(recorded, signal_id) if recorded is not None else None
        derived, start = _from_files(settings, signal_id, files, (maps, sets, mapping), tail), 0
    else:
        sent, derived, start = run_async(_from_topics(settings, signal_id, brand))
    if sent is None and derived is None:
        raise BadInput(f"there is no signal {signal_id}: neither sent nor given by the log")
    found = compare(signal_id, sent, derived, settings.detect, start)
    now = settings_hash(settings.detect)
    if json:
        emit(event_line(as_object(found, now)))
    else:
        for line in lines(found, language, now):
            emit(line)
    if not found.holds:
        raise Differs(f"{signal_id} is not what the log gives now: {found.verdict.replace('_', ' ')}")


def _from_files(settings: Settings, signal_id: str, files: list[Path], columns: tuple[Any, Any, Any], tail: float) -> bytes | None:
    """Run files through the stages until they give the signal; None where they do not."""
    from streams.backtest.explain import signal_of
    from streams.backtest.run import backtest
    from streams.clock import wall_ms
    from streams.enrich.watchlist import load_watchlist
    from streams.sources.files import read_mentions
    from streams.sources.mapping import parse_mapping
    from streams.sources.plan import plan

    if not settings.watchlist:
        raise BadInput("--file needs --watchlist")
    mentions = read_mentions(files, parse_mapping(columns[0] or (), columns[1] or (), columns[2]))
    now = wall_ms()
    raw = plan(mentions, settings.partitions, tail, grid_seconds=settings.detect.grid_seconds, latest_ms=now)
    signals = backtest(raw, load_watchlist(Path(settings.watchlist)), settings, timestamp_ms=now, topics=frozenset({"brand.signals"}))
    for _, record in signals:
        found = signal_of(record)
        if found is not None and found[0] == signal_id:
            return found[1]
    return None


def _recorded(file: Path, signal_id: str) -> bytes | None:
    """Return the signal's value among lines of `veille backtest --signals`."""
    import msgspec

    from schemas.signal import Signal

    try:
        for line in file.read_bytes().splitlines():
            event = msgspec.json.decode(line)
            if event.get("id") == signal_id:
                return msgspec.json.encode(msgspec.convert(event["data"], Signal))
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}") from None
    except (msgspec.MsgspecError, AttributeError, KeyError, UnicodeDecodeError):
        raise BadInput(f"{file} has a line that is no signal; veille backtest --signals writes such files") from None
    return None


async def _from_topics(settings: Settings, signal_id: str, brand: str) -> tuple[bytes | None, bytes | None, int]:
    """Return the signal as sent, as derived, and the first offset that is left of the brand's enriched partition."""
    from streams.backtest.explain import Derivation, signal_of
    from streams.cli.connection import consumer, places_of, records_of
    from streams.engine.partitioning import partition_of

    async with consumer(settings) as client:
        places = await places_of(client, settings.topic("mentions.enriched"))
        raw = await places_of(client, settings.topic("mentions.raw"))
        signals = await places_of(client, settings.topic("brand.signals"))
        if not places or not raw or not signals:
            raise BadInput(f"the topics of this run are not there: {settings.topic('mentions.enriched')}")
        partition = partition_of(brand.encode(), len(places))
        sent = None
        async for records in records_of(client, [signals[partition]]):
            # A later delivery of the same signal is the same signal.
            sent = next((one[1] for r in records if (one := signal_of(r)) is not None and one[0] == signal_id), None)
            if sent is not None:
                break
        place = places[partition]
        start = (await client.beginning_offsets([place]))[place]
        derivation = Derivation(partition, settings.detect, len(raw))
        async for records in records_of(client, [place]):
            for name, value in derivation.feed(records):
                if name == signal_id:
                    return sent, value, start
    return sent, None, start
