"""``veille evaluate``: the exams, over any folder in their formats."""

from __future__ import annotations

import math
import os
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

Files of each exam and what may differ in them: docs/judging.md. Figures go to stdout; progress, and whatever is left out, to stderr.
A figure that cannot be told, such as the interval of a single sample, is null. Over the public folders each exam takes 1 to 9 s;
lead and desk take 5 to 7 s for each folder of 5,000 to 30,000 mentions.

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
    if exam not in EXAMS:
        raise BadInput(f"there is no exam {exam}; there are {', '.join(EXAMS)}")
    _check_folders(folders)
    if report is not None:
        _check_report(report)
    found = known(_run(exam, folders))
    if report is not None:
        _write_report(report, exam, found, folders)
    if json:
        emit(orjson.dumps(found))
    else:
        for name, value in figures(found):
            shown = f"{value:.6g}" if isinstance(value, float) else "none" if value is None else str(value)
            emit(f"{name:60} {shown}")
    by_name = dict(figures(found))
    for name, bound in least:
        if name not in by_name or isinstance(by_name[name], str):
            raise BadInput(f"the exam {exam} has no figure {name}")
        if by_name[name] is None:
            raise BadInput(f"{name} cannot be told from these folders, so it cannot be held against {bound:.6g}")
        if by_name[name] < bound:
            raise BelowRequired(f"{name} is {by_name[name]:.6g}, below the required {bound:.6g}")


def known(value: Any) -> Any:
    """Return an exam's object with None in place of each figure that is no number."""
    if isinstance(value, dict):
        return {key: known(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [known(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _check_folders(folders: Sequence[Path]) -> None:
    """Refuse what is no folder, and one that is named twice: its samples would count double."""
    seen: dict[Path, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise BadInput(f"{folder} is {'no folder' if folder.exists() else 'missing'}; an exam takes folders")
        if not os.access(folder, os.R_OK | os.X_OK):
            raise BadInput(f"{folder} may not be read")
        same = seen.setdefault(folder.resolve(), folder)
        if same is not folder:
            raise BadInput(f"{folder} and {same} are the same folder; its samples would count twice")


def _check_report(file: Path) -> None:
    """Refuse what cannot be written before the exam is run, which may take long."""
    if file.is_dir() or not os.access(file if file.exists() else file.resolve().parent, os.W_OK):
        raise BadInput(f"cannot write {file}")


def _write_report(file: Path, exam: str, found: dict[str, Any], folders: Sequence[Path]) -> None:
    from streams.evaluate.report import report

    try:
        file.write_text(report(exam, found, [folder.resolve().name for folder in folders]), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write {file}: {error.strerror}") from None


def _run(exam: str, folders: Sequence[Path]) -> dict[str, Any]:
    """Return the exam's object. The judges are imported only when asked for."""
    from streams.cli.output import note

    if exam == "lead":
        from streams.evaluate.lead import evaluate_lead

        return evaluate_lead(folders, load_settings(), say=note)
    if exam in ("volume", "budget"):
        from streams.evaluate.volume import evaluate_budget, evaluate_volume

        return evaluate_volume(folders, say=note) if exam == "volume" else evaluate_budget(folders, say=note)
    if exam == "cascades":
        from streams.evaluate.cascades import evaluate_cascades

        return evaluate_cascades(folders, say=note)
    if exam == "rumour":
        from streams.evaluate.rumour import evaluate_rumour

        return evaluate_rumour(folders, say=note)
    if exam == "sentiment":
        from streams.evaluate.sentiment import evaluate_sentiment

        return evaluate_sentiment(folders, say=note)
    if exam == "brands":
        from streams.evaluate.brands import evaluate_brands

        if len(folders) != 1:
            raise BadInput("the exam brands takes one DIR: the folder that holds the data sets")
        return evaluate_brands(folders[0])
    if exam == "desk":
        from streams.evaluate.desk import evaluate_desk

        return evaluate_desk(folders, load_settings(), say=note)
    raise BadInput(f"there is no exam {exam}; there are {', '.join(EXAMS)}")


def _required(word: str) -> tuple[str, float]:
    name, _, bound = word.partition("=")
    try:
        least = float(bound)
    except ValueError:
        least = math.nan
    if not name or math.isnan(least):
        raise BadInput("--require needs FIGURE=NUMBER")
    return name, least


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
