"""The crisis room in a real browser: it fits, is legible, tells what comes, keeps what a reader opened, and says when it is cut off."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, cast

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from streams.board.pages import Link, dom_id
from streams.board.room import Room
from streams.board.server import Board, application
from streams.board.settings import BoardSettings
from streams.http import serve
from tests.board.test_pages import EVIL, filled
from tests.board.test_room import BEGIN, at, task
from tests.browser.conftest import barriers
from tests.browser.test_pages import FAINT
from tests.respond.make import card

pytestmark = pytest.mark.browser


class Desk:
    """A board that is served from a thread of its own: the browser's own calls need this one."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._port = 0

    def start(self) -> str:
        """Serve, on the port of the time before; return the address."""
        up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(up)))
        self._thread.start()
        assert up.wait(30)
        return f"http://127.0.0.1:{self._port}/"

    def stop(self) -> None:
        """End the server and all that it says."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve while the context lasts; yields the address."""
        try:
            yield self.start()
        finally:
            self.stop()

    async def _serve(self, up: threading.Event) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._board = Board(self.room, lambda: BEGIN, "en", f"run{id(self._end)}")
        self._board.look(Link())
        pages = application(self._board, BoardSettings())
        async with serve("127.0.0.1", self._port, "VEILLE_BOARD__PORT", pages) as self._port:
            up.set()
            await self._end.wait()

    def happens(self, change: Callable[[Room], None]) -> None:
        """Let the room change, as its reader of the topics does."""

        def change_and_tell() -> None:
            change(self.room)
            self._board.tell()

        self._loop.call_soon_threadsafe(change_and_tell)


@contextmanager
def looked_at(chromium: Browser, url: str, width: int = 1400, scheme: str = "light") -> Iterator[tuple[Page, list[str]]]:
    """The page in a window, and what went wrong in it."""
    view = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=cast(Literal["light", "dark"], scheme))
    wrong: list[str] = []

    def refuse(dialog: Dialog) -> None:
        wrong.append("dialog")
        dialog.dismiss()

    view.on("dialog", refuse)
    view.on("pageerror", lambda error: wrong.append(str(error)))
    view.on("request", lambda asked: None if asked.url.startswith("http://127.0.0.1:") else wrong.append(asked.url))
    view.goto(url)
    yield view, wrong
    view.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_it_fits_is_legible_and_hostile_texts_do_nothing(chromium: Browser, language: str, width: int, scheme: str) -> None:
    """With every text of every record hostile and long, and all that folds unfolded."""
    with Desk(filled(EVIL + "w" * 300)).served() as url, looked_at(chromium, f"{url}?lang={language}", width, scheme) as (page, wrong):
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        assert page.evaluate(FAINT) == []
        assert barriers(page) == []
        assert page.locator("img, iframe, object, form").count() == 0
        assert page.evaluate("document.documentElement.lang") == language
        assert wrong == []


def test_what_happens_is_told_without_a_reload(chromium: Browser) -> None:
    """A new crisis is announced, stands in its place and in the title; what the reader unfolded and stood on stays."""
    room = Room(7)
    desk = Desk(room)
    room.take_event("opened", card(1, at(0)))
    first, second = (f"#{dom_id(name)}" for name in (card().crisis_id, "second"))
    with desk.served() as url, looked_at(chromium, url) as (page, wrong):
        expect(page).to_have_title("(1) Veille")
        expect(page.get_by_role("alert")).to_be_empty()
        page.locator(f"{first}-course > summary").click()
        desk.happens(lambda room: room.take_event("updated", card(2, at(1), mentions=4321)))
        expect(page.locator(f"{first} .figures")).to_contain_text("4,321")
        assert page.locator(f"{first}-course").get_attribute("open") is not None
        assert page.evaluate("document.activeElement.parentElement.id") == f"{dom_id(card().crisis_id)}-course"
        desk.happens(lambda room: room.take_event("opened", card(3, at(2), crisis_id="second", severity=5, headline=EVIL)))
        expect(page.get_by_role("alert")).to_contain_text("severity 5")
        expect(page).to_have_title("(2) Veille")
        expect(page.locator("#open > article").first).to_have_attribute("id", second[1:])
        expect(page.get_by_role("log").locator("li").first).to_contain_text("alert(1)")
        expect(page.get_by_role("log").locator(".empty")).to_be_hidden()
        desk.happens(lambda room: room.take_task(task("t", title="Call the plant")))
        expect(page.locator(first)).to_contain_text("Call the plant")
        desk.happens(lambda room: room.take_event("resolved", card(4, at(3), phase="resolved")))
        expect(page.locator(f"#over > {first}")).to_be_visible()
        assert wrong == []


def test_a_page_that_lost_its_server_says_so_and_goes_on(chromium: Browser) -> None:
    """Cut off it warns; once the server is back, started anew, it shows what is there now, each thing once."""
    room = Room(7)
    desk = Desk(room)
    room.take_event("opened", card(1, at(0)))
    with looked_at(chromium, desk.start()) as (page, _):
        expect(page.locator("#lost")).to_be_hidden()
        desk.stop()
        expect(page.locator("#lost")).to_be_visible()
        room.take_event("opened", card(2, at(1), crisis_id="second"))
        with desk.served():
            expect(page.locator("#lost")).to_be_hidden(timeout=20_000)
            expect(page.locator("#open > article")).to_have_count(2)
            expect(page.get_by_role("log").locator("li")).to_have_count(2)
