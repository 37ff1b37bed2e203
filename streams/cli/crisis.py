"""``veille crisis COMMAND``: what people decide, onto ``crisis.commands``. One command for each line of the desk's table."""

from __future__ import annotations

import base64
import getpass
import inspect
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.command import Command
from schemas.desk import NONE, TABLE, Rule
from streams.cli.options import Broker, Json, Language, Run, language_of, load_settings, run_async
from streams.errors import BadInput, VeilleError
from streams.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Decide something about a crisis: each command is recorded with who gave it, and answered.")

#: The largest file that a command carries, in bytes.
MAX_FILE = 500_000
_CODES = "Exit codes: 0 recorded; 1 refused, or no answer in time; 2 wrong usage; 3 no broker; 4 bad settings or input."

_Crisis = Annotated[str, typer.Argument(metavar="CRISIS", help="Id of the crisis, as `veille crises` shows it.")]
_MaybeCrisis = Annotated[str, typer.Argument(metavar="[CRISIS]", help="Id of the crisis; without one --brand is needed.")]
_Brand = Annotated[str, typer.Option("--brand", metavar="ID", help="The brand (default: that of the crisis's id).")]
_By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides (VEILLE_BY; default: the user of this machine).")]
_Role = Annotated[str, typer.Option("--role", metavar="ROLE", help="The role in which it is decided (VEILLE_ROLE).")]
_Wait = Annotated[float, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait so long for the recorded answer and print it.")]
_Id = Annotated[str, typer.Option("--id", metavar="ID", help="The command's own id: repeated under the same id, it counts once.")]
_File = Annotated[Path | None, typer.Option("--file", metavar="FILE", help=f"A file to keep, at most {MAX_FILE // 1000} kB.")]
_OPTIONS: dict[str, tuple[Any, Any]] = {
    "brand": (_Brand, ""), "by": (_By, ""), "role": (_Role, ""), "wait": (_Wait, 0.0), "identity": (_Id, ""), "json": (Json, False),
    "language": (Language, ""), "broker": (Broker, None), "run": (Run, None),
}  # fmt: skip
#: What a command cannot be sent with (`streams.crisis.forward.wrong`), and the mend: the desk could only record that it was unreadable.
_WRONG = {
    "no_brand": "name the crisis by its id, or the brand with --brand",
    "no_id": "the brand's id is made of letters, digits, _, . and -, at most 100: veille crises shows it",
    "bad_time": "the clock of this machine is wrong",
    "bad_number": "a number is too large",
    "too_large": "ids and names have at most 200 characters, all arguments at most 32 kB: write a shorter text, or use --file",
}
#: What an example gives an argument that is needed.
_SAMPLES = {
    "text": '"The belt was faulty."', "target": "https://example.org/post", "claim": "belt", "evidence": "1", "statement": "s1",
    "hash": "9f86d08...", "task": "pause", "reason": '"done by phone"', "into": "acme-20260101T060000-2", "stories": "STORY",
    "headline": '"A strike in Nice"', "to": "bo", "minutes": "60",
}  # fmt: skip
_UNWATCHED = {
    "en": "{brand} is no brand of the watchlist ({known}): no mention will join this crisis",
    "fr": "{brand} n'est pas une marque de la liste de veille ({known}) : aucune mention ne rejoindra cette crise",
}
_FORMS = {"text": (str, ""), "list": (list[str] | None, None), "whole": (int | None, None), "flag": (bool, False)}


class Refused(VeilleError):
    """The desk refused the command, or did not answer in time."""

    exit_code = 1


def brand_of(crisis_id: str) -> str:
    """Return the brand in a crisis's id.

    >>> brand_of("big-acme-20260101T060000-2")
    'big-acme'
    """
    return crisis_id.rsplit("-", 2)[0] if crisis_id.count("-") >= 2 else ""


def command_of(name: str, given: dict[str, Any], at_ms: int, identity: str) -> Command:
    """Return the command that the words of a command line make. Raises `BadInput` with the mend."""
    from streams.crisis.forward import wrong

    crisis = str(given.get("crisis") or "")
    brand = given["brand"] or brand_of(crisis)
    if not brand:
        raise BadInput("name the crisis by its id, or the brand with --brand")
    args = {
        arg.name: given[arg.name] for arg in TABLE[name].args if given.get(arg.name) or (given.get(arg.name) == 0 and arg.form == "whole")
    }
    if (file := given.get("file")) is not None:
        content = _read(file)
        args |= {"bytes_b64": base64.b64encode(content).decode(), "name": file.name[:200]}
    command = Command(
        id=given["identity"] or identity, command=name, brand=brand, at_ms=at_ms, crisis_id=crisis, args=args,
        by=given["by"] or os.environ.get("VEILLE_BY", "") or getpass.getuser(), role=given["role"] or os.environ.get("VEILLE_ROLE", ""),
    )  # fmt: skip
    if why := wrong(command):
        raise BadInput(_WRONG[why])
    return command


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE + 1)  # a device, or a file that grows, has no end
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    if len(content) > MAX_FILE:
        raise BadInput(f"{file} has more than {MAX_FILE} bytes; a command carries at most that: keep a smaller copy, or give its URL")
    return content


