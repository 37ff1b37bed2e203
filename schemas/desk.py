"""The one table of the crisis desk: command x role x phase -> event or refusal. Code, command line, docs and tests read it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import NamedTuple

from schemas.command import COMMANDS
from schemas.crisis import KINDS
from schemas.signal import AUDIENCES

#: Phases in which a crisis is alive. ``suspected`` is a candidate: nothing has opened.
ACTIVE = ("suspected", "open", "escalated", "eased")
#: Phases in which people are at work on it.
OPEN = ("open", "escalated", "eased")
CLOSED = ("resolved", "cancelled", "merged")
#: The phase of a command that names no crisis, and of one that names a crisis nobody knows.
NONE, UNKNOWN = "none", "unknown"
PHASES = (NONE, *ACTIVE, *CLOSED)

#: Roles of a crisis cell. "" is a person of the desk who names no role.
ROLES = ("", "watch", "on_call", "lead", "communication", "legal", "direction", "customer_care")
_ANY = ROLES
_LEAD = ("on_call", "lead", "direction")
_LEGAL = ("lead", "legal", "direction")
_APPROVE = ("on_call", "lead", "communication", "legal", "direction")
_RELEASE = ("on_call", "lead", "communication", "direction")
_EVER = (*ACTIVE, "resolved", "cancelled")
_ALWAYS = (*_EVER, "merged")

#: Commands that the watch is told of as well: what is declared or answered, and what people say of what rang.
TOLD = ("open", "ack", "cancel", "close", "vote", "missed", "published")
#: Topics in which the second half of an answer stands.
STATEMENTS, TASKS = "crisis.statements", "crisis.tasks"


class Arg(NamedTuple):
    """One argument: ``form`` is text, list (of texts), whole (number) or flag. ``needed`` may name others of which one will do."""

    name: str
    form: str
    words: str
    needed: bool = False
    #: Names of arguments that may stand in its place.
    instead: tuple[str, ...] = ()
    #: Words that it may be, where not every word will do.
    choices: tuple[str, ...] = ()


class Rule(NamedTuple):
    """``event`` follows where ``roles`` and ``phases`` allow it; else ``refused`` with a reason. Both are recorded.

    ``event`` "refused" is a command that nobody may give: ``why`` says what to do instead. ``answer`` is the topic in
    which the gate or the tasks say what came of it.
    """

    event: str
    roles: tuple[str, ...]
    phases: tuple[str, ...]
    words: str
    args: tuple[Arg, ...] = ()
    answer: str = ""
    why: str = ""


#: What to do instead of deleting one's own publication.
INSTEAD = (
    "measure the impact: who reacts, on which networks, how many, how negative",
    "adapt the answer to each audience, starting with those who were hurt",
    "act on the channels where it burns, the post itself first",
)
MAX_MINUTES = 7 * 24 * 60
_TEXT = Arg("text", "text", "What to record.")
_WHY = Arg("reason", "text", "Why.")
_CLAIM = Arg("claim", "text", "Id of the claim, chosen when it is added.", True)
_STATEMENT = Arg("statement", "text", "Id of the statement, chosen when it is drafted.", True)
_CLAIMS = Arg("claims", "list", "Id of a claim that the text makes. Repeatable.")
_EVIDENCE = Arg("evidence", "list", "Id of a piece of evidence. Repeatable.")
_MINUTES = Arg("minutes", "whole", f"For how long, 1 to {MAX_MINUTES} minutes.", True)
_KIND = Arg("kind", "text", f"One of {', '.join(KINDS)}.", choices=KINDS)

TABLE: dict[str, Rule] = {
    "open": Rule("opened", _ANY, (NONE, "suspected"), "Declare a crisis, or confirm a suspected one: certainty Observed.", (
        Arg("headline", "text", "What happened, in one line (needed where no suspected crisis is named)."), _KIND,
        Arg("terms", "list", "A word that mentions of it hold: they join the crisis, and the watch looks out for it. Repeatable."),
        Arg("urls", "list", "Where it can be seen: mentions that link there join the crisis. Repeatable."),
        Arg("severity", "whole", "1 to 5 (3 where nothing else is known)."), _TEXT,
        Arg("timezone", "text", "The brand's time zone, until the watch tells it (the command line takes it from the watchlist)."))),
    "note": Rule("noted", _ANY, _ALWAYS, "Write something down.", (_TEXT._replace(needed=True),)),
    "capture": Rule("noted", _ANY, _EVER, "Keep a page or a file as evidence.", (
        Arg("target", "text", "Its URL, or where a file comes from.", True, ("bytes_b64",)),
        Arg("bytes_b64", "text", "The file's bytes in base64 (the command line takes --file)."),
        Arg("name", "text", "The file's name."), _TEXT)),
    "claim-add": Rule("noted", _ANY, _EVER, "Write down a claim that is to be checked.", (_CLAIM, _TEXT._replace(needed=True)), STATEMENTS),
    "claim-verify": Rule("noted", _ANY, _EVER, "Say that a claim holds.", (_CLAIM, _EVIDENCE._replace(needed=True)), STATEMENTS),
    "claim-refute": Rule("noted", _ANY, _EVER, "Say that a claim does not hold.", (_CLAIM, _EVIDENCE, _WHY), STATEMENTS),
    "draft": Rule("noted", _ANY, _EVER, "Write a statement, or anew: approvals fall.", (
        _STATEMENT, _TEXT._replace(needed=True, instead=("holding",), words="The text to be said."),
        Arg("holding", "text", "Id of a holding statement of the plan, in place of a text."), _CLAIMS, _EVIDENCE,
        Arg("time", "text", "Fills a holding statement's {time}."), Arg("channel", "text", "Fills a holding statement's {channel}."),
        Arg("contact", "text", "Fills a holding statement's {contact}.")), STATEMENTS),
    "approve": Rule("noted", _APPROVE, _EVER, "Approve the text of a statement as it stands.", (
        _STATEMENT, Arg("hash", "text", "SHA-256 of the text that was read.", True)), STATEMENTS),
    "release": Rule("noted", _RELEASE, _EVER, "Let a statement out, through the gate.", (_STATEMENT,), STATEMENTS),
    "published": Rule("noted", _ANY, _EVER, "Say that a released statement stands outside: its effect is measured from then on.", (
        _STATEMENT, Arg("url", "text", "Where it stands."),
        Arg("networks", "list", "A network that it was published on. Repeatable."),
        Arg("audiences", "list", f"An audience that it speaks to: {', '.join(AUDIENCES)}. Repeatable.", choices=AUDIENCES)), STATEMENTS),
    "correct": Rule("noted", _ANY, _EVER, "Write the correction of a statement that went out.", (
        _STATEMENT, _TEXT._replace(needed=True, words="The corrected text."), _CLAIMS, _EVIDENCE), STATEMENTS),
    "retract": Rule("noted", _ANY, _EVER, "Withdraw a statement.", (_STATEMENT, _WHY), STATEMENTS),
    "task-done": Rule("noted", _ANY, _EVER, "Say that a task is done.", (Arg("task", "text", "Id of the task.", True), _TEXT), TASKS),
    "task-skip": Rule("noted", _ANY, _EVER, "Say why a task is left out.", (
        Arg("task", "text", "Id of the task.", True), _WHY._replace(needed=True)), TASKS),
    "delete-own-post": Rule("refused", _ANY, _EVER, "Never: one's own publication is not deleted.", (
        Arg("url", "text", "The post."),), STATEMENTS, "one's own publication is not deleted; instead: " + "; ".join(INSTEAD)),
    "merge": Rule("merged", _LEAD, ACTIVE, "Two crises have one cause: this one goes on in another.", (
        Arg("into", "text", "Id of the crisis that goes on.", True),)),
    "split": Rule("split", _LEAD, ACTIVE, "Some stories have another cause: they become a crisis of their own.", (
        Arg("stories", "list", "Id of a story that leaves. Repeatable.", True),)),
    "reopen": Rule("reopened", _LEAD, ("resolved", "cancelled"), "It burns again.", (_WHY,)),
    "hold": Rule("noted", _LEGAL, _ALWAYS, "Legal hold: nothing of it may be erased (--off lifts it).", (
        Arg("off", "flag", "Lift the hold."), _WHY)),
    "missed": Rule("noted", _ANY, (NONE, *_EVER), "A crisis was found elsewhere: a label for detection.", (
        Arg("headline", "text", "What was missed.", True), Arg("since", "text", "When it began (RFC 3339)."), _TEXT,
        Arg("urls", "list", "Where it can be seen. Repeatable."))),
    "ack": Rule("noted", _ANY, ACTIVE, "I have it: certainty Observed.", (_TEXT,)),
    "assign": Rule("noted", _ANY, ACTIVE, "Say who has it.", (Arg("to", "text", "A person or a role.", True),)),
    "set-kind": Rule("updated", _ANY, ACTIVE, "A person's word on the kind stands.", (_KIND._replace(needed=True),)),
    "mute": Rule("noted", _ANY, ACTIVE, "Page nobody for a while, whatever happens.", (_MINUTES,)),
    "snooze": Rule("noted", _ANY, ACTIVE, "Page nobody for a while, unless it gets worse.", (_MINUTES,)),
    "cancel": Rule("cancelled", _LEAD, ACTIVE, "It is none: a label for detection.", (_WHY,)),
    "close": Rule("resolved", _LEAD, OPEN, "It is over.", (_WHY,)),
    "vote": Rule("noted", _ANY, (NONE, *_EVER), "Answer “was this one?”: a label for detection.", (
        Arg("label", "text", "yes or no.", True, choices=("yes", "no")),
        Arg("question", "text", "Id of the question that the desk was asked."), _TEXT)),
}  # fmt: skip
assert tuple(TABLE) == COMMANDS, "schemas.command names the commands in the table's order"


def _texts(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


#: Form of an argument -> (in words, whether a value has it). One text may stand for a list of one.
FORMS: dict[str, tuple[str, Callable[[object], bool]]] = {
    "text": ("a text", lambda value: isinstance(value, str)),
    "list": ("a list of texts", _texts),
    "whole": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "flag": ("true or false", lambda value: isinstance(value, bool)),
}


def judge(command: str, role: str, phase: str, args: Mapping[str, object]) -> tuple[str, str]:
    """Return (event type, "") where the table allows the command, else ("", reason).

    ``phase`` is `NONE` where the command names no crisis, `UNKNOWN` where it names one that nobody knows.

    >>> judge("cancel", "watch", "open", {})
    ('', 'role watch may not cancel; on_call, lead or direction may')
    >>> judge("ack", "", "resolved", {})
    ('', 'ack needs a crisis that is suspected, open, escalated or eased; this one is resolved')
    """
    rule = TABLE.get(command)
    if rule is None:
        return "", "unknown command"
    if phase == UNKNOWN:
        return "", "no such crisis"
    if role not in ROLES:
        return "", f"unknown role; one of {', '.join(ROLES[1:])}"
    if role not in rule.roles:
        return "", f"role {role or '(none named)'} may not {command}; {_listed(rule.roles)} may"
    if phase not in rule.phases:
        if phase == NONE:
            return "", f"{command} needs a crisis"
        wanted = [name for name in rule.phases if name != NONE]
        return "", f"{command} needs a crisis that is {_listed(wanted)}; this one is {phase}"
    if rule.why:
        return "", rule.why
    missing = lacking(rule, args)
    if missing:
        return "", f"{command} needs {_listed(missing, 'and')}"
    for arg in rule.args:
        form, fits = FORMS[arg.form]
        if arg.name in args and not fits(args[arg.name]):
            return "", f"{arg.name} must be {form}"
        given = args.get(arg.name) or []
        wrong = [one for one in ([given] if isinstance(given, str) else given if isinstance(given, list) else []) if one not in arg.choices]
        if arg.choices and wrong:
            return "", f"{arg.name} must be one of {', '.join(arg.choices)}"
    return rule.event, ""


def person(name: str) -> str:
    r"""Return who a name stands for: case, blanks, width and invisible characters do not make another person.

    Names that only look alike (a Cyrillic a) stay different: a plan that lists its people settles that.

    >>> person(" \uff21nn\u200b  Lee"), person("\u200b")
    ('ann lee', '')
    """
    if name.isascii():
        return " ".join(name.casefold().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Mn", "Cc", "Co", "Cn")).split())


#: How the ids of stories begin that collect what a person declared; see `declared_story`.
DECLARED = "d-"


def declared_story(brand: str, command_id: str) -> str:
    """Return the id of the story that collects the mentions of a declared crisis: the watch and the desk name it alike.

    >>> declared_story("acme", "c-1")
    'd-edad68781d97'
    """
    return DECLARED + blake2b(f"{brand}\n{command_id}".encode("utf-8", "replace"), digest_size=6).hexdigest()


def may_hold(role: str, by: str, people: Mapping[str, frozenset[str]]) -> str:
    """Return "" where ``by`` may speak in ``role``, else the reason.

    ``people`` are those of the plan: {role: names (see `person`) of who holds it or stands in}; a role for which the plan names
    nobody is open to everybody.

    >>> may_hold("lead", "Sam", {"lead": frozenset({"ada"})}), may_hold("lead", " ADA", {"lead": frozenset({"ada"})})
    ('the plan names others for the role lead', '')
    """
    if not person(by):
        return "nobody is named who decides this"
    named = people.get(role)
    return f"the plan names others for the role {role}" if named and person(by) not in named else ""


def lacking(rule: Rule, args: Mapping[str, object]) -> list[str]:
    """Return the needed arguments that ``args`` lacks, each with those that may stand in its place."""
    return [
        " or ".join((arg.name, *arg.instead))
        for arg in rule.args
        if arg.needed and all(args.get(name) in (None, "", [], False) for name in (arg.name, *arg.instead))
    ]


def _listed(names: tuple[str, ...] | list[str], word: str = "or") -> str:
    return f"{', '.join(names[:-1])} {word} {names[-1]}" if len(names) > 1 else "".join(names)


def markdown() -> str:
    """Return ``docs/commands.md``: what each command does, who may give it, in which phases, and what it needs."""
    lines = [
        "# Commands of the desk",
        "",
        "Made from `schemas/desk.py` by `make schemas`. A command is a record of `crisis.commands`, which `veille crisis COMMAND` writes.",
        "Its answer is the event of `crisis.events` whose `data.decision.id` is the command's id: the event below, or `refused`, with the",
        "reason in `data.note`. What names another topic is answered there too, under `command_id`. Unknown, late, repeated and",
        "contradictory commands are answered like any other: by a recorded refusal. So are an id or name of more than 200 characters, more",
        "than 32 kB of arguments beside a file, a number beyond 64 bits, and, once 500 kB are kept of a brand, what would add to it.",
        "",
        "| command | does | event | roles | phases | needs | may have | answered in |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, rule in TABLE.items():
        roles = "any" if rule.roles == _ANY else ", ".join(rule.roles)
        needs = ", ".join(" or ".join((arg.name, *arg.instead)) for arg in rule.args if arg.needed)
        stand_in = {other for arg in rule.args for other in arg.instead}
        may = ", ".join(arg.name for arg in rule.args if not arg.needed and arg.name not in stand_in)
        cells = (f"`{name}`", rule.words, f"`{rule.event}`", roles, ", ".join(rule.phases), needs, may, rule.answer and f"`{rule.answer}`")
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "## Arguments", ""]
    for name, rule in TABLE.items():
        lines += [f"### {name}", "", *(f"- `{arg.name}` ({arg.form}): {arg.words}" for arg in rule.args), ""]
    return "\n".join(lines).rstrip() + "\n"
