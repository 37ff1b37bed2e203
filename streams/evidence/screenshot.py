"""A picture of a page that was fetched, made by Chromium; whatever the page loads is fetched for it behind the guard of `streams.fetch`."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from streams.fetch import Exchange, Limits, NotFetched, content, fetch
from streams.inside import Resolve, resolve

if TYPE_CHECKING:
    from playwright.async_api import Browser, Frame, Page, Request, Route

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
#: Chromium itself reaches nothing: no name resolves, and its proxy is none. What is loaded comes from us, or it does not come.
_ALONE = [
    "--host-resolver-rules=MAP * ~NOTFOUND", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp", "--disable-background-networking",
]  # fmt: skip
_NO_PROXY = "http://127.0.0.1:9"
_SHOWN = ("text/html", "application/xhtml+xml", "text/plain", "image/")
#: Pixels; the lowest picture that is still tried, and how far JPEG may be pressed before the picture is made lower.
_WIDTH, _TALLEST, _LOWEST, _QUALITIES = 1280, 12_000, 800, (80, 60, 40, 25)
#: What one page may load: requests, bytes of all of them, and at once. Each has the limits of `fetch` besides.
_REQUESTS, _BYTES, _AT_ONCE = 300, 40_000_000, 8
_EACH = Limits(max_bytes=8_000_000, seconds=15.0, redirects=5)
#: Seconds until what a page loads is there, then until nothing is loaded any more, and for the whole.
_LOAD, _QUIET, _WHOLE = 20.0, 3.0, 90.0
#: Headers of an answer that are no longer true of what is handed to Chromium: decoded, whole, and from us.
_DROPPED = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive", "set-cookie", "alt-svc"})


class NoShot(Exception):
    """There is no picture; the argument is the reason, a word of `streams.evidence.page`."""


class Shot(NamedTuple):
    """A JPEG of a page's top ``height`` pixels of ``of``; ``refused`` counts what the page wanted to load and did not get."""

    data: bytes
    height: int
    of: int
    refused: int


async def shoot(
    answer: Exchange, limit: int, *, allow_private: bool = False, lookup: Resolve = resolve, sandbox: bool = True, load: float = _LOAD
) -> Shot:
    """Return a picture of ``answer``, of at most ``limit`` bytes, with scripts run and pictures loaded as a reader would see them.

    Raises `NoShot`. Without the ``sandbox`` a page could take over Chromium and whoever runs it: root has none, so root gets no picture.
    """
    if not answer.header("content-type").lower().startswith(_SHOWN):
        raise NoShot("no_page")
    if sandbox and hasattr(os, "geteuid") and os.geteuid() == 0:
        raise NoShot("root")
    try:
        from playwright.async_api import Error, async_playwright
    except ImportError:
        raise NoShot("no_playwright") from None
    try:
        body = content(answer, _EACH.max_bytes)
    except NotFetched:
        raise NoShot("cut") from None
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    loader = _Loader(answer, body, allow_private, lookup)
    try:
        async with asyncio.timeout(_WHOLE), async_playwright() as play:
            with tempfile.TemporaryDirectory() as home:
                # No word of our settings, passwords among them, goes along.
                environment: dict[str, str | float | bool] = {"PATH": os.environ.get("PATH", ""), "HOME": home}
                browser = await play.chromium.launch(
                    executable_path=program, args=_ALONE, proxy={"server": _NO_PROXY}, chromium_sandbox=sandbox, env=environment
                )
                try:
                    return await _picture(browser, loader, limit, load)
                finally:
                    await browser.close()
    except (Error, TimeoutError, OSError):
        raise NoShot("failed") from None


async def _picture(browser: Browser, loader: _Loader, limit: int, load: float) -> Shot:
    from playwright.async_api import TimeoutError as Late

    view: Any = {"width": _WIDTH, "height": 900}
    context = await browser.new_context(viewport=view, accept_downloads=False, service_workers="block")
    await context.route("**/*", loader.serve)
    await context.route_web_socket("**/*", lambda socket: socket.close())
    page = await context.new_page()
    loader.frame = page.main_frame
    with suppress(Late):  # something that it loads never comes: what is there is shown
        await page.goto(loader.answer.url, wait_until="load", timeout=load * 1000)
    with suppress(Late):
        await page.wait_for_load_state("networkidle", timeout=_QUIET * 1000)
    # The page may lie about its height; the picture has its bounds all the same.
    height = await page.evaluate("() => document.documentElement.scrollHeight")
    of = height if isinstance(height, int) and height > 0 else _LOWEST
    data, shown = await _pressed(page, limit, min(of, _TALLEST))
    await context.unroute_all(behavior="ignoreErrors")
    return Shot(data, shown, of, loader.refused)


async def _pressed(page: Page, limit: int, height: int) -> tuple[bytes, int]:
    """Return a picture that fits and its height: pressed harder first, then less of it."""
    while True:
        for quality in _QUALITIES:
            clip: Any = {"x": 0, "y": 0, "width": _WIDTH, "height": height}
            data = await page.screenshot(type="jpeg", quality=quality, full_page=True, clip=clip, animations="disabled")
            if len(data) <= limit:
                return data, height
        if height <= _LOWEST:
            raise NoShot("too_large")
        height = max(_LOWEST, height * 2 // 3)


class _Loader:
    """Answers each request of one page: the page itself with what was fetched before, all else through `fetch`."""

    def __init__(self, answer: Exchange, body: bytes, allow_private: bool, lookup: Resolve) -> None:
        self.answer = answer
        self.frame: Frame | None = None
        self.refused = 0
        self._body, self._allow_private, self._lookup = body, allow_private, lookup
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._trust = httpx.create_ssl_context(trust_env=False)
        self._opened, self._requests, self._bytes = False, 0, 0

    async def serve(self, route: Route) -> None:
        """Answer one request, or refuse it."""
        from playwright.async_api import Error

        with suppress(Error):  # the page went away meanwhile
            if (found := await self._found(route)) is not None:
                exchange, body = found
                await route.fulfill(status=exchange.status, headers=_headers(exchange), body=body)
                return
            self.refused += 1
            # The one refusal that leaves the page where it is: others would show Chromium's own error page.
            await route.abort("aborted")

    async def _found(self, route: Route) -> tuple[Exchange, bytes] | None:
        asked = route.request
        if (frame := _frame(asked)) is None or self.frame is None or frame.page != self.frame.page:
            return None  # another window
        if asked.is_navigation_request() and frame == self.frame:
            # Once: a page that goes on elsewhere is not the page that was captured.
            first, self._opened = not self._opened, True
            return (self.answer, self._body) if first else None
        self._requests += 1
        if asked.method != "GET" or self._requests > _REQUESTS or self._bytes > _BYTES:
            return None
        headers = {name: value for name, value in asked.headers.items() if name in ("accept", "accept-language", "origin", "referer")}
        try:
            async with self._gate:
                hops = await fetch(
                    asked.url, limits=_EACH, headers=headers, allow_private=self._allow_private, lookup=self._lookup, trust=self._trust
                )
            body = content(hops[-1], _EACH.max_bytes)
        except NotFetched:
            return None
        self._bytes += len(body)
        return hops[-1], body


def _frame(asked: Request) -> Frame | None:
    """Return the frame that asks; None where it is not there yet, as in a window that is about to open."""
    from playwright.async_api import Error

    try:
        return asked.frame
    except Error:
        return None


def _headers(exchange: Exchange) -> dict[str, str]:
    pairs = ((key.decode("latin-1").lower(), value.decode("latin-1")) for key, value in exchange.answered)
    return {key: value for key, value in pairs if key not in _DROPPED}
