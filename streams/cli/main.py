"""``veille``: data on stdout, everything else on stderr, exit codes as documented in every ``--help``."""

from __future__ import annotations

import logging
import os
import sys

import typer

from streams.cli import (
    backtest,
    bench,
    board,
    brief,
    broker,
    collect,
    crises,
    crisis,
    demo,
    doctor,
    drill,
    evaluate,
    evidence,
    explain,
    playbook,
    replay,
    simulate,
    topics,
    warm,
    watchlist,
    worker,
)  # fmt: skip
from streams.errors import BadInput, VeilleError

app = typer.Typer(
    name="veille",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Spots a brand crisis while it is still small, on your Kafka.\n\n"
    "Exit codes: 0 done; 1 a check did not hold; 2 wrong usage; 3 the broker could not be reached; "
    "4 bad settings or input; 130 interrupted.",
)
for _command in (
    demo,
    worker,
    replay,
    collect,
    warm,
    crises,
    board,
    brief,
    backtest,
    simulate,
    drill,
    evaluate,
    explain,
    bench,
    doctor,
    broker,
):
    app.command(name=_command.__name__.rpartition(".")[2], help=_command.HELP)(_command.command)
for _group in (topics, watchlist, crisis, evidence, playbook):
    app.add_typer(_group.app, name=_group.__name__.rpartition(".")[2])


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    if version:
        from importlib.metadata import version as installed

        from streams.cli.output import emit

        emit(f"veille {installed('veille')}")
        raise typer.Exit(0)


def main() -> None:
    """Run the command line; errors that Veille knows become a sentence and their exit code."""
    # What aiokafka logs it also raises; without a handler Python would print it beside our sentence.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        app()
    except VeilleError as error:
        sys.stderr.write(f"veille: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        # A file that cannot be read or written has a name; an OSError without one is a fault of Veille's own.
        if error.filename is None:
            raise
        sys.stderr.write(f"veille: {os.fsdecode(error.filename)}: {error.strerror}\n")
        sys.exit(BadInput.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
