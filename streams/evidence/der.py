"""Puts the certificates of a time stamp in the order that DER asks for: some authorities do not, and strict readers refuse the whole."""

from __future__ import annotations

_SEQUENCE, _INTEGER, _SET, _OID, _CONTEXT_0 = 0x30, 0x02, 0x31, 0x06, 0xA0


def in_order(token: bytes) -> bytes:
    """Return a time stamp whose certificates stand in order; ``token`` itself where it is not built as RFC 3161 says.

    No signature covers that order, and no length changes. The token that is kept stays as the authority sent it.
    """
    try:
        # TimeStampResp {status, ContentInfo {type, [0] {SignedData {version, digests, content, [0] certificates, ...
        start, end = _inside(token, 0, _SEQUENCE)
        start = _after(token, start, _SEQUENCE)
        start, _ = _inside(token, start, _SEQUENCE)
        start, _ = _inside(token, _after(token, start, _OID), _CONTEXT_0)
        start, _ = _inside(token, start, _SEQUENCE)
        for tag in (_INTEGER, _SET, _SEQUENCE):
            start = _after(token, start, tag)
        start, end = _inside(token, start, _CONTEXT_0)
        parts, at = [], start
        while at < end:
            after = _after(token, at)
            parts.append(token[at:after])
            at = after
    except (IndexError, ValueError):
        return token
    return token[:start] + b"".join(sorted(parts)) + token[end:]


def _inside(data: bytes, at: int, tag: int | None = None) -> tuple[int, int]:
    """Return where the content of the element at ``at`` begins and ends. Raises ValueError, IndexError."""
    if tag is not None and data[at] != tag:
        raise ValueError("another element")
    size, start = data[at + 1], at + 2
    if size >= 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[at + 2 : start])
    if start + size > len(data):
        raise ValueError("an element ends before its end")
    return start, start + size


def _after(data: bytes, at: int, tag: int | None = None) -> int:
    return _inside(data, at, tag)[1]
