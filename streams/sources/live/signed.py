"""Who may post to a webhook: anybody on this machine, whoever has the token, or whoever signs (Standard Webhooks 1.0)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook

from streams.errors import BadInput

#: A signature is as old or as new as this at most, in seconds: the standard's advice.
_TOLERANCE: Final = 300
#: Signatures of one request that are looked at.
_MOST: Final = 8


class Door:
    """Lets requests in by ``token`` (``Authorization: Bearer``), by ``secrets`` (``whsec_...``, several separated by blanks), or all.

    Raises `BadInput` for a secret that is none.
    """

    def __init__(self, *, token: str = "", secrets: str = "") -> None:
        self._token = token.encode()
        try:
            short = any(len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) < 24 for secret in secrets.split())
        except (binascii.Error, ValueError):
            short = True
        if short:
            raise BadInput("a secret is whsec_ and at least 24 bytes in base64, several separated by blanks")
        self._hooks = [Webhook(secret) for secret in secrets.split()]

    @property
    def open(self) -> bool:
        """Whether anybody may come in."""
        return not self._token and not self._hooks

    def turns_away(self, headers: Mapping[str, str]) -> str:
        """Return why a request may not come in, whatever its body is, or "". ``headers`` are looked up in small letters."""
        if not self._token:
            return ""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token) and scheme.lower() == "bearer"
        return "" if right else "the token is missing or wrong: send Authorization: Bearer TOKEN"

    def unsigned(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> str:
        """Return why a body is not what who knows the secret signed lately, or ""."""
        if not self._hooks:
            return ""
        identity, stamp, signatures = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
        if not identity or not signatures or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
            return "the signature is missing: send webhook-id, webhook-timestamp and webhook-signature (Standard Webhooks)"
        if abs(int(stamp) - now_ms / 1000) > _TOLERANCE:
            return "the signature is too old or too new: is the sender's clock right?"
        try:
            said = body.decode("utf-8")
        except UnicodeDecodeError:
            return "the body is not UTF-8"
        at = datetime.fromtimestamp(int(stamp), UTC)
        right = [hook.sign(identity, at, said).encode() for hook in self._hooks]
        given = [word.encode("utf-8", "replace") for word in signatures.split(" ")[:_MOST]]
        matched = [hmac.compare_digest(mine, theirs) for mine in right for theirs in given]
        return "" if any(matched) else "the signature does not match: is the secret the same on both sides?"
