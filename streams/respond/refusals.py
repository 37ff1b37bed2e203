"""Refusals in the reader's language: the desk and the tasks record theirs in English, the gate in that of its worker."""

from __future__ import annotations

import re
from collections.abc import Callable

from schemas.desk import TABLE
from streams.gate.words import again
from streams.respond.brief_words import PHASES

_PHASES = PHASES["fr"]
_FORMS = {
    "a text": "un texte",
    "a list of texts": "une liste de textes",
    "a whole number": "un nombre entier",
    "true or false": "true ou false",
}
_STATES = {"done": "déjà faite", "skipped": "déjà laissée de côté"}
_Words = Callable[[re.Match[str]], str]


def _listed(text: str, words: dict[str, str] | None = None) -> str:
    r"""Return "a, b or c" with French between, and each word as ``words`` has it.

    >>> _listed("on_call, lead or direction"), _listed("open or eased", _PHASES), _listed("claim and evidence")
    ('on_call, lead ou direction', 'ouverte ou en apaisement', 'claim et evidence')
    """
    parts = re.split(r"(, | or | and )", text)
    return "".join({" or ": " ou ", " and ": " et "}.get(part, (words or {}).get(part, part)) for part in parts)


#: (what the desk or the tasks say, the same in French).
_PATTERNS: tuple[tuple[re.Pattern[str], _Words], ...] = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        ("unknown command", lambda m: "commande inconnue"),
        ("no such crisis", lambda m: "cette crise n'existe pas"),
        ("unknown role; one of (.*)", lambda m: f"rôle inconnu ; il y a {m[1]}"),
        (r"role \(none named\) may not (\S+); (.*) may", lambda m: f"{m[1]} demande un rôle : {_listed(m[2])}"),
        (r"role (\S+) may not (\S+); (.*) may", lambda m: f"le rôle {m[1]} ne peut pas donner {m[2]} ; {_listed(m[3])} le peuvent"),
        (r"(\S+) needs a crisis that is (.*); this one is (\S+)",
         lambda m: f"{m[1]} demande une crise {_listed(m[2], _PHASES)} ; celle-ci est {_PHASES.get(m[3], m[3])}"),
        (r"(\S+) needs a crisis", lambda m: f"{m[1]} demande une crise"),
        ("split needs some, not all, of the crisis's stories", lambda m: "split demande une partie des histoires de la crise, pas toutes"),
        (r"(\S+) needs (.*)", lambda m: f"{m[1]} demande {_listed(m[2])}"),
        (r"(\S+) must be one of (.*)", lambda m: f"{m[1]} doit être {' ou '.join(m[2].rsplit(', ', 1))}"),
        (rf"(\S+) must be ({'|'.join(_FORMS)})", lambda m: f"{m[1]} doit être {_FORMS[m[2]]}"),
        (r"the plan names others for the role (\S*)", lambda m: f"le plan nomme d'autres personnes pour le rôle {m[1]}"),
        ("no such task", lambda m: "cette tâche n'existe pas"),
        ("(done|skipped) already", lambda m: _STATES[m[1]]),
        ("a task is skipped with a reason", lambda m: "une tâche se laisse de côté avec une raison"),
        ("a command of this id was answered already", lambda m: "une commande de cet identifiant a déjà reçu sa réponse"),
        ("too much is kept of this brand's crises already: finish the oldest, and write shorter texts",
         lambda m: "les crises de cette marque gardent déjà trop : terminez les plus anciennes, écrivez plus court"),
        ("acknowledged already", lambda m: "déjà prise en charge"),
        ("held already", lambda m: "le gel juridique est déjà posé"),
        ("not held", lambda m: "aucun gel juridique n'est posé"),
        (r"minutes must be a whole number from 1 to (\d+)", lambda m: f"minutes doit être un nombre entier de 1 à {m[1]}"),
        ("unknown time zone; an example is (.*)", lambda m: f"fuseau horaire inconnu ; par exemple {m[1]}"),
        ("severity lies between 1 and 5", lambda m: "la gravité va de 1 à 5"),
        ("no such crisis to merge into", lambda m: "la crise où fusionner n'existe pas"),
        ("cannot merge into itself", lambda m: "une crise ne fusionne pas avec elle-même"),
        (r"the crisis to merge into is (\S+)", lambda m: f"la crise où fusionner est {_PHASES.get(m[1], m[1])}"),
    )
)  # fmt: skip


def refusal_in(reason: str, language: str) -> str:
    """Return why a command was refused in ``language`` ("en" or "fr"); what is not known stays as it is.

    >>> refusal_in("cancel needs a crisis that is open or eased; this one is resolved", "fr")
    'cancel demande une crise ouverte ou en apaisement ; celle-ci est résolue'
    >>> refusal_in("role watch may not cancel; on_call, lead or direction may", "fr")
    'le rôle watch ne peut pas donner cancel ; on_call, lead ou direction le peuvent'
    >>> refusal_in("something new", "fr")
    'something new'
    """
    command, _, gate = reason.partition(": ")
    if command in TABLE:  # a statement or a claim that the gate refused
        said = refusal_in(gate, language)
        colon = " : " if language == "fr" else ": "
        return said if language == "fr" and said.startswith(f"{command} ") else f"{command}{colon}{said}"
    if (found := again(reason, language)) is not None:
        return found
    if language != "fr":
        return reason
    for pattern, words in _PATTERNS:
        if (known := pattern.fullmatch(reason)) is not None:
            return words(known)
    return reason
