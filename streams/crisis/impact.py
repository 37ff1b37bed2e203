"""The table of a crisis: who speaks where, whom to answer first, and where it burns unanswered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from schemas.crisis import Effect
from schemas.signal import ImpactRow, Voice

MAX_ROWS = 40
_VOICES = 3
#: It burns where so many spoke in the last hour, and more than before or so large a share in anger (assumed).
_BURNS, _ANGRY = 3, 0.4


def add_up(tables: Iterable[Sequence[ImpactRow]]) -> tuple[ImpactRow, ...]:
    """Return one table of several stories', the largest row first. Who speaks in two stories counts twice: figures are at most."""
    rows: dict[tuple[str, str], ImpactRow] = {}
    for table in tables:
        for row in table:
            mine = rows.get((row.audience, row.network))
            if mine is None:
                rows[row.audience, row.network] = row
                continue
            rows[row.audience, row.network] = msgspec.structs.replace(
                mine, voices=_first((*mine.voices, *row.voices)),
                **{name: getattr(mine, name) + getattr(row, name) for name in _COUNTS},
            )  # fmt: skip
    return tuple(sorted(rows.values(), key=lambda row: (-row.mentions, row.audience, row.network))[:MAX_ROWS])


_COUNTS = ("mentions", "authors", "reach", "negative", "last_hour", "hour_before", "press", "quoted")


def _first(voices: Iterable[Voice]) -> tuple[Voice, ...]:
    once = {voice.mention_id: voice for voice in voices}
    return tuple(sorted(once.values(), key=lambda voice: (-voice.loudness, voice.mention_id))[:_VOICES])


def voices_of(rows: Sequence[ImpactRow]) -> tuple[Voice, ...]:
    """Return the three voices to answer first: the loudest of the rows that are angriest or of the press."""
    angry = [row for row in rows if row.press or row.negative >= _ANGRY * row.mentions] or rows
    return _first(voice for row in angry for voice in row.voices)


def unanswered(rows: Sequence[ImpactRow], own: Mapping[str, int], effects: Sequence[Effect]) -> tuple[tuple[str, str], ...]:
    """Return (audience, network) where it burns and nothing has been answered.

    Answered is a network on which the brand itself was seen since it rang (``own``), and what a published statement was meant for.
    """
    found = []
    for row in rows:
        burns = row.last_hour >= _BURNS and (row.last_hour > row.hour_before or row.negative >= _ANGRY * row.mentions)
        meant = any(reaches(effect.audiences, effect.networks, row) for effect in effects)
        if burns and not own.get(row.network) and not meant:
            found.append((row.audience, row.network))
    return tuple(found)


def reaches(audiences: Sequence[str], networks: Sequence[str], row: ImpactRow) -> bool:
    """Say whether an answer for these audiences and networks (empty: all) is meant for a row."""
    return (not audiences or row.audience in audiences) and (not networks or row.network in networks)
