"""What a cell says in a drill, one line each: ``[+MINUTES] PERSON[/ROLE] COMMAND [SUBJECT] [NAME=VALUE ...]``."""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from schemas.command import Command
from schemas.desk import TABLE
from streams.errors import BadInput
from streams.respond.drill_words import WORDS
from streams.respond.tasks import MINUTE

_AFTER = re.compile(r"\+(?:(\d{1,3}):)?(\d{1,4})")


class Act(NamedTuple):
    """One line: ``after_ms`` since the opening (None: now), and the command without its time."""

    after_ms: int | None
    command: Command


def parse(line: str, number: int, brand: str, crisis_id: str, language: str = "en") -> Act | None:
    """Read one line (None: empty or a comment). Raises `BadInput` with the number of the line and the mend, in ``language``.

    >>> act = parse('+1:05 ann/lead task-done pause text="by hand"', 3, "acme", "c")
    >>> act.after_ms // 60_000, act.command.by, act.command.role, act.command.args
    (65, 'ann', 'lead', {'task': 'pause', 'text': 'by hand'})
    """
    told = WORDS[language]
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # a quotation mark, or a backslash at the end
        raise BadInput(told["unquoted"].format(n=number)) from None
    if not words:
        return None
    after = _AFTER.fullmatch(words[0])
    if after:
        words = words[1:]
    if len(words) < 2:
        raise BadInput(told["say"].format(n=number))
    by, _, role = words[0].partition("/")
    rule = TABLE.get(words[1])
    if rule is None:
        raise BadInput(told["unknown"].format(n=number, word=words[1], known=", ".join(TABLE)))
    args: dict[str, str | int | float | bool | list[str]] = {}
    forms = {arg.name: arg.form for arg in rule.args}
    subject = next((arg.name for arg in rule.args if arg.needed), "text")
    for word in words[2:]:
        name, is_named, value = word.partition("=")
        if not is_named or name not in forms:
            name, value = subject, word
        args[name] = value.split(",") if forms.get(name) == "list" else value
    time = (int(after[1] or 0) * 60 + int(after[2])) * MINUTE if after else None
    command = Command(id=f"drill-{number}", command=words[1], brand=brand, by=by, role=role, at_ms=0, crisis_id=crisis_id, args=args)
    return Act(time, command)
