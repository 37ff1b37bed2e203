"""Counts of things in words, English and French."""

from __future__ import annotations


def counted(number: int, noun: str, language: str = "en") -> str:
    """Return a count with its noun, which takes an s: none is plural in English and singular in French.

    >>> counted(1, "mention"), counted(0, "mention"), counted(0, "mention", "fr"), counted(2, "auteur", "fr")
    ('1 mention', '0 mentions', '0 mention', '2 auteurs')
    """
    one = number < 2 if language == "fr" else number == 1
    return f"{number} {noun}{'' if one else 's'}"
