"""``veille evidence COMMAND``: what was kept of a crisis, listed, handed out and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import Broker, Json, Language, Run, language_of, load_settings, run_async
from streams.errors import BadInput

app = typer.Typer(no_args_is_help=True, help="Evidence of a crisis: list what was kept, hand it out, check it.")

_Crisis = Annotated[str, typer.Argument(metavar="CRISIS", help="Id of the crisis, as `veille crises` shows it.")]


@app.command("list")
def list_receipts(crisis: _Crisis, language: Language = "", json: Json = False, broker: Broker = None, run: Run = None) -> None:
    """List what was kept of a crisis, in order: id, when, what, how large, its SHA-256, by whom, and which file or address.

    What was kept of crises that became part of it (`veille crisis merge`) stands after its own.

    Example: veille evidence list aurelis-20260302T081500-1

    Exit codes: 0 done; 3 no broker; 4 no such crisis, or bad settings.
    """
    from streams.cli.evidence_topics import receipts_of
    from streams.cli.evidence_words import NOTHING, table
    from streams.cli.output import emit, event_line, note
    from streams.evidence.shelf import row

    settings = load_settings(broker=broker, run=run)
    said = language_of(language, settings)
    rows = [row(receipt) for chain in run_async(receipts_of(settings, crisis)).values() for receipt in chain]
    for line in [event_line(one._asdict()) for one in rows] if json else table(rows, said):
        emit(line)
    if not rows:
        note(NOTHING[said].format(crisis=crisis))


@app.command()
def show(
    evidence_id: Annotated[str, typer.Argument(metavar="EVIDENCE_ID", help="CRISIS/NUMBER, as `veille evidence list` shows it.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the bytes that were kept into a new file.")] = None,
    language: Language = "",
    json: Json = False,
    broker: Broker = None,
    run: Run = None,
) -> None:
    """Show one receipt; with --out its bytes, as they were captured, go into a file that does not exist yet.

    Example: veille evidence show aurelis-20260302T081500-1/3 --out letter.eml

    Exit codes: 0 done; 1 the bytes are not those that were captured; 3 no broker; 4 no such receipt, a file that is there, or bad settings.
    """
    from streams.cli.evidence_topics import receipts_of
    from streams.cli.evidence_words import details
    from streams.cli.output import emit, event_line
    from streams.evidence.chain import Problem, digest, file_of
    from streams.evidence.shelf import row, text_of
    from streams.evidence.words import sentence

    settings = load_settings(broker=broker, run=run)
    said = language_of(language, settings)
    crisis = evidence_id.rpartition("/")[0]
    if not crisis:
        raise BadInput("an EVIDENCE_ID is the crisis's id, a slash and a number: veille evidence list shows them")
    chain = run_async(receipts_of(settings, crisis, alone=True)).get(crisis, [])
    found = [receipt for receipt in chain if receipt.evidence_id == evidence_id]
    if not found:
        raise BadInput(f"there is no receipt {evidence_id}: veille evidence list shows those of a crisis")
    receipt = found[0]
    data = file_of(receipt) or b""
    if out is not None:
        with out.open("xb") as file:  # a proof never takes the place of another file
            file.write(data)
    if json:
        emit(event_line({**row(receipt)._asdict(), "seq": receipt.seq, "previous": receipt.previous, "chain": receipt.chain}))
    for line in [] if json else details(receipt, row(receipt), text_of(receipt), said):
        emit(line)
    problems = [Problem("bytes", evidence_id)] * (digest(data) != receipt.sha256) + [Problem("two", evidence_id)] * (len(found) > 1)
    for problem in problems:
        typer.echo(sentence(problem, said), err=True)
    if problems:
        raise typer.Exit(1)
