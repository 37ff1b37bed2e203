"""Who speaks where about one story: a table audience x network."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from schemas.enriched import Enriched
from schemas.signal import RECENT, ImpactRow, Voice
from streams.audiences import audience_of
from streams.detect.names import number_of
from streams.detect.seeds import loudness

_SLOT_MS = 300_000
_SLOTS = 24
#: Authors of a story that are known; each mention beyond is taken for a new one, so that reach stays an upper bound.
EXACT_AUTHORS = 1024
#: Bits of an author's number that are kept: in a full table one new author in a thousand is taken for a known one; of a voice fewer do.
_NUMBER, _VOICE = 0xF_FFFF, 0xFFFF
_VOICES = 3


class Spoken(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What the table keeps of one mention."""

    at_ms: int
    audience: str
    why: str
    network: str
    #: Number of the author (see `names`), 0: not known.
    author: int
    followers: int
    negative: bool
    press: bool
    loudness: int
    mention_id: str
    #: Mentions that it stands for.
    times: int = 1
    #: It only passes on the brand's answer.
    quoted: bool = False


def spoken(mention: Enriched, negative: bool, times: int, quoted: bool, author: int | None = None) -> Spoken:
    """Return what the table keeps of ``mention``; ``author``: the author's number, where it is known already."""
    audience, why = audience_of(mention)
    if author is None:
        author = number_of(mention.author) if mention.author else 0
    return Spoken(
        mention.applies_ms, audience, why, mention.network, author, mention.followers,
        negative, audience == "press", loudness(mention), mention.id, times, quoted,
    )  # fmt: skip


