"""Pictures of captured pages: what a reader would see, and no way from the page to what lies inside."""

from __future__ import annotations

import base64
import shutil
import struct
import zlib

import pytest
from playwright.async_api import async_playwright

from streams import inside
from streams.cli.evidence_page import told
from streams.evidence.page import capture
from streams.evidence.screenshot import NoShot, shoot
from streams.fetch import Exchange, fetch
from tests.web import Page, web

pytestmark = [pytest.mark.browser]

PUBLIC = "127.0.0.2"
_HTML = {"Content-Type": "text/html; charset=utf-8"}


def png(red: int, green: int, blue: int, side: int = 100) -> bytes:
    """Return a square of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([red, green, blue]) * side) * side
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture(autouse=True)
def _outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.2 stands for the public internet; all else is inside."""
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        pytest.skip("chromium is not installed: make system, as root")
    monkeypatch.setattr(inside, "is_public", lambda address: address == PUBLIC)


async def lookup(host: str, port: int) -> list[str]:
    """Return where names lie: public.example outside, each other name inside."""
    return [PUBLIC] if host in ("public.example", PUBLIC) else ["127.0.0.1"]


async def page_at(url: str) -> Exchange:
    """Return what is fetched there."""
    return (await fetch(url, lookup=lookup))[-1]


async def pixels(data: bytes, *places: tuple[int, int]) -> tuple[tuple[int, int], list[tuple[bool, bool, bool]]]:
    """Return a picture's width and height, and whether red, green and blue are bright at some places."""
    read = """async ([source, places]) => {
      const image = new Image(); image.src = source; await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), {width: image.width, height: image.height});
      const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);
      const bright = ([x, y]) => [...context.getImageData(x, y, 1, 1).data].slice(0, 3).map(v => v > 128);
      return [[image.width, image.height], places.map(bright)];
    }"""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = await browser.new_page()
        source = "data:image/jpeg;base64," + base64.b64encode(data).decode()
        (width, height), found = await page.evaluate(read, [source, list(places)])
        await browser.close()
    return (width, height), [tuple(one) for one in found]


async def test_what_a_reader_sees_and_nothing_from_inside() -> None:
    """Scripts run and public pictures load; whatever way the page tries to reach something inside, nothing there is asked."""
    async with web({}, "127.0.0.1") as (secret, asked):
        port = secret.rpartition(":")[2]
        ways = [secret, f"http://inside.example:{port}", f"http://localhost:{port}", f"http://[::1]:{port}"]
        tries = "".join(
            f"<img src='{way}/img'><iframe src='{way}/frame'></iframe><link rel=preconnect href='{way}'>"
            f"<link rel=stylesheet href='{way}/css'>"
            f"<script src='{way}/script'></script><script>fetch('{way}/fetch').catch(() => 0);"
            f"window.open('{way}/window');"
            f"navigator.sendBeacon('{way}/beacon'); new WebSocket('{way.replace('http', 'ws')}/socket');</script>"
            for way in ways
        )
        page = (
            "<body style='margin:0;background:#fff'><img src='/red.png' style='display:block'><div id=d style='height:100px'></div>"
            f"<img src='/away' >{tries}<script>document.getElementById('d').style.background = '#0f0';"
            "setTimeout(() => { location = '/elsewhere' }, 50);</script>"
        )
        pages = {
            "/": Page("200 OK", _HTML, page.encode()),
            "/red.png": Page("200 OK", {"Content-Type": "image/png"}, png(255, 0, 0)),
            "/away": Page("302 Found", {"Location": f"{secret}/redirected"}),
            "/elsewhere": Page("200 OK", _HTML, b"<body style='background:#00f'>"),
        }
        async with web(pages, PUBLIC) as (base, seen):
            shot = await shoot(await page_at(base.replace(PUBLIC, "public.example") + "/"), 500_000, lookup=lookup, sandbox=False)
    assert asked == []
    assert {"/red.png", "/away"} <= set(seen)
    assert "/elsewhere" not in seen
    assert seen.count("/") == 1, "the picture is of what was fetched, not of a second answer"
    size, colours = await pixels(shot.data, (50, 50), (50, 150))
    assert colours == [(True, False, False), (False, True, False)]
    assert size == (1280, shot.height)
    assert shot.refused >= 4


async def test_a_page_is_captured_with_its_picture() -> None:
    """The files that are handed in, and what is said of them, where Chromium is there."""
    pages = {"/": Page("200 OK", _HTML, b"<body style='margin:0;background:#0f0'>"), "/old": Page("302 Found", {"Location": "/"})}
    async with web(pages, PUBLIC) as (base, seen):
        found = await capture(base + "/old", 500_000, lookup=lookup, sandbox=False)
    assert seen == ["/old", "/"]
    assert found.shot is not None
    assert (await pixels(found.shot.data, (9, 9)))[1] == [(False, True, False)]
    assert told(found, "en")[1:] == ["page.warc.gz: all that came", "page.jpg: the whole page as a picture"]


async def test_a_tall_page_is_made_to_fit() -> None:
    """A picture that is too large is pressed, then cut at the bottom, and says how much of the page it shows."""
    noise = "<canvas id=c width=1280 height=6000></canvas><script>const x = c.getContext('2d'), d = x.createImageData(1280, 6000);"
    noise += "for (let i = 0; i < d.data.length; i++) d.data[i] = i % 4 == 3 ? 255 : Math.random() * 255; x.putImageData(d, 0, 0)</script>"
    async with web({"/": Page("200 OK", _HTML, f"<body style='margin:0'>{noise}".encode())}, PUBLIC) as (base, _):
        shot = await shoot(await page_at(base + "/"), 500_000, lookup=lookup, sandbox=False)
        with pytest.raises(NoShot, match="too_large"):
            await shoot(await page_at(base + "/"), 5_000, lookup=lookup, sandbox=False)
    assert len(shot.data) <= 500_000
    assert 800 <= shot.height < 6000 <= shot.of
    assert (await pixels(shot.data))[0] == (1280, shot.height)


async def test_a_page_that_never_loads_to_the_end() -> None:
    """A part that never comes is not waited for: what is there is shown."""
    page = b"<body style='margin:0;background:#0f0'><p>here</p><img src='/never'>"
    pages = {"/": Page("200 OK", _HTML, page), "/never": Page("200 OK", {"Content-Length": "99"}, b"x", stall=True)}
    async with web(pages, PUBLIC) as (base, _):
        shot = await shoot(await page_at(base + "/"), 500_000, lookup=lookup, sandbox=False, load=2.0)
    assert (await pixels(shot.data, (600, 700)))[1] == [(False, True, False)]


async def test_what_has_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is no page, a page that was cut, and Chromium without its sandbox: no picture, and a word why."""
    pages = {"/": Page("200 OK", _HTML, b"<p>"), "/pdf": Page("200 OK", {"Content-Type": "application/pdf"}, b"%PDF")}
    async with web(pages, PUBLIC) as (base, _):
        page, pdf = await page_at(base + "/"), await page_at(base + "/pdf")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    for answer, sandbox, why in ((pdf, False, "no_page"), (page._replace(cut="length"), False, "cut"), (page, True, "root")):
        with pytest.raises(NoShot, match=why):
            await shoot(answer, 500_000, lookup=lookup, sandbox=sandbox)