def example(name: str) -> str:
    """Return a command line that can be tried."""
    rule = TABLE[name]
    words = ["veille crisis", name, "CRISIS" if NONE not in rule.phases else "--brand acme"]
    if name == "open":
        words += ["--headline", '"Fire in the plant"', "--terms", "fire", "--kind", "corporate"]
    words += [part for arg in rule.args if arg.needed for part in (f"--{arg.name}", arg.choices[0] if arg.choices else _SAMPLES[arg.name])]
    if rule.roles[0]:
        words += ["--role", rule.roles[0]]
    return " ".join([*words, "--wait", "10"])


def _make(name: str, rule: Rule) -> Any:
    """Return the function of one command, with the options that its line of the table asks for."""

    def run(**given: Any) -> None:
        run_async(_give(name, given))

    fields: dict[str, tuple[Any, Any]] = {}
    fields["crisis"] = (_MaybeCrisis, "") if NONE in rule.phases else (_Crisis, inspect.Parameter.empty)
    for arg in rule.args:
        if arg.form == "text" and arg.name == "bytes_b64":
            fields["file"] = (_File, None)
            continue
        form, default = _FORMS[arg.form]
        words = arg.words + (" Needed." if arg.needed and not arg.instead else "")
        fields[arg.name] = (Annotated[form, typer.Option(f"--{arg.name}", help=words)], default)
    fields |= _OPTIONS
    kinds = {"crisis": inspect.Parameter.POSITIONAL_OR_KEYWORD}
    parameters = [
        inspect.Parameter(field, kinds.get(field, inspect.Parameter.KEYWORD_ONLY), default=default, annotation=annotation)
        for field, (annotation, default) in fields.items()
    ]
    # Typer reads a signature; this one is the table's.
    vars(run)["__signature__"] = inspect.Signature(parameters)
    run.__annotations__ = {field: annotation for field, (annotation, _) in fields.items()}
    return run


async def _give(name: str, given: dict[str, Any]) -> None:
    import uuid

    import msgspec

    from streams.cli.answer import give
    from streams.cli.crisis_words import answer_line
    from streams.cli.output import cloudevent, emit, event_line, note
    from streams.clock import wall_ms
    from streams.respond.refusals import refusal_in

    command = command_of(name, given, wall_ms(), str(uuid.uuid4()))
    settings = load_settings(broker=given["broker"], run=given["run"])
    language = language_of(given["language"], settings)
    known = await _watched(settings) if name == "open" and not command.crisis_id else {}
    if zone := known.get(command.brand):
        command = msgspec.structs.replace(command, args={"timezone": zone, **command.args})
    elif known:
        note(_UNWATCHED[language].format(brand=command.brand, known=", ".join(list(known)[:20])))
    refused = ""
    answers = give(settings, command, TABLE[name].answer, given["wait"])
    async for headers, value in answers:
        event = cloudevent(headers, value)
        data = event["data"]
        emit(event_line(event) if given["json"] else answer_line(event, language))
        if event.get("type") == "veille.crisis.refused" or data.get("state") == "refused":
            refused = str(data.get("note") or data.get("reason"))
    if refused and not given["json"]:
        raise typer.Exit(Refused.exit_code)  # the line has said why
    if refused:
        raise Refused(f"{name} est refusé : {refusal_in(refused, 'fr')}" if language == "fr" else f"{name} is refused: {refused}")


async def _watched(settings: Settings) -> dict[str, str]:
    """Return {brand: its time zone} of the settings' watchlist file and of the newest list of the topic; none where neither can be read."""
    from streams.cli.definitions import latest_watchlist
    from streams.enrich.watchlist import load_watchlist

    lists = [await latest_watchlist(settings)]
    with suppress(BadInput):  # a declaration does not wait for a file to be mended
        lists += [load_watchlist(Path(settings.watchlist))] if settings.watchlist else []
    return {brand.id: brand.timezone for found in lists if found is not None for brand in found.brands}


for _name, _rule in TABLE.items():
    _roles = f"Role: {', '.join(_rule.roles)}.\n\n" if _rule.roles[0] else ""
    _help = f"{_rule.words}\n\n{_roles}Example: {example(_name)}\n\n{_CODES}"
    app.command(name=_name, help=_help)(_make(_name, _rule))