class Row(msgspec.Struct, array_like=True, gc=False):
    """One audience on one network; ``slots``: mentions in the 24 five-minute slots up to number ``slot``, the latest last."""

    mentions: int = 0
    authors: int = 0
    reach: int = 0
    negative: int = 0
    press: int = 0
    quoted: int = 0
    slot: int = 0
    slots: list[int] = []
    #: (worth an answer before others, loudness, mention id, reason, followers, author's number), the first to answer first.
    voices: list[tuple[bool, int, str, str, int, int]] = []
    #: Since it was told: whether anything, and whether a voice is new; mentions of the last hour and the one before, as told.
    changed: bool = True
    heard: bool = True
    told_hours: tuple[int, int] = (0, 0)

    def count(self, at_ms: int, times: int) -> None:
        """Count mentions at ``at_ms``."""
        slot = at_ms // _SLOT_MS
        if slot > self.slot or not self.slots:
            self.roll(slot)
        back = self.slot - slot
        if back < _SLOTS:
            self.slots[-1 - back] += times
        self.mentions += times
        self.changed = True

    def roll(self, slot: int) -> None:
        """Let time pass up to ``slot``."""
        if not self.slots:
            self.slots, self.slot = [0] * _SLOTS, slot
        elif slot > self.slot:
            gone = min(slot - self.slot, _SLOTS)
            self.slots = [*self.slots[gone:], *[0] * gone]
            self.slot = slot

    def hear(self, one: Spoken) -> None:
        """Keep the three voices to answer first: angry or of the press before others, then the loudest; an author once."""
        first = one.negative or one.press
        if len(self.voices) == _VOICES:
            last_first, last_loudness, *_ = self.voices[-1]
            if first < last_first or (first == last_first and one.loudness <= last_loudness):
                return
        voice = (first, one.loudness, one.mention_id, one.why, one.followers, one.author & _VOICE)
        known = next((i for i, old in enumerate(self.voices) if voice[5] and old[5] == voice[5]), None)
        if known is not None:
            if voice[:2] <= self.voices[known][:2]:
                return
            del self.voices[known]
        self.voices = sorted([*self.voices, voice], key=_first)[:_VOICES]
        self.heard = True

    def hours(self, t_ms: int) -> tuple[int, int]:
        """Return mentions of the last 60 minutes and of the 60 before."""
        self.roll(t_ms // _SLOT_MS)
        return sum(self.slots[12:]), sum(self.slots[:12])


def _first(voice: tuple[bool, int, str, str, int, int]) -> tuple[bool, int, str]:
    return not voice[0], -voice[1], voice[2]


class Impact(msgspec.Struct, array_like=True, gc=False):
    """The table of one story. ``authors``: {author's number: number of the row} of those that are known."""

    rows: dict[str, Row] = {}
    authors: dict[int, int] = {}
    #: The brand's signal that told it last, -1: none did.
    told: int = -1

    def learn_one(self, one: Spoken) -> None:
        """Take one mention. An author counts in the row where he spoke first; what only passes on an answer counts as quoted."""
        place = f"{one.audience}\t{one.network}"
        row = self.rows.get(place)
        if row is None:
            row = self.rows[place] = Row()
        if one.quoted:
            row.quoted += one.times
            row.changed = True
            return
        row.count(one.at_ms, one.times)
        if one.negative:
            row.negative += one.times
        if one.press:
            row.press += 1
        row.hear(one)
        author = one.author & _NUMBER
        if author and author in self.authors:
            return
        row.authors += one.times
        row.reach += one.followers * one.times
        if author and len(self.authors) < EXACT_AUTHORS:
            self.authors[author] = list(self.rows).index(place)

    def absorb(self, other: Impact) -> None:
        """Take over the table of a story that was merged into this one; authors of both count once."""
        for place, theirs in other.rows.items():
            mine = self.rows.get(place)
            if mine is None:
                mine = self.rows[place] = theirs
            else:
                _add(mine, theirs)
            mine.changed = mine.heard = True
        places, rows = {place: number for number, place in enumerate(self.rows)}, list(self.rows.values())
        theirs_at = [places[place] for place in other.rows]
        for author, number in other.authors.items():
            if author not in self.authors:
                self.authors[author] = theirs_at[number]
            elif (row := rows[theirs_at[number]]).authors > 1:
                row.authors -= 1

    def reading(self, t_ms: int) -> tuple[ImpactRow, ...]:
        """Return the table as it stands at ``t_ms``, the row with most mentions first."""
        return _ranked(_row(place, row, row.hours(t_ms), voices=True) for place, row in self.rows.items())

    def tell(self, t_ms: int, seq: int) -> tuple[tuple[ImpactRow, ...], bool]:
        """Return (table, False), or (rows that changed, True) where the table was in one of the brand's last `RECENT` signals.

        ``seq``: the signal that tells it. A row whose voices are as they were comes without them.
        """
        known, self.told = self.told >= 0 and seq - self.told <= RECENT, seq
        found, slot = [], t_ms // _SLOT_MS
        for place, row in self.rows.items():
            if known and not row.changed and row.slot == slot:
                continue  # its hours were told within this slot
            hours = row.hours(t_ms)
            if not known or row.changed or hours != row.told_hours:
                found.append(_row(place, row, hours, voices=not known or row.heard))
                row.changed, row.heard, row.told_hours = False, False, hours
        return _ranked(found), known


def _add(mine: Row, theirs: Row) -> None:
    late, early = (mine, theirs) if mine.slot >= theirs.slot else (theirs, mine)
    early.roll(late.slot)
    mine.slots = [a + b for a, b in zip(late.slots, early.slots, strict=True)] if late.slots and early.slots else late.slots
    mine.slot = late.slot
    for name in ("mentions", "authors", "reach", "negative", "press", "quoted"):
        setattr(mine, name, getattr(mine, name) + getattr(theirs, name))
    mine.voices = sorted({v[2]: v for v in (*mine.voices, *theirs.voices)}.values(), key=_first)[:_VOICES]


def _row(place: str, row: Row, hours: tuple[int, int], *, voices: bool) -> ImpactRow:
    audience, network = place.split("\t", 1)
    told = tuple(
        Voice(mention_id=mention_id, network=network, audience=audience, why=why, followers=followers, loudness=loud)
        for _, loud, mention_id, why, followers, _ in row.voices
    )
    return ImpactRow(
        audience=audience, network=network, mentions=row.mentions, authors=row.authors, reach=row.reach, negative=row.negative,
        last_hour=hours[0], hour_before=hours[1], press=row.press, quoted=row.quoted, voices=told if voices else (),
    )  # fmt: skip


def _ranked(rows: Iterable[ImpactRow]) -> tuple[ImpactRow, ...]:
    return tuple(sorted(rows, key=lambda row: (-row.mentions, row.audience, row.network)))
