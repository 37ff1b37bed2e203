"""The brief: twelve lines that say what a person must know, in English or French."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from schemas.crisis import Crisis
from schemas.response import Task

_WORDS = {
    "en": {
        "severity": "Severity",
        "since": "Since",
        "size": "Size",
        "growth": "Growth",
        "growth_none": "not enough to tell",
        "forecast": "forecast for the next 24 h: {median:.0f} authors ({low:.0f} to {high:.0f})",
        "more": "each mention brings {mean:.2g} more ({low:.2g} to {high:.2g})",
        "seen": "Earliest seen",
        "seen_none": "unknown",
        "in": "in",
        "kinds": "Kind",
        "said": "Said",
        "said_none": "no sample",
        "why": "Why it rang",
        "unknown": "Not known",
        "unknown_none": "whether it is true: nothing here is verified",
        "blind": "not watched: {name} since {at}",
        "tasks": "Due",
        "tasks_none": "no task open",
        "until": "until",
        "mentions": "{m} mentions by {a} authors, {s:.0f}% negative",
        "where": "Where",
        "who": "Who has it",
        "nobody": "nobody yet",
    },
    "fr": {
        "severity": "Gravité",
        "since": "Depuis",
        "size": "Ampleur",
        "growth": "Croissance",
        "growth_none": "trop peu pour le dire",
        "forecast": "prévision à 24 h : {median:.0f} auteurs ({low:.0f} à {high:.0f})",
        "more": "chaque mention en amène {mean:.2g} de plus ({low:.2g} à {high:.2g})",
        "seen": "Première vue",
        "seen_none": "inconnue",
        "in": "sur",
        "kinds": "Type",
        "said": "Il se dit",
        "said_none": "aucun exemple",
        "why": "Pourquoi l'alerte",
        "unknown": "Non su",
        "unknown_none": "si c'est vrai : rien ici n'est vérifié",
        "blind": "non surveillé : {name} depuis {at}",
        "tasks": "À faire",
        "tasks_none": "aucune tâche ouverte",
        "until": "avant",
        "mentions": "{m} mentions de {a} auteurs, {s:.0f} % négatives",
        "where": "Où",
        "who": "Qui s'en charge",
        "nobody": "personne encore",
    },
}
_KINDS = {
    "en": {"snowball": "snowball", "corporate": "corporate", "rumour": "rumour (unverified)", "own_post": "own post"},
    "fr": {
        "snowball": "boule de neige",
        "corporate": "entreprise",
        "rumour": "rumeur (non vérifiée)",
        "own_post": "publication de la marque",
    },
}


def brief(crisis: Crisis, tasks: Sequence[Task] = (), language: str = "en") -> list[str]:
    """Return exactly twelve lines. Texts of mentions stand in it, on one line each and shortened: escape them where they are shown."""
    words = _WORDS[language if language in _WORDS else "en"]
    kinds = _KINDS[language if language in _KINDS else "en"]
    headline = crisis.headline_fr if language == "fr" and crisis.headline_fr else crisis.headline
    said = " | ".join(f"“{_short(sample.text, 90)}”" for sample in crisis.samples[:3]) or words["said_none"]
    growth = words["more"].format(mean=crisis.reproduction.mean, low=crisis.reproduction.low, high=crisis.reproduction.high) \
        if crisis.reproduction else words["growth_none"]  # fmt: skip
    if crisis.forecast:
        growth += "; " + words["forecast"].format(median=crisis.forecast.median, low=crisis.forecast.low, high=crisis.forecast.high)
    first = crisis.originator
    seen = f"{first.published_at} {words['in']} {first.network}" if first else words["seen_none"]
    ranked = sorted(crisis.kinds.items(), key=lambda item: (-item[1], item[0])) or [(crisis.kind, 1.0)]
    unknown = [words["blind"].format(name=name, at=at) for name, at in sorted(crisis.blind.items())] + list(crisis.caveats)
    due = sorted((t for t in tasks if t.state in ("open", "late", "escalated")), key=lambda t: (t.due_at or "", t.task_id))
    titles = [(t.title_fr if language == "fr" else t.title) or t.title or t.title_fr for t in due[:3]]
    listed = "; ".join(f"{title} ({t.role}, {words['until']} {_hour(t.due_at)})" for title, t in zip(titles, due, strict=False))
    return [
        _short(headline, 200),
        f"{words['severity']}: {crisis.severity}/5 ({crisis.urgency}, {crisis.certainty}, {crisis.status})",
        f"{words['said']}: {said}",
        f"{words['since']}: {crisis.onset}",
        f"{words['size']}: " + words["mentions"].format(m=crisis.mentions, a=crisis.authors, s=100 * crisis.negative_share),
        f"{words['growth']}: {growth}",
        f"{words['seen']}: {seen}",
        f"{words['kinds']}: " + ", ".join(f"{kinds.get(kind, kind)} {100 * p:.0f}%" for kind, p in ranked[:3]),
        f"{words['where']}: " + ", ".join(f"{name} {n}" for name, n in sorted(crisis.networks.items(), key=lambda x: (-x[1], x[0]))[:5]),
        f"{words['why']}: " + "; ".join(_short(c.text, 80) for c in crisis.contributions[:2]),
        f"{words['unknown']}: " + ("; ".join([words["unknown_none"], *(_short(u, 80) for u in unknown)])),
        f"{words['tasks']}: {listed or words['tasks_none']}; {words['who']}: "
        f"{crisis.assigned_to or crisis.acknowledged_by or words['nobody']}",
    ]  # fmt: skip


def _short(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _hour(due: str | None) -> str:
    return datetime.fromisoformat(due).astimezone(UTC).strftime("%d %H:%M UTC") if due else "-"
