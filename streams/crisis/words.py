"""Reasons in words, French and English, from their names and numbers. Nothing here trusts a text of a mention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from schemas.signal import Contribution

_FRENCH = {
    "volume.story": "{trouble} mentions préoccupantes en 3 h environ, {times} fois la plus grande histoire habituelle",
    "volume.mentions": "{count} mentions en {window}, {expected} attendues",
    "volume.mentions+all": "{count} mentions en {window}, {expected} attendues ({all} avec les répétitions et les copies)",
    "volume.mentions+before": (
        "{count} mentions en {window}, {expected} attendues ({all} avec les répétitions, les copies et {before} d'une alerte passée)"
    ),
    "volume.negative": "{count} mentions négatives en {window}, {expected} attendues",
    "volume.negative+before": "{count} mentions négatives en {window}, {expected} attendues (sans compter {before} d'une alerte passée)",
    "volume.calls": "{count} appels au boycott ou pétitions en 6 h environ, {expected} attendus",
    "volume.cold": "pas d'historique : jugé sur la croissance et les mots seuls",
    "volume.searched": "une paire de mots parmi toutes celles qui ont été examinées",
    "growth.rate": "{rate} mentions préoccupantes par heure en ce moment",
    "growth.reproduction": "chaque mention en amène {r} de plus (probabilité de croissance {p})",
    "tone.negative": "{share} % de négatives, {usual} % d'habitude",
    "tone.crisis": "des mots de crise dans {share} % des mentions",
    "tone.complaint": "ce qui s'ajoute aux propos habituels se plaint de la marque",
    "tone.praise": "ce qui s'ajoute aux propos habituels loue la marque",
    "tone.calls": "on appelle les autres à agir contre la marque",
    "tone.doubt": "ouï-dire, doute ou démenti dans {share} % des mentions",
    "spread.authors": "{authors} auteurs, qui comptent pour {effective} personnes indépendantes",
    "spread.people": "{mentions} mentions dans l'heure, qui comptent pour {effective} personnes indépendantes",
    "spread.networks": "{networks} réseaux atteints",
    "spread.press": "{press} mentions par la presse",
    "spread.organic": "seuls {organic} % ressemblent à des personnes indépendantes",
    "spread.copies": "{copies} % sont des copies les unes des autres",
}
#: Reasons that say nothing once their first number is 0.
_EMPTY_AT_0 = frozenset({"volume.story", "volume.calls", "growth.rate"})
#: Reasons of kinds and severities: name -> (English, French). Numbers are written to three digits.
_SAID = {
    "calm": ("nothing has rung for {hours} h", "plus aucune alerte depuis {hours} h"),
    "kind.unknown": ("nothing is known of its stories yet", "on ne sait encore rien de ses histoires"),
    "kind.snowball": ("snowball: born on the networks, no press, no claim in doubt, no post of the brand's own",
                      "boule de neige : née sur les réseaux, ni presse, ni affirmation mise en doute, ni publication de la marque"),
    "kind.press_first": ("corporate: the press had it before it grew ({share}% of the mentions)",
                         "entreprise : la presse en parlait avant que cela ne grossisse ({share} % des mentions)"),
    "kind.press": ("corporate: {press} press pieces or posts by the press among {mentions} mentions",
                   "entreprise : {press} articles ou messages de la presse sur {mentions} mentions"),
    "kind.rumour": ("rumour: an unverified claim (hearsay {hearsay}%, denials {denial}%, fact checks {check}%)",
                    "rumeur : une affirmation non vérifiée (ouï-dire {hearsay} %, démentis {denial} %, vérifications {check} %)"),
    "kind.witness": ("snowball: {share}% speak of what happened to themselves",
                     "boule de neige : {share} % racontent ce qui leur est arrivé"),
    "kind.own_post": ("own post: {share}% hangs on the brand's own post; {negative}% of the answers are negative (usually {usual}%), "
                      "{ratio} answers for one reshare or like (usually {usual_ratio})",
                      "publication de la marque : {share} % s'y rattachent ; {negative} % des réponses sont négatives "
                      "({usual} % d'habitude), {ratio} réponses pour un partage ou un « j'aime » ({usual_ratio} d'habitude)"),
    "severity.days": ("{days} usual days of authors in the next 24 h ({authors} forecast; a usual day has {usual})",
                      "{days} jours habituels d'auteurs dans les 24 h ({authors} prévus ; un jour habituel en compte {usual})"),
    "severity.press": ("+1: press pieces ({press})", "+1 : articles de presse ({press})"),
    "severity.classes": ("+1: on {classes} kinds of network ({names})", "+1 : sur {classes} sortes de réseaux ({names})"),
    "severity.professional": ("-1: only on professional networks", "-1 : uniquement sur les réseaux professionnels"),
    "effect.none": ("no effect shown", "aucun effet démontré"),
    "effect.fewer": ("fewer than forecast: {came} mentions, {expected} expected ({low} to {high}); it shows no cause",
                     "moins que prévu : {came} mentions, {expected} attendues ({low} à {high}) ; la cause n'est pas démontrée"),
    "effect.more": ("more than forecast: {came} mentions, {expected} expected ({low} to {high}); it shows no cause",
                    "plus que prévu : {came} mentions, {expected} attendues ({low} à {high}) ; la cause n'est pas démontrée"),
    "effect.milder": ("less negative: {after}% after {share}%; it shows no cause",
                      "moins négatif : {after} % après {share} % ; la cause n'est pas démontrée"),
    "effect.angrier": ("more negative: {after}% after {share}%; it shows no cause",
                       "plus négatif : {after} % après {share} % ; la cause n'est pas démontrée"),
    "severity.altered": ("+1: the brand's own post was altered", "+1 : la publication de la marque a été modifiée"),
}  # fmt: skip
KIND_WORDS = {
    "en": {"snowball": "snowball", "corporate": "corporate bad buzz", "rumour": "unverified rumour", "own_post": "own post backfires"},
    "fr": {"snowball": "boule de neige", "corporate": "bad buzz d'entreprise", "rumour": "rumeur non vérifiée",
           "own_post": "publication de la marque qui se retourne"},
}  # fmt: skip


def clean(text: str, limit: int) -> str:
    r"""Return ``text`` on one line, without control and direction characters, at most ``limit`` characters.

    >>> clean("a\nb\u202ec", 10)
    'a bc'
    """
    line = " ".join(text.split())
    kept = "".join(c for c in line if c.isprintable() and c not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


class Said(NamedTuple):
    """One sentence in English and French."""

    en: str
    fr: str


def say(name: str, **values: float | str) -> Said:
    """Return one reason of the desk's own in both languages.

    >>> say("severity.press", press=3).fr
    '+1 : articles de presse (3)'
    """
    en, fr = _SAID[name]
    return Said(*(words.format(**{key: _number(v, lang) for key, v in values.items()}) for words, lang in ((en, "en"), (fr, "fr"))))


def reason(contribution: Contribution, language: str = "en") -> str:
    """Return one reason in ``language`` ("en" or "fr"); a reason of an unknown name by its numbers."""
    more = next((f"+{key}" for key in ("before", "all") if key in contribution.values), "")
    template = _FRENCH.get(contribution.name + more) if language == "fr" else None
    if template is None:
        return contribution.text or _plain(contribution.name, contribution.values)
    try:
        return template.format(**{key: _number(value, language) for key, value in contribution.values.items()})
    except (KeyError, IndexError, ValueError):
        return contribution.text or _plain(contribution.name, contribution.values)


def says_something(contribution: Contribution) -> bool:
    """Say whether a reason is worth a line: none of a story that nobody speaks of any more.

    >>> says_something(Contribution(name="growth.rate", log_odds=-0.4, values={"rate": 0.0}))
    False
    """
    return contribution.name not in _EMPTY_AT_0 or next(iter(contribution.values.values()), 1.0) != 0.0


def _plain(name: str, values: Mapping[str, float | str]) -> str:
    numbers = ", ".join(f"{key} {_number(value, 'en')}" for key, value in values.items())
    return name.replace(".", " ").replace("_", " ") + (f": {numbers}" if numbers else "")


def _number(value: float | str, language: str) -> str:
    """Write a number to three digits, with the decimal comma in French."""
    if isinstance(value, str):
        return value
    text = f"{value:.3g}" if isinstance(value, float) and abs(value) < 1000 else f"{value:.0f}"
    return text.replace(".", ",") if language == "fr" else text
