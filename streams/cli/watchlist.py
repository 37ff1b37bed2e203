"""``veille watchlist``: checks a watchlist file and puts a version of it in force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import Broker, Run, load_settings, run_async

app = typer.Typer(no_args_is_help=True, help="Check a watchlist file, or put it in force without a restart.")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Watchlist file (YAML).")]


@app.command()
def check(file: FileArgument) -> None:
    """Say whether a watchlist file can be used, and else which line to mend.

    Example: veille watchlist check brands.yaml

    Exit codes: 0 usable; 4 not, with line and mend.
    """
    from streams.cli.output import emit
    from streams.enrich.watchlist import load_watchlist

    found = load_watchlist(file)
    emit(f"{file}: {len(found.brands)} brands, version {found.version}")


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
    emit(f"version {version} with {len(found.brands)} brands is in force from its markers on")
