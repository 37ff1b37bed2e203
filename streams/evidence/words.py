"""What is said of receipts and bundles to people, in English and French."""

from __future__ import annotations

from collections.abc import Mapping

from streams.evidence.chain import Problem

_DIRECTIONS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
#: How much of a name, an address or a text is shown; the record holds all of it.
WIDE = 400

#: How a receipt came about: of a mention on a card, of the earliest mention, by a person's command.
WHAT = {
    "en": {"sample": "sample", "originator": "originator", "command": "capture"},
    "fr": {"sample": "extrait", "originator": "origine", "command": "capture"},
}
PROBLEMS: Mapping[str, tuple[str, str]] = {
    "two": ("{name}: two different receipts under one id", "{name} : deux reçus différents sous un même identifiant"),
    "number": ("{name}: number {found} where {wanted} was to come", "{name} : numéro {found} là où {wanted} devait suivre"),
    "name": ("{name}: the id does not say number {found}", "{name} : l'identifiant ne dit pas le numéro {found}"),
    "follows": ("{name}: does not follow the receipt before it", "{name} : ne suit pas le reçu qui le précède"),
    "changed": ("{name}: changed after it was sealed", "{name} : modifié après avoir été scellé"),
    "bytes": ("{name}: its bytes are not those that were captured", "{name} : ses octets ne sont pas ceux qui ont été capturés"),
}


def plain(text: str, limit: int = WIDE) -> str:
    r"""Return ``text`` on one line, without what steers a terminal or turns the direction of reading, at most ``limit`` characters.

    >>> plain("a\nb\u202e\x1b[1mc", 10)
    'a b [1mc'
    """
    line = " ".join("".join(c if c.isprintable() and c not in _DIRECTIONS else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def sentence(problem: Problem, language: str = "en") -> str:
    """Return what is wrong as a sentence.

    >>> sentence(Problem("number", "acme-1/3", "3", "2"))
    'acme-1/3: number 3 where 2 was to come'
    """
    words = PROBLEMS[problem.word][language == "fr"]
    return words.format(name=plain(problem.name, 120), found=plain(problem.found, 120), wanted=plain(problem.wanted, 120))
