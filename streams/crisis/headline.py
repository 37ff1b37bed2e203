"""One line that says what burns, in English and French."""

from __future__ import annotations

from collections.abc import Sequence

from streams.crisis.words import KIND_WORDS, clean
from streams.plurals import counted


def headlines(
    brand: str, kind: str, terms: Sequence[str], mentions: int, authors: int, negative_share: float, declared: str = ""
) -> tuple[str, str]:
    """Return the headline in English and in French. ``declared`` is the headline of the person who declared it."""
    about = clean(" ".join(terms[:3]), 60)
    if declared:
        first = clean(declared, 160)
        en = fr = first
    else:
        en = f"{brand}: {KIND_WORDS['en'].get(kind, kind)}" + (f" about “{about}”" if about else "")
        fr = f"{brand} : {KIND_WORDS['fr'].get(kind, kind)}" + (f" autour de « {about} »" if about else "")
    if mentions:
        share = round(100 * negative_share)
        en += f", {counted(mentions, 'mention')} by {counted(authors, 'author')}, {share}% negative"
        fr += f", {counted(mentions, 'mention', 'fr')} de {counted(authors, 'auteur', 'fr')}, {share} % négatives"
    return en, fr
