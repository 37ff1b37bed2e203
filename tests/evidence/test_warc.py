"""A page's WARC file: another reader finds what was asked and answered, and what was left out is said."""

from __future__ import annotations

import gzip
import io
import random
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from streams.evidence.chain import digest
from streams.evidence.warc import warc
from streams.fetch import Exchange


def hop(body: bytes = b"<p>here</p>", status: int = 200, cut: str = "", more: tuple[tuple[bytes, bytes], ...] = ()) -> Exchange:
    """Return one request and its answer."""
    answered = ((b"Content-Type", b"text/html"), (b"X-Odd", b"caf\xe9"), *more)
    asked = ((b"Host", b"page.example"), (b"Accept", b"*/*"))
    return Exchange(
        f"http://page.example/{status}?q=1", "192.0.2.1", 1_700_000_000_123, "GET", b"/p?q=1", asked, "HTTP/1.1", status, "Fine", answered,
        body, cut,
    )  # fmt: skip


def read(data: bytes) -> list[tuple[dict[str, str], str, bytes]]:
    """Return each record's own headers, its first line and its content, as warcio's reader has them; digests are checked."""
    found = []
    for record in ArchiveIterator(io.BytesIO(data), check_digests="raise"):
        line = record.http_headers.statusline if record.http_headers else ""
        found.append((dict(record.rec_headers.headers), line, record.content_stream().read()))
    return found


def test_each_hop_can_be_read_again() -> None:
    """Version 1.1; information first, then answer and request of each hop with address, time and digests."""
    moved, last = hop(b"moved", 302, more=((b"Location", b"/200"),)), hop()
    data, size = warc([moved, last], 100_000)
    assert (size, gzip.decompress(data)[:10]) == (len(last.body), b"WARC/1.1\r\n")
    info, *rest = read(data)
    assert info[0]["WARC-Type"] == "warcinfo"
    assert f"received-sha256: {digest(last.body)}" in info[2].decode()
    assert [(one[0]["WARC-Type"], one[0]["WARC-Target-URI"], one[1], one[2]) for one in rest] == [
        ("response", moved.url, "302 Fine", b"moved"), ("request", moved.url, "/p?q=1 HTTP/1.1", b""),
        ("response", last.url, "200 Fine", last.body), ("request", last.url, "/p?q=1 HTTP/1.1", b""),
    ]  # fmt: skip
    for one in rest:
        assert one[0]["WARC-Date"] == "2023-11-14T22:13:20.123Z"
        assert "WARC-Truncated" not in one[0]
    assert rest[2][0]["WARC-IP-Address"] == "192.0.2.1"
    assert rest[3][0]["WARC-Concurrent-To"] == rest[2][0]["WARC-Record-ID"]


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(6_000, 20_000), st.integers(0, 60_000), st.randoms())
def test_what_does_not_fit_is_cut_and_says_so(head: bytes, limit: int, more: int, chance: random.Random) -> None:
    """Any body, however it packs: the file keeps to the limit, holds the beginning, and tells the hash of all that came."""
    body = head + chance.randbytes(more)
    data, size = warc([hop(b"x" * 50_000, 302), hop(body)], limit)
    assert len(data) <= limit
    info, moved, _, answer, _ = read(data)
    assert answer[2] == body[:size]
    assert (answer[0].get("WARC-Truncated") == "length") == (size < len(body))
    assert moved[0]["WARC-Truncated"] == "length"
    assert f"received-bytes: {len(body)}" in info[2].decode() or not body
    assert f"received-sha256: {digest(body)}" in info[2].decode()
    if len(body) < limit - 4_000:
        assert size == len(body), "nothing is cut that fits"


@pytest.mark.parametrize("cut", ["length", "time", "disconnect"])
def test_a_body_that_never_came_whole(cut: str) -> None:
    """The reason stands where WARC has a place for it."""
    info, answer, _ = read(warc([hop(b"begun", cut=cut)], 100_000)[0])
    assert (answer[0]["WARC-Truncated"], answer[2]) == (cut, b"begun")
    assert "received-whole: no" in info[2].decode()


def test_a_body_in_pieces_is_kept_in_one() -> None:
    """What says that it was sent in pieces goes by another name, so that no reader looks for pieces."""
    data, _ = warc([hop(b"5 whole", more=((b"Transfer-Encoding", b"chunked"),))], 100_000)
    assert read(data)[1][2] == b"5 whole"
    assert b"X-Archive-Orig-Transfer-Encoding: chunked" in gzip.decompress(data)


def test_the_checker_of_the_archivists_agrees(tmp_path: Path) -> None:
    """`warcio check` finds nothing wrong."""
    path = tmp_path / "page.warc.gz"
    path.write_bytes(warc([hop(b"moved", 302), hop()], 100_000)[0])
    checker = Checker(SimpleNamespace(inputs=[str(path)], verbose=True))
    assert checker.process_all() == 0
