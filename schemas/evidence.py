"""What ``crisis.evidence`` carries: receipts of what was captured."""

from __future__ import annotations

import msgspec


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One captured record: the mention's raw bytes as they came, their SHA-256, and the place in the chain.

    ``previous`` is the hash of the receipt before it in the same crisis: changing one breaks all that follow.
    """

    # The hash of a receipt is over its fields in this order, without those that have their default: a new one comes last and has one.
    evidence_id: str
    crisis_id: str
    brand: str
    mention_id: str
    captured_at: str
    sha256: str
    previous: str = ""
    chain: str = ""
    seq: int = 0
    url: str = ""
    content_type: str = "application/json"
    bytes_b64: str = ""
    #: Who captured it, and the name of the file that was handed in; empty where Veille kept it by itself.
    by: str = ""
    name: str = ""
