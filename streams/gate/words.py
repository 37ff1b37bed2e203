"""The words of the gate, in English and French: why it refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping

from schemas.desk import INSTEAD

NEVER = "one's own publication is not deleted; instead: " + "; ".join(INSTEAD)
NO_EVIDENCE = "there is no evidence {name}: capture it first"

_INSTEAD_FR = (
    "mesurer l'impact : qui réagit, sur quels réseaux, combien, avec quelle part de négatif",
    "adapter la réponse à chaque public, en commençant par ceux qui ont été blessés",
    "agir sur les canaux où cela brûle, la publication elle-même d'abord",
)
#: {reason: the same in French}; a reason is the English text, with blanks.
FRENCH = {
    NEVER: "on ne supprime pas sa propre publication ; à la place : " + " ; ".join(_INSTEAD_FR),
    NO_EVIDENCE: "la preuve {name} n'existe pas : capturez-la d'abord",
    "the plan names others for the role {role}": "le plan nomme d'autres personnes pour le rôle {role}",
    "nobody is named who decides this": "personne n'est nommé pour en décider",
    "no such statement": "cette déclaration n'existe pas",
    "only what went out is corrected; this one is {state}": "on ne corrige que ce qui est sorti ; celle-ci est {state}",
    "a claim that it rests on was refuted": "une affirmation sur laquelle elle repose a été réfutée",
    "retracted already": "déjà retirée",
    "this claim stands already; claims are never rewritten": "cette affirmation existe déjà ; une affirmation n'est jamais réécrite",
    "a claim needs an id of at most {most} characters and a text": (
        "une affirmation a besoin d'un identifiant de {most} caractères au plus et d'un texte"
    ),
    "no such claim": "cette affirmation n'existe pas",
    "a refuted claim stays refuted: add a new one": "une affirmation réfutée le reste : ajoutez-en une nouvelle",
    "a claim is verified by evidence: name its ids": "une affirmation se vérifie par des preuves : nommez leurs identifiants",
    "a statement needs an id of at most {most} characters": "une déclaration a besoin d'un identifiant de {most} caractères au plus",
    "a statement that is {state} is not edited: correct it, or draft a new one": (
        "une déclaration {state} ne se modifie pas : corrigez-la, ou rédigez-en une nouvelle"
    ),
    "a holding statement says what the plan says: draft a new one": (
        "une déclaration d'attente dit ce que dit le plan : rédigez-en une nouvelle"
    ),
    "give a text, or a holding statement of the plan, not both": "donnez un texte, ou une déclaration d'attente du plan, pas les deux",
    "a substantive statement does not become a holding one": "une déclaration de fond ne devient pas une déclaration d'attente",
    "the plan has no such holding statement; it has {names}": "le plan n'a pas cette déclaration d'attente ; il a : {names}",
    "the text must have 1 to {most} characters": "le texte doit avoir de 1 à {most} caractères",
    "a statement that is {state} is not approved": "une déclaration {state} ne s'approuve pas",
    "a holding statement was approved beforehand, in the plan": "une déclaration d'attente a été approuvée d'avance, dans le plan",
    "this role may not approve": "ce rôle ne peut pas approuver",
    "who wrote it may not approve it": "qui l'a rédigée ne peut pas l'approuver",
    "the approval must name the hash of the text as it stands now": "l'approbation doit nommer l'empreinte du texte actuel",
    "this role may not release": "ce rôle ne peut pas diffuser",
    "a statement that is {state} is not released": "une déclaration {state} ne se diffuse pas",
    "the plan no longer holds it approved": "le plan ne la tient plus pour approuvée",
    "only a released statement can be published; this one is {state}": (
        "seule une déclaration diffusée peut être publiée ; celle-ci est {state}"
    ),
    "needs two approvers who did not write it; has {count}": (
        "il faut l'accord de deux personnes qui ne l'ont pas rédigée ; elle en a {count}"
    ),
    "names no claim": "ne nomme aucune affirmation",
    "claim {name} is not verified": "l'affirmation {name} n'est pas vérifiée",
    "no evidence is attached": "aucune preuve n'est jointe",
    "a holding statement has blanks for time, channel and contact only": (
        "une déclaration d'attente n'a de blancs que pour time, channel et contact"
    ),
    "time must be given, and be nothing but a time of day (05:00, 5h00, 05:00 CET)": (
        "time est nécessaire et ne peut être qu'une heure du jour (05:00, 5h00, 05:00 CET)"
    ),
    "{name} must be one that the plan lists: {names}": "{name} doit être de ceux que le plan énumère : {names}",
    "two different people must have approved it in the plan": "deux personnes différentes doivent l'avoir approuvée dans le plan",
    "its text is not the one that was approved": "son texte n'est pas celui qui a été approuvé",
    "its approval has no end": "son approbation n'a pas de fin",
    "its approval has expired": "son approbation a expiré",
}
_STATES_FR = {
    "draft": "en brouillon", "approved": "approuvée", "released": "diffusée", "published": "publiée", "needs_correction": "à corriger",
    "retracted": "retirée",
}  # fmt: skip


def told(reason: str, language: str, values: Mapping[str, object]) -> str:
    """Return ``reason`` with its blanks filled, in French where ``language`` is "fr"; an empty value is "none".

    >>> told("a statement that is {state} is not approved", "fr", {"state": "released"})
    "une déclaration diffusée ne s'approuve pas"
    """
    if language != "fr":
        return reason.format_map({name: "none" if value == "" else value for name, value in values.items()})
    shown = {name: _STATES_FR.get(str(value), value) if name == "state" else value for name, value in values.items()}
    return FRENCH[reason].format_map({name: "aucun" if value == "" else value for name, value in shown.items()})


def _known(template: str) -> re.Pattern[str]:
    """Return what tells that a text was made of ``template``."""
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile("".join(f"(?P<{part}>.*)" if at % 2 else re.escape(part) for at, part in enumerate(parts)), re.DOTALL)


#: How a reason is known again in either language, the longest first: what is fixed in them tells them apart.
_AGAIN = {
    language: tuple((_known(pair[at]), pair[0]) for pair in sorted(FRENCH.items(), key=lambda pair: -len(pair[at])))
    for at, language in enumerate(("en", "fr"))
}
_STATES_EN = {french: english for english, french in _STATES_FR.items()}


def again(reason: str, language: str) -> str | None:
    """Return a reason that the gate told in either language in ``language``; None for what is none of the gate's.

    >>> again("une déclaration diffusée ne s'approuve pas", "en")
    'a statement that is released is not approved'
    """
    for written, templates in _AGAIN.items():
        for pattern, english in templates:
            if (found := pattern.fullmatch(reason)) is None:
                continue
            values = {name: "" if value in ("none", "aucun") else value for name, value in found.groupdict().items()}
            if written == "fr" and "state" in values:
                values["state"] = _STATES_EN.get(values["state"], values["state"])
            return told(english, language, values)
    return None
