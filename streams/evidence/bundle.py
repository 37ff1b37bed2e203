"""A bundle of evidence: receipts, the files they stand for and their sums, which anybody can check without Veille."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from struct import pack as packed

import jinja2
import msgspec

from schemas.evidence import Evidence
from streams.evidence.chain import digest, file_of, line
from streams.evidence.page_words import INDEX
from streams.evidence.shelf import originator_of, row, text_of
from streams.evidence.words import WHAT, plain
from streams.plurals import counted

README, ABOUT, PAGE, RECEIPTS, SUMS, TOKEN, FILES = (
    "README.txt", "bundle.json", "index.html", "receipts.jsonl", "SHA256SUMS", "SHA256SUMS.tsr", "files/"
)  # fmt: skip
#: Whether a time stamp was asked for, and what came of it.
STAMPS = ("none", "given", "failed")
_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
    undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
)  # fmt: skip
#: How files begin, and how they are called then. Nothing that a double click would run, a page with scripts included.
_FORMS = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"), (b"GIF8", "gif"), (b"%PDF-", "pdf"), (b"PK\x03\x04", "zip"))
#: Of the names that people gave these endings are kept.
_ENDINGS = ("eml", "msg", "txt", "csv")


class ChainHead(msgspec.Struct, frozen=True):
    """One chain of a bundle: its crisis, how many receipts it has, and the hash of the last."""

    crisis_id: str
    receipts: int
    head: str


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``bundle.json`` says of a bundle. ``timestamp`` is one of `STAMPS`."""

    format: int
    crisis_id: str
    language: str
    timestamp: str
    chains: list[ChainHead]


def heads(chains: Mapping[str, Sequence[Evidence]]) -> list[ChainHead]:
    """Return what each chain ends with."""
    return [ChainHead(crisis, len(receipts), receipts[-1].chain) for crisis, receipts in chains.items() if receipts]


def file_name(number: int, total: int, receipt: Evidence, data: bytes) -> str:
    """Return under which name the bytes of the ``number``-th receipt lie: no part of it is anybody's words."""
    ending = next((form for magic, form in _FORMS if data.startswith(magic)), "")
    given = receipt.name.rpartition(".")[2].lower()
    if data.startswith(b"\x1f\x8b"):
        ending = "warc.gz" if _begins(data, b"WARC/") else "gz"
    elif not ending:
        ending = "json" if receipt.content_type == "application/json" else given if given in _ENDINGS else "bin"
    return f"{FILES}{number:0{max(4, len(str(total)))}d}.{ending}"


def _begins(data: bytes, word: bytes) -> bool:
    try:
        return zlib.decompressobj(31).decompress(data, len(word)) == word
    except zlib.error:
        return False


def build(crisis: str, chains: Mapping[str, Sequence[Evidence]], language: str = "en", stamp: str = "none") -> dict[str, bytes]:
    """Return {name: bytes} of a bundle but for the time stamp's token; the same receipts give the same bytes."""
    receipts = [receipt for chain in chains.values() for receipt in chain]
    contents = [file_of(receipt) or b"" for receipt in receipts]
    names = [file_name(at, len(receipts), *pair) for at, pair in enumerate(zip(receipts, contents, strict=True), 1)]
    about = About(1, crisis, language, stamp, heads(chains))
    words = {"language": language, "crisis": crisis, "about": about, "w": INDEX[language], "plain": plain}
    rows = [
        {"receipt": receipt, "row": row(receipt), "what": WHAT[language][row(receipt).what], "text": text_of(receipt), "file": name,
         "originator": originator_of(receipt)}
        for receipt, name in zip(receipts, names, strict=True)
    ]  # fmt: skip
    many = counted(len(receipts), INDEX[language]["receipt"], language)
    files = {
        README: _PAGES.get_template(f"readme.{language}.txt").render(words).encode(),
        ABOUT: msgspec.json.format(msgspec.json.encode(about)) + b"\n",
        PAGE: _PAGES.get_template("index.html").render(words, rows=rows, many=many).encode(),
        RECEIPTS: b"".join(line(receipt) + b"\n" for receipt in receipts),
        **dict(zip(names, contents, strict=True)),
    }
    return files | {SUMS: sums({name: digest(data) for name, data in files.items()})}


def sums(hashes: Mapping[str, str]) -> bytes:
    """Return ``SHA256SUMS`` as ``sha256sum -c`` reads it."""
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()


def archive(names: Sequence[str], read: Callable[[str], bytes]) -> Iterator[bytes]:
    """Yield a zip archive of the files in order of their names, stored as they are and without a date: the same files, the same bytes."""
    directory, at = [], 0
    for name in sorted(names):
        data = read(name)
        # Version 1.0, no flags, stored, 1980-01-01 00:00; then sum, sizes and the name's length.
        common = packed("<HHHHHIIIHH", 10, 0, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(name), 0)
        directory.append(packed("<IH", 0x02014B50, 10) + common + packed("<HHHII", 0, 0, 0, 0, at) + name.encode("ascii"))
        head = packed("<I", 0x04034B50) + common + name.encode("ascii")
        at += len(head) + len(data)
        yield head
        yield data
    whole = b"".join(directory)
    yield whole + packed("<IHHHHIIH", 0x06054B50, 0, 0, len(directory), len(directory), len(whole), at, 0)


def fits(files: Mapping[str, bytes]) -> bool:
    """Say whether the files fit into such an archive (4 GB, 65,535 files)."""
    return len(files) < 0xFFFF and sum(len(data) + 2 * len(name) + 100 for name, data in files.items()) < 0xFFFFFFFF
