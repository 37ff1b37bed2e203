"""Receipts in a chain: each holds the hash of the one before, so that changing one breaks all that follow."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from schemas.evidence import Evidence
from streams.captures import evidence_id


class Problem(NamedTuple):
    """One thing that does not hold: a word of `streams.evidence.words`, and what its sentence names."""

    word: str
    name: str = ""
    found: str = ""
    wanted: str = ""


def digest(data: bytes) -> str:
    """Return SHA-256 as hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def link(receipt: Evidence) -> str:
    """Return the hash of a receipt: over its `line` without ``chain``."""
    return digest(line(msgspec.structs.replace(receipt, chain="")))


def line(receipt: Evidence) -> bytes:
    """Return a receipt as compact JSON without the bytes that ``sha256`` stands for.

    Fields stand in the schema's order, and those that have their default are left out. So a field that the schema gets must come
    last and have a default: earlier chains hold on.
    """
    return msgspec.json.encode(msgspec.structs.replace(receipt, bytes_b64=""))


def seal(receipt: Evidence, previous: str) -> Evidence:
    """Return ``receipt`` chained to the hash ``previous`` ("" for the first of a crisis)."""
    receipt = msgspec.structs.replace(receipt, previous=previous)
    return msgspec.structs.replace(receipt, chain=link(receipt))


def file_of(receipt: Evidence) -> bytes | None:
    """Return the bytes that a receipt brings; None where that is no base64."""
    try:
        return base64.b64decode(receipt.bytes_b64, validate=True)
    except ValueError:
        return None


def verify(receipts: Iterable[Evidence], *, files: bool = True) -> list[Problem]:
    """Return what is wrong with the receipts of one crisis, given in order of ``seq``; nothing where they hold.

    A receipt delivered twice counts once. Without ``files`` the receipts come without the bytes that they stand for.
    """
    problems = []
    previous, expected = "", 1
    seen: dict[str, Evidence] = {}
    for receipt in receipts:
        name = receipt.evidence_id
        if seen.get(name) == receipt:
            continue
        if name in seen:
            problems.append(Problem("two", name))
        seen[name] = receipt
        if receipt.seq != expected:
            problems.append(Problem("number", name, str(receipt.seq), str(expected)))
        if name != evidence_id(receipt.crisis_id, receipt.seq):
            problems.append(Problem("name", name, str(receipt.seq)))
        if receipt.previous != previous:
            problems.append(Problem("follows", name))
        if receipt.chain != link(receipt):
            problems.append(Problem("changed", name))
        if files and digest(file_of(receipt) or b"") != receipt.sha256:
            problems.append(Problem("bytes", name))
        previous, expected = receipt.chain, receipt.seq + 1
    return problems
