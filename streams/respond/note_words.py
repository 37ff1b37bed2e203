"""What the desk notes of itself, as people read it, English and French: cards carry it in the desk's own words."""

from __future__ import annotations

import re

#: {note on the card: (English, French)}.
_SAID = {
    "mute ended": ("the mute has ended", "le silence est terminé"),
    "nothing confirmed it": ("nothing confirmed it", "rien ne l'a confirmée"),
    "mentions of what was declared": ("mentions of what was declared have come in", "des mentions de ce qui a été déclaré sont arrivées"),
    "blind": ("a source has fallen silent", "une source est devenue muette"),
    "sighted": ("the sources speak again", "les sources parlent de nouveau"),
    "suspect_feed": ("a feed is suspect", "un flux est suspect"),
    "answer with: vote, label yes or no": ("answer with veille crisis vote", "répondez avec veille crisis vote"),
}
_FRENCH = (
    (re.compile(r"merged into (\S+)"), r"fusionnée dans \1"),
    (re.compile(r"took over (\S+)"), r"a repris \1"),
    (re.compile(r"(\S+) split off"), r"\1 s'en est détachée"),
    (re.compile(r"split from (\S+)"), r"détachée de \1"),
)


def note_in(note: str, language: str) -> str:
    """Return what the desk noted in ``language`` ("en" or "fr"); what a person wrote stays as it is.

    >>> note_in("blind", "en"), note_in("took over acme-20260101T060000-2", "fr"), note_in("call the plant", "fr")
    ('a source has fallen silent', 'a repris acme-20260101T060000-2', 'call the plant')
    """
    if note in _SAID:
        return _SAID[note][language == "fr"]
    for pattern, french in _FRENCH if language == "fr" else ():
        if (found := pattern.fullmatch(note)) is not None:
            return found.expand(french)
    return note
