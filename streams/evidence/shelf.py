"""The receipts of some crises as they lie in ``crisis.evidence``: each once, in order, and what a person is told of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

from schemas.evidence import Evidence
from streams.evidence.chain import digest, file_of
from streams.reading import reader


class _Owner(msgspec.Struct):
    crisis_id: str


_read_owner, _read = reader(_Owner), reader(Evidence)


class Shelf:
    """Takes records of ``crisis.evidence`` and keeps the receipts of ``crises``, whatever is delivered twice or in between."""

    def __init__(self, crises: Collection[str]) -> None:
        self._found: dict[str, dict[str, Evidence]] = {crisis: {} for crisis in crises}
        #: Records that nobody can read: none of ours.
        self.unread = 0

    def take(self, value: bytes | None) -> None:
        """Take one record's value."""
        try:
            owner = _read_owner(value).crisis_id  # of the other crises of a brand no more is read
            if owner not in self._found:
                return
            receipt = _read(value)
        except msgspec.DecodeError:
            self.unread += 1
            return
        # A repeat is equal; one that differs under the same id is kept beside it, for `streams.evidence.chain.verify` to see.
        self._found[owner][digest(msgspec.json.encode(receipt))] = receipt

    def chains(self) -> dict[str, list[Evidence]]:
        """Return {crisis: its receipts in order}, in the order in which the crises were asked for; without those that have none."""
        found = {crisis: sorted(held.items(), key=_place) for crisis, held in self._found.items()}
        return {crisis: [receipt for _, receipt in held] for crisis, held in found.items() if held}


def _place(held: tuple[str, Evidence]) -> tuple[int, str, str]:
    return held[1].seq, held[1].evidence_id, held[0]


class Row(NamedTuple):
    """One receipt as a list shows it. ``what`` is sample, originator or command; ``size`` in bytes."""

    evidence_id: str
    captured_at: str
    what: str
    by: str
    sha256: str
    size: int
    name: str
    url: str
    mention_id: str
    content_type: str


class _Told(msgspec.Struct):
    """What a receipt of a mention says of it; an originator has a time and no text, a sample a text."""

    published_at: str | None = None
    text: str | None = None
    network: str = ""
    author: str = ""


_read_told = reader(_Told)


def row(receipt: Evidence) -> Row:
    """Return what is listed of a receipt."""
    data = file_of(receipt) or b""
    what = "command"
    if receipt.mention_id:
        told = _told(data)
        what = "originator" if told.text is None and told.published_at is not None else "sample"
    return Row(
        receipt.evidence_id, receipt.captured_at, what, receipt.by, receipt.sha256, len(data), receipt.name, receipt.url,
        receipt.mention_id, receipt.content_type,
    )  # fmt: skip


def text_of(receipt: Evidence) -> str:
    """Return the text of the mention that a receipt keeps, or "" where it keeps something else."""
    return _told(file_of(receipt) or b"").text or "" if receipt.mention_id else ""


def originator_of(receipt: Evidence) -> Mapping[str, str]:
    """Return network, time and author of the earliest mention, where the receipt is of one; else nothing of each."""
    told = _told(file_of(receipt) or b"") if row(receipt).what == "originator" else _Told()
    return {"network": told.network, "published_at": told.published_at or "", "author": told.author}


def _told(data: bytes) -> _Told:
    try:
        return _read_told(data)
    except msgspec.DecodeError:
        return _Told()


def merged(cards: Iterable[tuple[str, str]], crisis: str) -> list[str]:
    """Return ``crisis`` and the crises that became part of it, from pairs (crisis, what it was merged into); the ids in order.

    >>> merged([("c", "b"), ("b", "a"), ("d", ""), ("a", "a")], "a")
    ['a', 'b', 'c']
    """
    into: Mapping[str, str] = dict(cards)
    found = {crisis}
    while more := {one for one, target in into.items() if target in found} - found:
        found |= more
    return [crisis, *sorted(found - {crisis})]
