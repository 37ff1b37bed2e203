"""``veille watchlist``: checks a watchlist file, puts a version of it in force, and what was learned of its brands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import Broker, Run, load_settings, run_async
from streams.plurals import counted

app = typer.Typer(no_args_is_help=True, help="Check a watchlist file, or put it in force without a restart.")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Watchlist file (YAML).")]


@app.command()
def check(file: FileArgument) -> None:
    """Say whether a watchlist file can be used, and else which line to mend; on stderr, what is odd in one that can.

    Example: veille watchlist check brands.yaml

    Exit codes: 0 usable; 4 not, with line and mend.
    """
    from streams.cli.output import emit, note
    from streams.enrich.watchlist import load_watchlist
    from streams.enrich.watchlist_advice import advice

    found = load_watchlist(file)
    for word in advice(found):
        note(word)
    emit(f"{file}: {counted(len(found.brands), 'brand')}, version {found.version}")


@app.command()
def apply(
    file: FileArgument,
    broker: Broker = None,
    run: Run = None,
) -> None:
    """Write the definitions to the topic `watchlist`, then a marker into every partition of mentions.raw.

    The version is one above the greatest that the topic holds. Each raw partition switches at its marker, so a replay agrees.

    Example: veille watchlist apply brands.yaml --broker kafka:9092

    Exit codes: 0 done; 3 no broker; 4 bad file or settings.
    """
    from streams.cli.definitions import apply_watchlist
    from streams.cli.output import emit
    from streams.enrich.watchlist import load_watchlist

    found = load_watchlist(file)
    version = run_async(apply_watchlist(load_settings(broker=broker, run=run), found))
    emit(f"version {version} with {counted(len(found.brands), 'brand')} is in force from its markers on")


@app.command()
def teach(
    verdicts: Annotated[Path, typer.Argument(metavar="VERDICTS", help="JSONL, oldest first: brand, text, lang, label.")],
    broker: Broker = None,
    run: Run = None,
) -> None:
    """Learn the polarity of brands from people's verdicts on mentions, and put it in force as a new version.

    VERDICTS holds all verdicts so far; label is negative, neutral or positive. What was learned counts for a brand only where it foretold
    the last verdicts better than the shipped model; other brands stay with the shipped model.

    Example: veille watchlist teach verdicts.jsonl --broker kafka:9092

    Exit codes: 0 done; 3 no broker; 4 bad file or settings.
    """
    from streams.cli.definitions import teach_polarity
    from streams.cli.output import emit
    from streams.enrich.polarity import Polarity
    from streams.enrich.polarity_learn import BrandPolarity, read_verdicts

    learner = BrandPolarity(Polarity.load())
    for verdict in read_verdicts(verdicts):
        learner.learn(verdict.brand, verdict.text, verdict.lang, verdict.label)
    version, taught = run_async(teach_polarity(load_settings(broker=broker, run=run), learner.learned()))
    emit(f"version {version}: learned polarity is in force for {', '.join(taught) or 'no brand'}")
