"""How receipts are told on a terminal, in English and French."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.evidence import Evidence
from streams.evidence.bundle import ChainHead
from streams.evidence.shelf import Row
from streams.evidence.timestamp import Stamp
from streams.evidence.words import WHAT, plain
from streams.plurals import counted
from streams.respond.brief import unbroken

NOTHING = {"en": "nothing was kept of {crisis} so far", "fr": "rien n'a encore été conservé de {crisis}"}
HOLDS = {"en": "it holds", "fr": "tout concorde"}
NO_STAMP = {
    "en": "no time stamp: {url} gave none ({why}); the bundle goes without one and says so",
    "fr": "pas d'horodatage : {url} n'en a pas donné ({why}) ; le dossier n'en a pas et le dit",
}
_CHAIN = {"en": "{crisis}: {many}, the last {head}", "fr": "{crisis} : {many}, le dernier {head}"}
_STAMP = {"en": "time stamp: {at}, {by}{vouched}", "fr": "horodatage : {at}, {by}{vouched}"}
_VOUCHED = {
    "en": (" (nobody vouches for the signature yet: give --tsa-root)", ""),
    "fr": (" (personne ne répond encore de la signature : donnez --tsa-root)", ""),
}
_RECEIPT = {"en": "receipt", "fr": "reçu"}
_HEADS = {
    "en": ("id", "when (UTC)", "what", "bytes", "SHA-256 begins", "by", "file, address or mention"),
    "fr": ("identifiant", "quand (UTC)", "quoi", "octets", "SHA-256 : début", "par", "fichier, adresse ou mention"),
}
_FIELDS = {
    "en": {"evidence_id": "receipt", "captured_at": "captured", "what": "what", "by": "by", "name": "file", "url": "address",
           "mention_id": "mention", "content_type": "type", "size": "bytes", "sha256": "SHA-256", "previous": "follows", "chain": "chain",
           "text": "text"},
    "fr": {"evidence_id": "reçu", "captured_at": "capturé", "what": "quoi", "by": "par", "name": "fichier", "url": "adresse",
           "mention_id": "mention", "content_type": "type", "size": "octets", "sha256": "SHA-256", "previous": "suit", "chain": "chaîne",
           "text": "texte"},
}  # fmt: skip
#: Characters of a hash and of a name that a list shows; the column that stands to the right.
_HASH, _NAME, _SIZE = 16, 80, 3


def table(rows: Sequence[Row], language: str) -> list[str]:
    """Return the receipts as lines with a head; none where there are no receipts."""
    if not rows:
        return []
    cells = [_HEADS[language], *(_cells(one, language) for one in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return [
        "  ".join(_aligned(cell, width, at) for at, (cell, width) in enumerate(zip(line, widths, strict=True))).rstrip() for line in cells
    ]


def chain_lines(chains: Sequence[ChainHead], stamp: Stamp | None, language: str) -> list[str]:
    """Return what each chain ends with, and the time stamp, a line each."""
    lines = []
    for one in chains:
        many = counted(one.receipts, _RECEIPT[language], language)
        lines.append(_CHAIN[language].format(crisis=plain(one.crisis_id, 120), many=many, head=plain(one.head)))
    if stamp is not None:
        lines.append(_STAMP[language].format(at=stamp.at, by=stamp.by, vouched=_VOUCHED[language][stamp.vouched]))
    return [unbroken(line) for line in lines] if language == "fr" else lines


def _cells(one: Row, language: str) -> tuple[str, ...]:
    about = " ".join(word for word in (one.name, one.url) if word) or one.mention_id
    return (
        plain(one.evidence_id), plain(one.captured_at[:16].replace("T", " ")), WHAT[language][one.what], str(one.size),
        plain(one.sha256, _HASH + 1)[:_HASH], plain(one.by, 24), plain(about, _NAME),
    )  # fmt: skip


def _aligned(cell: str, width: int, column: int) -> str:
    return cell.rjust(width) if column == _SIZE else cell.ljust(width)


def details(receipt: Evidence, row: Row, text: str, language: str) -> list[str]:
    """Return one receipt, a field a line; what is empty is left out."""
    found = {**row._asdict(), "what": WHAT[language][row.what], "previous": receipt.previous, "chain": receipt.chain, "text": text}
    words = _FIELDS[language]
    width, colon = max(map(len, words.values())), unbroken(" :") if language == "fr" else ":"
    shown = {field: plain(str(found[field])) for field in words}
    return [f"{word + colon:<{width + len(colon)}}  {shown[field]}" for field, word in words.items() if shown[field]]
