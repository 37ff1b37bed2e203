"""Capturing a page: whatever it answers, something is kept that says what it is; and nothing from inside."""

from __future__ import annotations

import io
import random

import pytest
from warcio.archiveiterator import ArchiveIterator

from streams import inside
from streams.cli.evidence_page import _WHY, told
from streams.evidence.page import LIMITS, Captured, capture
from streams.evidence.screenshot import Shot
from streams.fetch import Limits, NotFetched
from tests.evidence.test_warc import hop
from tests.web import Page, web

LIMIT = 500_000


def body_of(found: Captured) -> bytes:
    """Return the body of the last answer in the WARC file, digests checked."""
    records = ArchiveIterator(io.BytesIO(found.warc), check_digests="raise")
    bodies: list[bytes] = [record.content_stream().read() for record in records if record.rec_type == "response"]
    return bodies[-1]


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_what_came_is_kept_and_told(language: str) -> None:
    """A page, a moved one, a binary, an error page: whole, and said in the reader's language."""
    binary = bytes(range(256)) * 50
    pages = {
        "/": Page("200 OK", {"Content-Type": "text/html"}, b"<p>here</p>"), "/old": Page("301 Moved", {"Location": "/"}),
        "/file": Page("200 OK", {"Content-Type": "application/zip"}, binary), "/gone": Page("410 Gone", {}, b"it was here"),
    }  # fmt: skip
    async with web(pages) as (base, _):
        page = b"<p>here</p>"
        for path, body, status in (("/", page, 200), ("/old", page, 200), ("/file", binary, 200), ("/gone", b"it was here", 410)):
            found = await capture(base + path, LIMIT, picture=False, allow_private=True)
            assert (body_of(found), found.held, found.why) == (body, len(body), "not_asked")
            lines = told(found, language)
            assert f"http {status}" in lines[0].replace("\u00a0", " ")
            assert ("redirect" in lines[0]) == (path == "/old")
            assert len(lines) == 3


async def test_what_is_too_large_or_too_slow_is_kept_in_part() -> None:
    """Of a huge body the beginning, of a slow one what came; both say so, in the file and to the person."""
    huge = random.Random(1).randbytes(900_000)
    async with web({"/huge": Page("200 OK", {}, huge), "/endless": Page("200 OK", {}, b"x" * 999, endless=True)}) as (base, _):
        found = await capture(base + "/huge", LIMIT, picture=False, allow_private=True)
        endless = await capture(base + "/endless", LIMIT, picture=False, allow_private=True, limits=LIMITS._replace(max_bytes=50_000))
    assert len(found.warc) <= LIMIT
    assert 0.9 * LIMIT < found.held < len(huge)
    assert body_of(found) == huge[: found.held]
    assert told(found, "en")[1].startswith(f"page.warc.gz: the first {found.held} of 900000 bytes, as a capture holds no more")
    assert (len(body_of(endless)), endless.hops[-1].cut) == (50_000, "length")
    assert "it has more than was read: the rest is not kept" in told(endless, "en")
    async with web({"/": Page("200 OK", {"Content-Length": "9999"}, b"begun", stall=True)}) as (base, _):
        slow = await capture(base + "/", LIMIT, picture=False, allow_private=True, limits=Limits(seconds=3.0))
    assert body_of(slow) == b"begun"
    assert "it came too slowly: only what came in time is kept" in told(slow, "en")


async def test_headers_that_are_too_large() -> None:
    """A server that fills every file with headers gets no capture."""
    async with web({"/": Page("200 OK", {"X-Long": "".join(chr(33 + n * 7919 % 90) for n in range(20_000))})}) as (base, _):
        with pytest.raises(NotFetched, match="headers"):
            await capture(base + "/", 1_000, picture=False, allow_private=True)


async def test_a_name_that_changes_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The DNS says a public address first and an inside one later: what was checked is what is connected to, at each hop anew."""
    monkeypatch.setattr(inside, "is_public", lambda address: address == "127.0.0.2")
    async with web({"/": Page("200 OK", {}, b"secret")}, "127.0.0.1") as (secret, asked):
        port = secret.rpartition(":")[2]
        answers = iter([["127.0.0.2"], ["127.0.0.1"], ["127.0.0.2", "127.0.0.1"]])

        async def rebinding(host: str, port: int) -> list[str]:
            return next(answers)

        async with web({"/": Page("302 Found", {"Location": f"http://rebound.example:{port}/"})}, "127.0.0.2") as (base, seen):
            url = base.replace("127.0.0.2", "rebound.example")
            for _ in range(2):  # moved to itself by name, which now lies inside; then one inside address among public ones
                with pytest.raises(NotFetched, match="private address range"):
                    await capture(url + "/", LIMIT, picture=False, lookup=rebinding)
    assert (asked, seen) == ([], ["/"])


def test_every_outcome_has_its_words() -> None:
    """Pictures that are whole or in part, and each reason why there is none, in both languages."""
    found = Captured([hop()], b"", len(hop().body), None, "")
    for language in ("en", "fr"):
        for why in _WHY:
            assert told(found._replace(why=why), language)[-1].endswith(_WHY[why][language == "fr"].replace(" ;", "\u00a0;"))
        whole, top = Shot(b"", 900, 900, 0), Shot(b"", 900, 4000, 3)
        lines = [told(found._replace(shot=shot), language) for shot in (whole, top)]
        assert [len(one) for one in lines] == [3, 4]
        assert "4000" in lines[1][2]
