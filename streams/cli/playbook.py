"""``veille playbook``: checks plans before they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.errors import VeilleError
from streams.plurals import counted

app = typer.Typer(no_args_is_help=True, help="Check a playbook: its words, its roles and deadlines, and the tests that it holds.")


class Broken(VeilleError):
    """A playbook does not hold."""

    exit_code = 1


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Playbooks (YAML).")],
) -> None:
    """Say whether playbooks can be used, and else which lines to mend; run the tests that they hold.

    Holding statements that nobody has approved yet are named on stderr, with the hash that two people write: a plan works without them.

    Example: veille playbook check plans/*.yaml

    Exit codes: 0 they hold; 1 one does not, with line and mend; 4 a file that cannot be read.
    """
    from streams.cli.output import emit, note
    from streams.clock import wall_ms
    from streams.handwritten import text_of
    from streams.respond.playbook_check import check, not_ready

    broken = 0
    for file in files:
        plan, problems = check(text_of(file, str(file)))
        for problem in problems:
            emit(f"{file}:{problem.line}: {problem.text}")
        if plan is None:
            broken += 1
            continue
        emit(f"{file}: {plan.id}, {counted(len(plan.steps), 'step')}, {counted(len(plan.tests), 'test')} passed")
        for words in not_ready(plan, wall_ms()):
            note(f"{file}: {words}")
    if broken:
        raise Broken(f"{broken} of {len(files)} playbooks cannot be used" if len(files) > 1 else "the playbook cannot be used")
