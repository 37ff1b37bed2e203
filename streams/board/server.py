"""The page over HTTP: as it is, and what changes as server-sent events (HTML standard), so that a reader who was cut off goes on.

It only answers GET, asks nobody who he is, and loads nothing from elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import orjson
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.board import pages
from streams.board.pages import Link
from streams.board.room import MAX_NEWS, Known, Room
from streams.board.settings import BoardSettings
from streams.board.words import WORDS
from streams.clock import WallClock

#: Readers who are told of changes at once; a sign of life goes to each after so many seconds; changes are gathered for a moment.
MAX_READERS, SIGN_SECONDS, GATHER_SECONDS = 200, 15.0, 0.5
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Board:
    """The room with those who look at it. ``run`` tells one start of the server from another: a revision counts within it."""

    def __init__(self, room: Room, wall_clock: WallClock, language: str, run: str) -> None:
        self.room = room
        self.link = Link(reading=True)
        self._wall_clock = wall_clock
        self._language = language
        self._run = run
        self._readers = 0
        self._said = ""
        #: What came before, while what is there was being read, is no news to warn of; None: it is being read.
        self._begin: int | None = None
        self._changed = asyncio.Event()
        self._told: dict[tuple[str, str], tuple[int, str]] = {}

    @property
    def ready(self) -> bool:
        """Whether what was there has been read and the broker answers."""
        return not self.link.reading and not self.link.lost_ms

    def look(self, link: Link) -> None:
        """Take how the page stands to the broker, and the clock: what is said of both changes without a record."""
        if self.link.reading and not link.reading:
            self._begin = self.room.revision
        self.link = link
        said = pages.status(self.room, link, "en") + pages.watch(self.room, link, self._wall_clock(), "en")
        if said != self._said:
            self._said = said
            self.room.touch()
            self.tell()

    def tell(self) -> None:
        """Wake all who wait for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    def page(self, language: str) -> str:
        """Return the page as it is now."""
        stream = f"events?lang={language}&since={self._mark()}"
        return pages.page(self.room, self.link, self._wall_clock(), language, stream)

    def message(self, since: int, language: str) -> bytes:
        """Return what changed after revision ``since`` (all of it: -1), as one server-sent event."""
        room = self.room
        fresh = [one for one in room.news if one.revision > since]
        since_begin = [one for one in fresh if self._begin is not None and one.revision > self._begin and since >= 0]
        risen = [said for one in since_begin if (said := pages.alert(one, language))]
        data = {
            "whole": since < 0,
            "title": pages.title(room, language), "status": pages.status(room, self.link, language),
            "watch": pages.watch(room, self.link, self._wall_clock(), language),
            "order": {"open": self._ids(room.open()), "over": self._ids(room.over())},
            "crises": {pages.dom_id(known.card.crisis_id): self._crisis(known, language) for known in room.changed(since)},
            "news": [pages.news(one, language) for one in fresh], "most": MAX_NEWS,
            "alert": " ".join(risen[-3:]),
        }  # fmt: skip
        return b"id: %s\ndata: %s\n\n" % (self._mark().encode(), orjson.dumps(data))

    async def follow(self, since: int, language: str) -> AsyncGenerator[bytes]:
        """Yield what changes after ``since``, until the reader goes."""
        self._readers += 1
        try:
            yield b"retry: 2000\n\n"
            while True:
                changed = self._changed
                if self.room.revision > since:
                    message, since = self.message(since, language), self.room.revision
                    yield message
                    await asyncio.sleep(GATHER_SECONDS)
                    continue
                try:
                    await asyncio.wait_for(changed.wait(), SIGN_SECONDS)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._readers -= 1

    def since(self, mark: str) -> int:
        """Return the revision of ``mark``; -1, all of it, where it is of another start or none at all."""
        run, _, number = mark.partition("-")
        return int(number) if run == self._run and number.isdecimal() and len(number) < 18 else -1

    @property
    def full(self) -> bool:
        """Whether no more readers are taken."""
        return self._readers >= MAX_READERS

    def language(self, asked: str | None) -> str:
        """Return the language that was asked for, where there is one, or else that of the settings."""
        return asked if asked in WORDS else self._language

    def _mark(self) -> str:
        return f"{self._run}-{self.room.revision}"

    def _ids(self, crises: list[Known]) -> list[str]:
        return [pages.dom_id(known.card.crisis_id) for known in crises]

    def _crisis(self, known: Known, language: str) -> str:
        """Return the element of a crisis; it is made once for all readers."""
        place = (known.card.crisis_id, language)
        made = self._told.get(place)
        if made is None or made[0] != known.revision:
            if len(self._told) > 1_000:
                self._told.clear()
            made = self._told[place] = (known.revision, pages.crisis(known, language))
        return made[1]


def application(board: Board, settings: BoardSettings) -> Starlette:
    """Return the page, its events, its files, ``/ping`` and ``/ready``. Other host names than its own are refused (DNS rebinding)."""

    async def page(request: Request) -> Response:
        return HTMLResponse(board.page(board.language(request.query_params.get("lang"))))

    async def events(request: Request) -> Response:
        if board.full:
            return PlainTextResponse("too many readers\n", status_code=503)
        mark = request.headers.get("last-event-id") or request.query_params.get("since", "")
        following = board.follow(board.since(mark), board.language(request.query_params.get("lang")))
        return StreamingResponse(following, media_type="text/event-stream")

    async def ping(request: Request) -> Response:
        return PlainTextResponse("pong\n")

    async def ready(request: Request) -> Response:
        return PlainTextResponse("ready\n") if board.ready else PlainTextResponse("not ready\n", status_code=503)

    hosts = ["localhost", "127.0.0.1", "[::1]", settings.host, *(name.strip() for name in settings.hosts.split(",") if name.strip())]
    return Starlette(
        routes=[
            Route("/", page), Route("/events", events), Route("/ping", ping), Route("/ready", ready),
            Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False), Middleware(_Guarded)],
    )  # fmt: skip


class _Guarded:
    """Puts the headers that keep a page to itself on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, guarded)
