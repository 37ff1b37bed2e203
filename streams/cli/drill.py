"""``veille drill``: an exercise of the crisis cell, timed step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.options import Json, Language, language_of, load_settings, run_async
from streams.errors import BadInput

if TYPE_CHECKING:
    from schemas.crisis import Crisis
    from streams.respond.drill import Drill

HELP = """Run a past or simulated crisis as an Exercise, time each step of the cell, and write a report with what was late.

PLAYBOOK is a file or a shipped plan (rumour, fr/own_post). Nothing leaves this process: no message, no record.

The cell speaks in lines, [+MINUTES] PERSON[/ROLE] COMMAND [SUBJECT] [NAME=VALUE ...]; with --acts from a file, with --live at the keyboard:

  +4 ann/communication task-done pause

  +25 bo/on_call draft h holding=aware_short time=05:00

  +26 bo/on_call release h

Example: veille drill rumour --simulate 1 --acts cell.txt --report drill.html

Example: veille drill plans/ours.yaml --events past.jsonl --live --speed 10 --report drill.html

Exit codes: 0 done, late or not; 2 wrong usage; 4 bad playbook, events or acts; 130 interrupted."""


def command(
    playbook: Annotated[str, typer.Argument(metavar="PLAYBOOK", help="A file, or a shipped plan.")],
    seed: Annotated[int | None, typer.Option("--simulate", metavar="SEED", help="A crisis of the simulation with this seed.")] = None,
    events: Annotated[Path | None, typer.Option("--events", metavar="FILE", help="A past crisis: lines of veille crises --json.")] = None,
    crisis: Annotated[str, typer.Option("--crisis", metavar="ID", help="Which crisis (default: the plan's kind, the most severe).")] = "",
    acts: Annotated[Path | None, typer.Option("--acts", metavar="FILE", help="What the cell did, one line each.")] = None,
    live: Annotated[bool, typer.Option("--live", help="The cell speaks now, on stdin; `end` ends the drill.")] = False,
    speed: Annotated[float, typer.Option("--speed", metavar="X", min=0.1, help="With --live: minutes of the drill for each minute.")] = 1.0,
    hours: Annotated[float, typer.Option("--hours", metavar="H", min=0.1, max=72, help="How long after the opening it ends.")] = 6.0,
    report: Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Write the report (HTML, printable).")] = None,
    language: Language = "",
    json: Json = False,
) -> None:
    """Choose the crisis, run it, and say what was late."""
    from streams.cli.drill_run import events_of_file, events_of_simulation, run_live, run_script
    from streams.cli.output import note
    from streams.respond.brief_words import KINDS
    from streams.respond.drill import Drill
    from streams.respond.drill_words import WORDS
    from streams.respond.playbook import named, read

    if (seed is None) == (events is None):
        raise typer.BadParameter("give --simulate SEED, or --events FILE")
    if live and acts is not None:
        raise typer.BadParameter("the cell speaks in --acts FILE or --live, not both")
    settings = load_settings()
    language = language_of(language, settings)
    plan = read(named(playbook, language))
    found = events_of_file(events) if events is not None else events_of_simulation(seed or 0, settings, language)
    source = events.name if events is not None else f"simulation {seed}"
    drill = Drill(plan, _chosen(found, crisis, plan.kinds), language)
    end_ms = drill.begin_ms + round(hours * 3_600_000)
    if drill.card.kind_set_by == "drill":
        note(WORDS[language]["other_kind"].format(kinds=", ".join(KINDS[language].get(kind, kind) for kind in plan.kinds)))
    if live:
        run_async(run_live(drill, end_ms, speed, language))
    else:
        run_script(drill, end_ms, acts, language)
    _tell(drill, source, report, language, json)


def _chosen(found: dict[str, list[tuple[str, Crisis]]], wanted: str, kinds: Sequence[str]) -> list[tuple[str, Crisis]]:
    """Return the events of the crisis that is drilled. Raises `BadInput` where there is none."""
    opened = {name: events for name, events in found.items() if any(event == "opened" for event, _ in events)}
    if wanted and wanted not in opened:
        raise BadInput(f"no crisis {wanted} opens there; these do: {', '.join(opened) or 'none'}")
    if not opened:
        raise BadInput("no crisis opens there")

    def rank(name: str) -> tuple[bool, int, str]:
        return not kinds or opened[name][-1][1].kind in kinds, max(card.severity for _, card in opened[name]), name

    return opened[wanted or max(opened, key=rank)]


def _tell(drill: Drill, source: str, report: Path | None, language: str, json: bool) -> None:
    import orjson

    from streams.cli.output import emit, note
    from streams.respond.drill_report import page, refusal_line, refusals, sign, step_line, steps, summary
    from streams.respond.drill_words import WORDS
    from streams.respond.tasks import MINUTE

    if report is not None:
        try:
            report.write_text(page(drill, source, language), "utf-8")
        except OSError as error:
            raise BadInput(f"{report}: {error.strerror}") from None
        note(WORDS[language]["report"].format(file=report))
    if json:
        emit(orjson.dumps(summary(drill, source, language)))
        return
    told = [step_line(one, language) for one in steps(drill, language)]
    told += [refusal_line((at - drill.begin_ms) // MINUTE, who, why, language) for at, who, why in refusals(drill, language)]
    for text in told:
        line = sign(text, language)
        emit("".join(letter if letter.isprintable() else " " for letter in line))
