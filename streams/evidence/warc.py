"""Writes what was fetched as a WARC 1.1 file (ISO 28500): request and response of each hop, as they went over the wire."""

from __future__ import annotations

import io
from collections.abc import Sequence

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from streams.clock import rfc3339
from streams.evidence.chain import digest
from streams.fetch import Exchange

#: Bytes of the body that a redirect may bring along; nobody reads it.
_MOVED_BODY = 10_000
#: What says how a body was cut that is sent in pieces. Here it lies in one, so the header goes by the name that archives give it.
_PIECES, _WAS_PIECES = "transfer-encoding", "X-Archive-Orig-Transfer-Encoding"


def warc(hops: Sequence[Exchange], limit: int) -> tuple[bytes, int]:
    """Return a gzipped WARC file of at most ``limit`` bytes, and how many bytes of the answer's body it holds.

    A body that does not fit is cut, and its record says so (``WARC-Truncated``); the SHA-256 of all that came stands in the first record.
    Only headers that are larger than the limit make a file that is.
    """
    size = len(hops[-1].body)
    written = _write(hops, size)
    while len(written) > limit and size:
        # Close to what fits, whatever the body packs down to.
        size = min(size - 1, int(size * limit / len(written) * 0.98))
        written = _write(hops, size)
    return written, size


def _write(hops: Sequence[Exchange], size: int) -> bytes:
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="1.1")
    last = hops[-1]
    about = {
        "software": "veille evidence page", "format": "WARC file version 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "received-bytes": len(last.body), "received-sha256": digest(last.body), "received-whole": "no" if last.cut else "yes",
    }  # fmt: skip
    first = writer.create_warcinfo_record("", about)
    first.rec_headers.replace_header("WARC-Date", rfc3339(hops[0].at_ms))
    writer.write_record(first)
    for hop in hops:
        body, cut = _kept(hop, size if hop is last else _MOVED_BODY)
        headers = {"WARC-Date": rfc3339(hop.at_ms), "WARC-IP-Address": hop.address} | ({"WARC-Truncated": cut} if cut else {})
        answer = StatusAndHeaders(f"{hop.status} {hop.reason}", _text(hop.answered), protocol=hop.version, is_http_request=False)
        asked = StatusAndHeaders(f"{hop.method} {hop.path.decode('latin-1')} HTTP/1.1", _text(hop.asked), is_http_request=True)
        response = writer.create_warc_record(
            hop.url, "response", io.BytesIO(body), len(body), warc_headers_dict=headers, http_headers=answer
        )
        request = writer.create_warc_record(hop.url, "request", warc_headers_dict={"WARC-Date": rfc3339(hop.at_ms)}, http_headers=asked)
        writer.write_request_response_pair(request, response)
    return out.getvalue()


def _kept(hop: Exchange, most: int) -> tuple[bytes, str]:
    """Return the body as far as it is kept, and why it ends before its end ("": it does not)."""
    return (hop.body, hop.cut) if len(hop.body) <= most else (hop.body[:most], "length")


def _text(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    pairs = ((key.decode("latin-1"), value.decode("latin-1")) for key, value in headers)
    return [(_WAS_PIECES if key.lower() == _PIECES else key, value) for key, value in pairs]
