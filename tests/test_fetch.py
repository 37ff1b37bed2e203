"""What is fetched from where other people's words point: nothing inside, by no detour, and never more than was agreed."""

from __future__ import annotations

import gzip
import ssl
from pathlib import Path

import pytest

from streams import inside
from streams.fetch import Limits, NotFetched, content, fetch
from streams.inside import resolve
from tests.respond.local import certificate, server
from tests.web import Page, web


async def test_each_hop_is_told_as_it_went() -> None:
    """Redirects are followed, relative ones too; the address, the words sent and the words answered are kept."""
    pages = {"/a?x=1": Page("302 Found", {"Location": "/b#part"}), "/b": Page("200 OK", {"X-Kind": "b"}, b"here")}
    async with web(pages) as (base, seen):
        first, last = await fetch(base + "/a?x=1", allow_private=True, clock=lambda: 7)
    assert (first.status, first.url, first.path) == (302, base + "/a?x=1", b"/a?x=1")
    assert (last.status, last.reason, last.url, last.body, last.cut) == (200, "OK", base + "/b", b"here", "")
    assert (last.address, last.at_ms, last.header("x-kind"), last.header("x-none")) == ("127.0.0.1", 7, "b", "")
    assert seen == ["/a?x=1", "/b"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://[::1]:{port}/", "http://169.254.169.254/latest", "http://0x7f.1:{port}/"]
)
async def test_no_way_leads_inside(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the URL itself nor a redirect from a public page reaches an inside address, however it is written."""
    checked = inside.is_public

    async def lookup(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "outside.example" else await inside.resolve(host, port)

    async with web({"/": Page("200 OK", {}, b"secret")}) as (base, seen):
        url = url.format(port=base.rpartition(":")[2])
        with pytest.raises(NotFetched, match=r"^the target lies in a private address range"):
            await fetch(url)
        async with web({"/": Page("302 Found", {"Location": url})}) as (outside, asked):
            # The first page stands for a public one: its address, and no later one, is let through.
            opened = iter([True])
            monkeypatch.setattr(inside, "is_public", lambda address: next(opened, False) or checked(address))
            with pytest.raises(NotFetched, match=r"^after 1 redirect: the target lies in a private address range"):
                await fetch(outside.replace("127.0.0.1", "outside.example") + "/", lookup=lookup)
    assert (seen, asked) == ([], ["/"])


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://example.org/", "http://a:b@example.org/", "gopher://x/"])
async def test_redirects_to_what_is_no_page(location: str) -> None:
    """A redirect may lead to another page, and to nothing else."""
    async with web({"/": Page("302 Found", {"Location": location})}) as (base, _):
        with pytest.raises(NotFetched, match="after 1 redirect"):
            await fetch(base + "/", allow_private=True)


async def test_a_redirect_in_letters_of_its_own() -> None:
    """A Location that is not escaped is read as browsers do, in UTF-8."""
    pages = {"/": Page("302 Found", {"Location": "/café".encode().decode("latin-1")}), "/caf%C3%A9": Page("200 OK", {}, b"here")}
    async with web(pages) as (base, _):
        assert (await fetch(base + "/", allow_private=True))[-1].body == b"here"


async def test_a_redirect_to_what_is_no_url() -> None:
    """A page that sends nowhere is told as one that gave no answer."""
    async with web({"/": Page("302 Found", {"Location": "http://[::1"})}) as (base, _):
        with pytest.raises(NotFetched, match="no answer"):
            await fetch(base + "/", allow_private=True)


async def test_redirects_end() -> None:
    """A page that sends around in a circle is left."""
    async with web({"/": Page("302 Found", {"Location": "/"})}) as (base, seen):
        with pytest.raises(NotFetched, match="more than 3 redirects"):
            await fetch(base + "/", allow_private=True, limits=Limits(redirects=3))
    assert len(seen) == 4


async def test_a_huge_body_is_cut() -> None:
    """A body that never ends is read up to the limit; a small one that grows when it is decoded is refused."""
    bomb = Page("200 OK", {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 1_000_000))
    async with web({"/endless": Page("200 OK", {}, b"x" * 1000, endless=True), "/bomb": bomb}) as (base, _):
        (huge,) = await fetch(base + "/endless", allow_private=True, limits=Limits(max_bytes=20_500))
        assert (len(huge.body), huge.cut) == (20_500, "length")
        (small,) = await fetch(base + "/bomb", allow_private=True)
    assert small.cut == ""
    assert len(content(small, 1_000_000)) == 1_000_000
    assert content(small._replace(body=b""), 9) == b""
    for exchange, most, why in (
        (small, 999_999, "too large"),
        (huge, 10**6, "too large"),
        (small._replace(body=b"no gzip"), 9, "not coded"),
        (small._replace(body=small.body[:-20]), 10**6, "not coded"),
    ):
        with pytest.raises(NotFetched, match=why):
            content(exchange, most)
    with pytest.raises(NotFetched, match="not asked for"):
        content(small._replace(answered=((b"Content-Encoding", b"br"),)), 10**7)


async def test_a_slow_page_is_left_in_time() -> None:
    """Without an answer nothing is fetched; with the beginning of one, what came is kept and says so."""
    async with server(lambda n: None) as (url, _):
        with pytest.raises(NotFetched, match=r"no answer within 0\.3 s"):
            await fetch(url, allow_private=True, limits=Limits(seconds=0.3))
    async with web({"/": Page("200 OK", {"Content-Length": "9999"}, b"begun", stall=True)}) as (base, _):
        (slow,) = await fetch(base + "/", allow_private=True, limits=Limits(seconds=3.0))
    assert (slow.body, slow.cut) == (b"begun", "time")
    async with web({"/": Page("200 OK", {"Content-Length": "9999"}, b"begun")}) as (base, _):
        (broken,) = await fetch(base + "/", allow_private=True)
    assert (broken.body, broken.cut) == (b"begun", "disconnect")
    with pytest.raises(NotFetched, match="broke off"):
        content(broken, 9)


async def test_no_host_no_port_and_no_name() -> None:
    """What cannot be reached is told in a sentence, without the path."""

    async def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    for where in ("127.0.0.1:1", "nowhere.example"):
        with pytest.raises(NotFetched, match="no answer") as caught:
            await fetch(f"http://{where}/secret-path", allow_private=True, lookup=resolve if where[0] == "1" else unknown)
        assert "secret-path" not in str(caught.value)


async def test_a_name_is_proven_at_the_pinned_address(tmp_path: Path) -> None:
    """TLS goes to the address that was checked and asks for the name that was given; a name that it cannot prove is left."""
    tls, trusted = certificate("page.example", tmp_path)
    trust = ssl.create_default_context(cafile=str(trusted))

    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with server(lambda n: "200 Fine", tls) as (url, seen):
        url = url.replace("127.0.0.1", "page.example")
        (only,) = await fetch(url, allow_private=True, lookup=here, trust=trust)
        assert (only.status, only.address, seen[0][0]["host"].partition(":")[0]) == (200, "127.0.0.1", "page.example")
        with pytest.raises(NotFetched, match="no answer"):
            await fetch(url.replace("page.example", "other.example"), allow_private=True, lookup=here, trust=trust)


async def test_no_cookie_goes_from_hop_to_hop() -> None:
    """Two names may share an address: what one sets, the other must not get."""
    pages = {"/": Page("302 Found", {"Location": "/next", "Set-Cookie": "session=secret"}), "/next": Page("200 OK")}
    async with web(pages) as (base, _):
        hops = await fetch(base + "/", allow_private=True)
    assert [value for key, value in hops[1].asked if key.lower() == b"cookie"] == []
