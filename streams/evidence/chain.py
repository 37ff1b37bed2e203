"""Receipts in a chain: each holds the hash of the one before, so that changing one breaks all that follow."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

import msgspec

from schemas.evidence import Evidence


def digest(data: bytes) -> str:
    """Return SHA-256 as hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def link(receipt: Evidence) -> str:
    """Return the hash of a receipt: over its canonical JSON (keys sorted) without ``chain`` and the bytes that ``sha256`` stands for."""
    bare = msgspec.structs.replace(receipt, chain="", bytes_b64="")
    return digest(msgspec.json.encode(bare, order="deterministic"))


def seal(receipt: Evidence, previous: str) -> Evidence:
    """Return ``receipt`` chained to the hash ``previous`` ("" for the first of a crisis)."""
    receipt = msgspec.structs.replace(receipt, previous=previous)
    return msgspec.structs.replace(receipt, chain=link(receipt))


def verify(receipts: Iterable[Evidence]) -> list[str]:
    """Return what is wrong with the receipts of one crisis, given in order of ``seq``; nothing where they hold.

    A receipt delivered twice counts once.
    """
    problems = []
    previous, expected = "", 1
    seen: dict[str, Evidence] = {}
    for receipt in receipts:
        name = receipt.evidence_id
        if seen.get(name) == receipt:
            continue
        if name in seen:
            problems.append(f"{name}: two different receipts under one id")
        seen[name] = receipt
        if receipt.seq != expected:
            problems.append(f"{name}: number {receipt.seq} where {expected} was to come")
        if receipt.previous != previous:
            problems.append(f"{name}: does not follow the receipt before it")
        if receipt.chain != link(receipt):
            problems.append(f"{name}: changed after it was sealed")
        if receipt.bytes_b64:
            try:
                held = digest(base64.b64decode(receipt.bytes_b64, validate=True))
            except ValueError:
                held = ""
            if held != receipt.sha256:
                problems.append(f"{name}: its bytes are not those that were captured")
        previous, expected = receipt.chain, receipt.seq + 1
    return problems
