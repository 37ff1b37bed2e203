"""``veille simulate``: seeded mentions with planted crises and decoys, or real crises planted into a real file, with the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import Map, MappingFile, Set
from streams.errors import BadInput

HELP = """Write seeded mentions of seven brands with five planted crises and three decoys.

Without --out the mentions go to stdout as JSONL; with it the folder gets mentions.jsonl.gz, watchlist.yaml and truth.json.

With --into FILE real courses and texts of the folder --data are planted into the ordinary days of one brand instead;
--watchlist names the brand's file (its first brand, or --brand).

Example: veille simulate --seed 7 > mentions.jsonl

Example: veille simulate --into days.csv.gz --watchlist brands.yaml --data data --share 0.05 --seed 1 --out planted

Exit codes: 0 done; 4 bad input."""


def command(
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same mentions.")],
    days: Annotated[int, typer.Option("--days", metavar="N", min=2, max=21, help="How many days.")] = 3,
    volume: Annotated[float, typer.Option("--volume", metavar="X", help="So many times the usual mentions of brands and events.")] = 1.0,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write a folder for the exam `lead`.")] = None,
    into: Annotated[list[Path] | None, typer.Option("--into", metavar="FILE", help="Plant into these ordinary days. Repeatable.")] = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Folder with real cascades and texts.")] = None,
    watchlist: Annotated[Path | None, typer.Option("--watchlist", metavar="FILE", help="Watchlist of the planted brand.")] = None,
    brand: Annotated[str, typer.Option("--brand", metavar="ID", help="Which brand of the watchlist.")] = "",
    share: Annotated[float, typer.Option("--share", metavar="X", help="Planted mentions of one event over ordinary ones.")] = 0.05,
    episode: Annotated[int, typer.Option("--episode", metavar="N", min=-1, help="Plant the N-th boycott episode instead.")] = -1,
    maps: Map = None,
    sets: Set = None,
    mapping: MappingFile = None,
) -> None:
    """Make the mentions and write them."""
    from streams.cli.output import emit, note
    from streams.simulate import simulate

    if into:
        if out is None or data is None or watchlist is None:
            raise BadInput("--into needs --data, --watchlist and --out")
        note(_planted(into, maps, sets, mapping, data, watchlist, brand, seed, share, episode, out))
        return
    made = simulate(seed, days, volume)
    if out is not None:
        made.write(out)
        note(f"{len(made.mentions)} mentions, {len(made.truth)} planted events in {out}")
        return
    for _, value, _ in made.rows():
        emit(value)


def _planted(
    into: list[Path],
    maps: list[str] | None,
    sets: list[str] | None,
    mapping: Path | None,
    data: Path,
    watchlist: Path,
    brand: str,
    seed: int,
    share: float,
    episode: int,
    out: Path,
) -> str:
    """Write the planted folder and return what it holds, in words."""
    from streams.enrich.watchlist import load_watchlist
    from streams.simulate.plant import Planter, write_folder
    from streams.sources.files import read_mentions
    from streams.sources.mapping import parse_mapping

    brands = {one.id: one for one in load_watchlist(watchlist).brands}
    if brand and brand not in brands:
        raise BadInput(f"{watchlist} has no brand {brand}; it has {', '.join(brands)}")
    rows = list(read_mentions(into, parse_mapping(maps or (), sets or (), mapping)))
    planter = Planter(rows, brands[brand or next(iter(brands))], data, seed, share)
    crisis = planter.episode(episode) if episode >= 0 else planter.course(crisis=True)
    plants = [crisis, planter.course(crisis=False)]
    write_folder(out, rows, plants, watchlist.read_text(encoding="utf-8"))
    words = ", ".join(f"{'crisis' if plant.crisis else 'decoy'} {plant.name} of {len(plant.rows)} mentions" for plant in plants)
    return f"{len(rows)} ordinary mentions with {words} in {out}"
