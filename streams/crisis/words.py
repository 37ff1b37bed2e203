"""Reasons in words, French and English, from their names and numbers. Nothing here trusts a text of a mention."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.signal import Contribution

_FRENCH = {
    "volume.story": "{trouble} mentions préoccupantes en 3 h environ, {times} fois la plus grande histoire habituelle de la marque",
    "volume.mentions": "{count} mentions en {window}, {expected} attendues",
    "volume.negative": "{count} mentions négatives en {window}, {expected} attendues",
    "volume.cold": "pas d'historique : jugé sur la croissance et les mots seuls",
    "growth.rate": "{rate} mentions préoccupantes par heure en ce moment",
    "growth.reproduction": "chaque mention en amène {r} de plus (probabilité de croissance {p})",
    "tone.negative": "{share} % de négatives, {usual} % d'habitude",
    "tone.crisis": "des mots de crise dans {share} % des mentions",
    "tone.doubt": "ouï-dire, doute ou démenti dans {share} % des mentions",
    "spread.authors": "{authors} auteurs, {effective} effectifs",
    "spread.networks": "{networks} réseaux atteints",
    "spread.press": "{press} mentions par la presse",
    "spread.organic": "seuls {organic} % ressemblent à des personnes indépendantes",
    "spread.copies": "{copies} % sont des copies les unes des autres",
}
KIND_WORDS = {
    "en": {"snowball": "snowball", "corporate": "corporate bad buzz", "rumour": "unverified rumour", "own_post": "own post backfires"},
    "fr": {"snowball": "boule de neige", "corporate": "bad buzz d'entreprise", "rumour": "rumeur non vérifiée",
           "own_post": "publication de la marque qui se retourne"},
}  # fmt: skip
PHASE_WORDS = {
    "en": {"suspected": "suspected", "open": "open", "escalated": "escalated", "eased": "easing", "resolved": "resolved",
           "cancelled": "cancelled", "merged": "merged"},
    "fr": {"suspected": "soupçonnée", "open": "ouverte", "escalated": "aggravée", "eased": "en apaisement", "resolved": "résolue",
           "cancelled": "annulée", "merged": "fusionnée"},
}  # fmt: skip


def clean(text: str, limit: int) -> str:
    r"""Return ``text`` on one line, without control and direction characters, at most ``limit`` characters.

    >>> clean("a\nb\u202ec", 10)
    'a bc'
    """
    line = " ".join(text.split())
    kept = "".join(c for c in line if c.isprintable() and c not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def reason(contribution: Contribution, language: str = "en") -> str:
    """Return one reason in ``language`` ("en" or "fr"); a reason of an unknown name by its numbers."""
    template = _FRENCH.get(contribution.name) if language == "fr" else None
    if template is None:
        return contribution.text or _plain(contribution.name, contribution.values)
    try:
        return template.format(**{key: _number(value, language) for key, value in contribution.values.items()})
    except (KeyError, IndexError, ValueError):
        return contribution.text or _plain(contribution.name, contribution.values)


def _plain(name: str, values: Mapping[str, float | str]) -> str:
    numbers = ", ".join(f"{key} {_number(value, 'en')}" for key, value in values.items())
    return name.replace(".", " ").replace("_", " ") + (f": {numbers}" if numbers else "")


def _number(value: float | str, language: str) -> str:
    """Write a number to three digits, with the decimal comma in French."""
    if isinstance(value, str):
        return value
    text = f"{value:.3g}" if isinstance(value, float) and abs(value) < 1000 else f"{value:.0f}"
    return text.replace(".", ",") if language == "fr" else text
