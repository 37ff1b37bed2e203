"""Crisis events, and what answers a command, as one line for people: English or French."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from schemas.desk import TABLE
from schemas.signal import Contribution
from streams.crisis.words import clean
from streams.reasons import ended_by, speaking_for
from streams.respond.brief import unbroken
from streams.respond.brief_words import EVENTS, PHASES
from streams.respond.drill_words import STATES
from streams.respond.drill_words import WORDS as DRILL
from streams.respond.note_words import note_in
from streams.respond.refusals import refusal_in

#: How many letters of a headline or a reason a line of text shows.
_WIDTH = 110
_WORDS = {
    "en": {"severity": "severity", "by": "by", "colon": ": ", "sent": "sent"},
    "fr": {"severity": "gravité", "by": "par", "colon": " : ", "sent": "envoyé"},
}
#: Arguments that are said at length, or that nobody reads.
_TEXTS = ("text", "headline", "reason", "bytes_b64", "into", "stories")
#: Width of the event's and the kind's column.
_COLUMNS = {"en": (10, 9), "fr": (14, 14)}
_KINDS = {
    "en": {"own_post": "own post"},
    "fr": {
        "snowball": "boule de neige", "corporate": "entreprise", "rumour": "rumeur", "own_post": "publication",
        "unknown": "inconnu",
    },
}  # fmt: skip


def crisis_line(event: dict[str, Any], language: str = "en") -> str:
    """Return a crisis event in ``language``: when, what, the id that commands take, how severe, which kind, why or who decided it."""
    data = event.get("data") or {}
    word = str(event.get("type", "")).removeprefix("veille.crisis.")
    said, (wide, kinds) = _WORDS[language], _COLUMNS[language]
    time = str(event.get("time", ""))[:16].replace("T", " ")
    name = str(data.get("crisis_id") or data.get("brand", ""))
    size = "" if data.get("phase") == "none" else f"{said['severity']} {data.get('severity', '?')}"
    known = "" if data.get("phase") == "none" else str(data.get("kind", ""))
    if known and not (data.get("kinds", True) or data.get("kind_set_by")):
        known = "unknown"  # declared, and nothing has been seen of it yet
    kind = _KINDS[language].get(known, known)
    why = clean(_why(word, data, language), _WIDTH)
    when, what, sized = f"{time} UTC" if time else "", EVENTS[language].get(word, word), len(said["severity"]) + 2
    return _plain(f"{when}  {what:<{wide}} {name:<27} {size:<{sized}}  {kind:<{kinds}}  {why}", language)


def _why(word: str, data: Mapping[str, Any], language: str) -> str:
    """Say who decided what; where nobody did, what the desk notes of itself, or the reason that stands first."""
    said = _WORDS[language]
    decision, note = data.get("decision"), str(data.get("note") or "")
    headline = str((data.get("headline_fr") if language == "fr" else "") or data.get("headline", ""))
    if decision:
        command = str(decision.get("command", ""))
        subject = _subject(decision)
        told = _refused(note, language) if word == "refused" else note_in(note, language) if command in ("merge", "split") else note
        if word == "opened":
            told = told or headline
        told = "" if told in (command, subject) else told
        given = f"{command} {subject}" if subject else command
        return f"{given} {said['by']} {decision.get('by', '')}" + (f"{said['colon']}{told}" if told else "")
    if note:
        return note_in(note, language) + (f"{said['colon']}{headline}" if word == "asked" else "")
    reasons = msgspec.convert(data.get("contributions") or [], list[Contribution])
    first = ended_by(str(data.get("phase", "")), reasons) or next(iter(speaking_for(reasons)), None)
    if first is None:
        return headline
    return (first.text_fr if language == "fr" else "") or first.text or first.name


def _refused(why: str, language: str) -> str:
    """Return why a command was refused; what the record calls the bytes of a file is --file here."""
    return refusal_in(why, language).replace("bytes_b64", "file")


def _subject(decision: Mapping[str, Any]) -> str:
    """Return what a command is about, in as many words as were typed: the statement, the person, the kind, the minutes."""
    rule, args = TABLE.get(str(decision.get("command", ""))), decision.get("args") or {}
    for arg in rule.args if rule else ():
        value = args.get(arg.name)
        if arg.form == "flag" and value:
            return arg.name
        if not value or not arg.needed or arg.name in _TEXTS:
            continue
        if arg.form == "whole":
            return f"{value} min"
        return ", ".join(map(str, value))[:60] if isinstance(value, list) else str(value)[:60]
    return ""


def answer_line(event: dict[str, Any], language: str = "en") -> str:
    """Return a command that was sent, a crisis event, a statement, a claim or a task: what became of it, and the ids to go on with."""
    data = event["data"]
    if "command" in data:
        words = [_WORDS[language]["sent"], data["command"], data["id"]]
    elif "phase" in data:
        word = event["type"].removeprefix("veille.crisis.")
        phase = "" if data["phase"] == "none" else PHASES[language].get(data["phase"], data["phase"])
        decision = data.get("decision") or {}
        note = _refused(data["note"], language) if word == "refused" else note_in(data["note"], language)
        if note == decision.get("command"):
            note = f"{note} {_subject(decision)}".rstrip() if word in ("noted", "updated") else ""
        said = EVENTS[language].get(word, word)
        words = [said, data["crisis_id"] or data["brand"], "" if phase == said else phase, note]
    else:
        named = data.get("statement_id") or data.get("claim_id") or data.get("task_id")
        state = str(data.get("state") or data.get("status"))
        reason = data.get("reason", "")  # a person's words, or the gate's
        reason = refusal_in(reason, language) if state in ("refused", "needs_correction") else reason
        state = "task_refused" if state == "refused" and data.get("task_id") else state
        said = STATES[language].get(state, state)
        if state == "draft" and data.get("approved_by"):
            said += f", {DRILL[language]['approved_by']} {', '.join(data['approved_by'])}"
        # As the next command takes it.
        words = [named, said, reason, f"--hash {data['text_hash']}" if data.get("text_hash") else ""]
    return "  ".join(_plain(str(word), language) for word in words if word)


def _plain(line: str, language: str) -> str:
    """Keep what can be seen: texts and ids are hostile, and nothing that could steer a terminal gets through."""
    shown = "".join(letter if letter.isprintable() else " " for letter in line)
    return unbroken(shown) if language == "fr" else shown
