"""One line that says what burns, in English and French."""

from __future__ import annotations

from collections.abc import Sequence

from streams.crisis.words import KIND_WORDS, clean


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
        en += f", {mentions} mention{'s' if mentions != 1 else ''} by {authors} author{'s' if authors != 1 else ''}, {share}% negative"
        fr += f", {mentions} mention{'s' if mentions != 1 else ''} de {authors} auteur{'s' if authors != 1 else ''}, {share} % négatives"
    return en, fr
