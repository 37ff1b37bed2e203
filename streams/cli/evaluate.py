"""``veille evaluate``: the exams, over any folder in their formats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from streams.cli.options import Json, load_settings
from streams.errors import BadInput, VeilleError

EXAMS = ("lead", "volume", "budget", "cascades", "rumour", "sentiment", "brands", "desk")

HELP = """Score an exam over folders in its format and print the figures; those with an uncertainty carry a 90 % interval.

Exams: lead (planted crises), volume and budget (counts with labelled windows), cascades (who grows large),
rumour (claims in doubt, by their first reactions), sentiment (texts with labels), brands (the shipped labels, for the data
folder that holds their texts; run it where examples/ is), desk (kinds and severities of planted crises).

Example: veille evaluate lead planted/ --json

Example: veille evaluate lead planted/ --require shipped.opened_share=0.8

Example: veille evaluate cascades data/cascades --report cascades.html

Exit codes: 0 done; 1 a figure is below its --require; 4 bad input; 130 interrupted."""


class BelowRequired(VeilleError):
    """A figure of an exam is below what was asked."""

    exit_code = 1


def command(
    exam: Annotated[str, typer.Argument(metavar="EXAM", help=f"One of {', '.join(EXAMS)}.")],
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders in the exam's format; several are pooled.")],
    json: Json = False,
    report: Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Write plots and figures as one HTML file.")] = None,
    require: Annotated[
        list[str] | None, typer.Option("--require", metavar="FIGURE=LEAST", help="A dotted figure and its least value. Repeatable.")
    ] = None,
) -> None:
    """Run the exam, print its object, and hold it against what is required."""
    import orjson

    from streams.cli.output import emit

    least = [_required(word) for word in require or ()]
    found = _run(exam, folders)
    if report is not None:
        _write_report(report, exam, found, folders)
    if json:
        emit(orjson.dumps(found))
    else:
        for name, value in figures(found):
            emit(f"{name:60} {value:.6g}" if isinstance(value, float) else f"{name:60} {value}")
    known = dict(figures(found))
    for name, bound in least:
        value = known.get(name)
        if not isinstance(value, int | float):
            raise BadInput(f"the exam {exam} has no figure {name}")
        if value < bound:
            raise BelowRequired(f"{name} is {value:.6g}, below the required {bound:.6g}")


def _write_report(file: Path, exam: str, found: dict[str, Any], folders: Sequence[Path]) -> None:
    from streams.evaluate.report import report

    try:
        file.write_text(report(exam, found, [folder.name for folder in folders]), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write {file}: {error.strerror}") from None


def _run(exam: str, folders: Sequence[Path]) -> dict[str, Any]:
    """Return the exam's object. The judges are imported only when asked for."""
    if exam == "lead":
        from streams.cli.output import note
        from streams.evaluate.lead import evaluate_lead

        return evaluate_lead(folders, load_settings(), progress=note)
    if exam in ("volume", "budget"):
        from streams.evaluate.volume import evaluate_budget, evaluate_volume

        return evaluate_volume(folders) if exam == "volume" else evaluate_budget(folders)
    if exam == "cascades":
        from streams.evaluate.cascades import evaluate_cascades

        return evaluate_cascades(folders)
    if exam == "rumour":
        from streams.evaluate.rumour import evaluate_rumour

        return evaluate_rumour(folders)
    if exam == "sentiment":
        from streams.evaluate.sentiment import evaluate_sentiment

        return evaluate_sentiment(list(folders))
    if exam == "brands":
        from streams.evaluate.brands import evaluate_brands

        if len(folders) != 1:
            raise BadInput("the exam brands takes one DIR: the folder that holds the data sets")
        return evaluate_brands(folders[0])
    if exam == "desk":
        from streams.evaluate.desk import evaluate_desk

        return evaluate_desk(folders, load_settings())
    raise BadInput(f"there is no exam {exam}; there are {', '.join(EXAMS)}")


def _required(word: str) -> tuple[str, float]:
    name, _, bound = word.partition("=")
    try:
        return name, float(bound)
    except ValueError:
        raise BadInput("--require needs FIGURE=NUMBER") from None


def figures(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, figure) of everything in an exam's object; list entries by their place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from figures(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from figures(inner, f"{name}.{place}")
    else:
        yield name, value
