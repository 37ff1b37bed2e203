"""``veille bench``: the benchmarks on a Kafka, and their report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import Broker, Json, load_settings
from streams.errors import BadInput

HELP = """Measure Veille, beside its peers where it has some, each contestant alone, in turn, several rounds, medians and spread.

Benches: engine and pipeline (with Faust, Bytewax, Quix Streams: pip install 'veille[bench]'), latency, scale, recovery, enrich.

Example: veille bench engine --quick --json

Example: veille bench pipeline --out figures/

Exit codes: 0 done; 3 the broker could not be reached; 4 a contestant failed or is not installed; 130 interrupted."""


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="engine, pipeline, latency, scale, enrich or recovery.")],
    json: Json = False,
    quick: Annotated[bool, typer.Option("--quick", help="A small round, for its function only.")] = False,
    broker: Broker = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write NAME.json, NAME.md and a plot there.")] = None,
) -> None:
    """Run one bench and print its object."""
    import orjson

    from streams.cli.output import emit
    from streams.evaluate.bench import NAMES, run_bench
    from streams.evaluate.bench.report import table_lines, write_report

    if name not in NAMES:
        raise BadInput(f"there is no bench {name!r}; there are {', '.join(NAMES)}")
    found = run_bench(name, load_settings(broker=broker).broker, quick)
    if out is not None:
        write_report(found, out)
    if json:
        emit(orjson.dumps(found))
        return
    for line in table_lines(found):
        emit(line)
