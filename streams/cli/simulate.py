"""``veille simulate``: seeded mentions with planted crises and decoys, and the truth beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HELP = """Write seeded mentions of seven brands with five planted crises and three decoys.

Without --out the mentions go to stdout as JSONL; with it the folder gets mentions.jsonl.gz, watchlist.yaml and truth.json.

Example: veille simulate --seed 7 > mentions.jsonl

Exit codes: 0 done; 4 bad input."""


def command(
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same mentions.")],
    days: Annotated[int, typer.Option("--days", metavar="N", min=2, max=21, help="How many days.")] = 3,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write a folder for the exam `lead`.")] = None,
) -> None:
    """Make the mentions and write them."""
    from streams.cli.output import emit, note
    from streams.simulate import simulate

    made = simulate(seed, days)
    if out is not None:
        made.write(out)
        note(f"{len(made.mentions)} mentions, {len(made.truth)} planted events in {out}")
        return
    for _, value, _ in made.rows():
        emit(value)
