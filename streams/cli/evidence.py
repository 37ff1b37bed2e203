"""``veille evidence COMMAND``: what was kept of a crisis, listed, handed out and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import Broker, Json, Language, Run, language_of, load_settings, run_async
from streams.errors import BadInput

app = typer.Typer(no_args_is_help=True, help="Evidence of a crisis: list what was kept, hand it out, check it.")

_Root = Annotated[
    Path | None, typer.Option("--tsa-root", metavar="PEM", help="Root certificate of the time stamping authority, taken from itself.")
]
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


@app.command()
def export(
    crisis: _Crisis,
    out: Annotated[Path, typer.Option("--out", metavar="BUNDLE", help="A new .zip archive, or else a new folder.")],
    tsa: Annotated[str, typer.Option("--tsa", metavar="URL", help="A time stamping authority (RFC 3161) that stamps the bundle.")] = "",
    tsa_root: _Root = None,
    language: Language = "",
    broker: Broker = None,
    run: Run = None,
) -> None:
    """Write what was kept of a crisis, and of those that became part of it, into a bundle that can be checked without Veille.

    It holds the receipts, their files under numbers, SHA256SUMS, a page to read, and README.txt, which says how to check it. The same
    receipts make the same bytes, but for a time stamp.

    Example: veille evidence export aurelis-20260302T081500-1 --out bundle.zip --tsa https://tsa.example/tsr

    Exit codes: 0 done; 1 written, but the receipts do not hold, or no time stamp was given; 3 no broker; 4 no such crisis, nothing
    kept, a BUNDLE that is there, or bad settings.
    """
    from streams.cli.evidence_export import bundled, write
    from streams.cli.evidence_topics import receipts_of
    from streams.cli.evidence_words import NOTHING, chain_lines
    from streams.cli.output import emit, note
    from streams.evidence.timestamp import roots_of
    from streams.evidence.verify import verify_chains
    from streams.evidence.words import sentence

    settings = load_settings(broker=broker, run=run)
    said = language_of(language, settings)
    roots = roots_of(tsa_root.read_bytes()) if tsa_root is not None else []
    if out.exists():
        raise BadInput(f"{out} is there: a bundle takes no other file's place; choose another name")
    chains = run_async(receipts_of(settings, crisis))
    if not chains:
        raise BadInput(NOTHING[said].format(crisis=crisis))
    verdict = verify_chains(chains)
    files, stamp, why = run_async(bundled(crisis, chains, said, tsa, roots))
    write(files, out)
    for line in chain_lines(verdict.chains, stamp, said):
        emit(line)
    for told in [*(sentence(problem, said) for problem in verdict.problems), *([why] if why else [])]:
        note(told)
    if verdict.problems or why:
        raise typer.Exit(1)


@app.command()
def verify(
    what: Annotated[str, typer.Argument(metavar="BUNDLE|CRISIS", help="An archive or a folder that export wrote, or a crisis's id.")],
    tsa_root: _Root = None,
    language: Language = "",
    json: Json = False,
    broker: Broker = None,
    run: Run = None,
) -> None:
    """Check a bundle, without any network, or the receipts of a crisis as the topic has them: hashes, chain, holes, time stamp.

    Each thing that does not hold is told in a sentence. Whoever signed a time stamp is checked against --tsa-root.

    Example: veille evidence verify bundle.zip --tsa-root root.pem

    Exit codes: 0 it holds; 1 it does not; 3 no broker; 4 no such bundle or crisis, or bad settings.
    """
    from streams.cli.evidence_export import look
    from streams.cli.evidence_topics import receipts_of
    from streams.cli.evidence_words import HOLDS, chain_lines
    from streams.cli.output import emit, event_line
    from streams.evidence.timestamp import roots_of
    from streams.evidence.verify import verify_chains
    from streams.evidence.words import sentence

    settings = load_settings(broker=broker, run=run)
    said = language_of(language, settings)
    roots = roots_of(tsa_root.read_bytes()) if tsa_root is not None else []
    if Path(what).exists():
        problems, chains, stamp = look(Path(what), roots)
    elif "/" in what or what.endswith(".zip"):
        raise BadInput(f"{what}: there is no such file or folder")
    else:
        problems, chains, *_ = verify_chains(run_async(receipts_of(settings, what)))
        stamp = None
    told = [sentence(problem, said) for problem in problems]
    if json:
        heads = [{"crisis_id": one.crisis_id, "receipts": one.receipts, "head": one.head} for one in chains]
        emit(event_line({"holds": not told, "problems": told, "chains": heads, "timestamp": stamp and stamp._asdict()}))
    for line in [] if json else told or [HOLDS[said], *chain_lines(chains, stamp, said)]:
        emit(line)
    if told:
        raise typer.Exit(1)


@app.command()
def page(
    crisis: _Crisis,
    url: Annotated[str, typer.Argument(metavar="URL", help="The public page, http or https.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who captures it (VEILLE_BY; default: the user of this machine).")] = "",
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="The role in which it is captured (VEILLE_ROLE).")] = "",
    screenshot: Annotated[bool, typer.Option(help="Make a picture too, where Chromium is there.")] = True,
    allow_internal: Annotated[bool, typer.Option("--allow-internal", help="The page may lie in a private network (an intranet).")] = False,
    wait: Annotated[float, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait so long for each recorded answer.")] = 30.0,
    language: Language = "",
    json: Json = False,
    broker: Broker = None,
    run: Run = None,
) -> None:
    """Capture a page before it is gone: what it answers as a WARC file, and a picture of it; each becomes a receipt of the crisis.

    Addresses inside (private, loopback, link-local, of cloud services) are refused, also behind a redirect, a name, or something that the
    page loads. What is too large to be kept whole is kept in part, and says so.

    Example: veille evidence page aurelis-20260302T081500-1 https://news.example/article --by ann

    Exit codes: 0 recorded; 1 the page gave no answer, the desk refused, or no answer in time; 3 no broker; 4 bad settings or input.
    """
    from streams.cli.evidence_page import Errand, captured

    settings = load_settings(broker=broker, run=run)
    said = language_of(language, settings)
    if len(url) > 2_000:
        raise BadInput("a URL has at most 2,000 characters")
    errand = Errand(crisis, url, by, role, wait, screenshot, allow_internal)
    if not run_async(captured(settings, errand, said, json)):
        raise typer.Exit(1)
