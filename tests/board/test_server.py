"""The page over HTTP: its headers, whom it answers, and how a reader who was cut off goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from streams.board import server
from streams.board.pages import Link, dom_id
from streams.board.room import Room
from streams.board.server import Board, application
from streams.board.settings import BoardSettings
from streams.errors import BadInput
from streams.http import serve
from tests.board.test_room import BEGIN, at
from tests.respond.make import card


def made(run: str = "r1") -> Board:
    """Return a board over a room with one open crisis, read to its end."""
    room = Room(7)
    room.take_event("opened", card(1, at(0)))
    board = Board(room, lambda: BEGIN, "en", run)
    board.look(Link())
    return board


async def told(stream: AsyncIterator[bytes]) -> dict[str, Any]:
    """Return the next change that is told."""
    async for piece in stream:
        if b"data: " in piece:
            return dict(json.loads(piece.partition(b"data: ")[2]))
    raise AssertionError("the stream ended")


@pytest.fixture
async def base() -> AsyncIterator[tuple[str, Board]]:
    """A served board: its address and itself."""
    board = made()
    async with serve("127.0.0.1", 0, "VEILLE_BOARD__PORT", application(board, BoardSettings(hosts="desk.example"))) as port:
        yield f"http://127.0.0.1:{port}", board


async def test_the_page_answers_and_keeps_to_itself(base: tuple[str, Board]) -> None:
    """It loads nothing from elsewhere, may stand in no frame, and is not kept by caches; it takes no other method."""
    async with httpx.AsyncClient(base_url=base[0]) as client:
        page = await client.get("/", params={"lang": "fr"})
        assert page.status_code == 200
        assert '<html lang="fr">' in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert '<html lang="en">' in (await client.get("/", params={"lang": "xx"})).text
        for name in ("board.css", "board.js", "board.svg"):
            found = await client.get(f"/static/{name}")
            assert (found.status_code, found.headers["x-content-type-options"]) == (200, "nosniff")
        assert (await client.post("/")).status_code == 405
        assert (await client.get("/ping")).text == "pong\n"
        assert (await client.get("/ready")).status_code == 200
        base[1].look(Link(lost_ms=BEGIN))
        assert (await client.get("/ready")).status_code == 503


@pytest.mark.parametrize(("host", "code"), [("127.0.0.1:9465", 200), ("localhost", 200), ("desk.example", 200), ("evil.example", 400)])
async def test_only_its_own_names_are_answered(base: tuple[str, Board], host: str, code: int) -> None:
    """A foreign page whose name was made to mean this machine (DNS rebinding) reads nothing."""
    async with httpx.AsyncClient(base_url=base[0], headers={"host": host}) as client:
        for path in ("/", "/static/board.js"):
            assert (await client.get(path)).status_code == code


async def test_changes_are_told_as_they_come(base: tuple[str, Board]) -> None:
    """Over HTTP: a new crisis is told with its element, its place, a line of news and a word at once."""
    url, board = base
    begin = f"/events?lang=en&since=r1-{board.room.revision}"
    async with httpx.AsyncClient(base_url=url) as client, client.stream("GET", begin) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        board.room.take_event("opened", card(2, at(5), crisis_id="second", severity=4, headline="boiling"))
        board.tell()
        found = await told(answer.aiter_bytes())
    assert found["order"] == {"open": [dom_id("second"), dom_id(card().crisis_id)], "over": []}
    assert list(found["crises"]) == [dom_id("second")]
    assert found["alert"] == "acme: a crisis was opened, severity 4. boiling"
    assert (found["title"], len(found["news"]), found["whole"]) == ("(2) Veille", 1, False)


async def test_a_reader_who_was_cut_off_goes_on() -> None:
    """From the revision that he saw he is told what came after it; of another start, or of nonsense, he is told all."""
    board = made()
    seen = f"r1-{board.room.revision}"
    board.room.take_event("updated", card(2, at(1), mentions=77))
    board.room.take_event("opened", card(3, at(2), crisis_id="second"))
    async with aclosing(board.follow(board.since(seen), "en")) as stream:
        found = await told(stream)
    assert set(found["crises"]) == {dom_id(card().crisis_id), dom_id("second")}
    assert (len(found["news"]), found["whole"]) == (1, False)
    for mark in ("r0-1", "", "r1", "r1-x", "r1-" + "9" * 40):
        async with aclosing(board.follow(board.since(mark), "en")) as stream:
            found = await told(stream)
        assert (len(found["news"]), found["whole"], found["alert"]) == (2, True, "")


async def test_what_was_there_before_warns_nobody() -> None:
    """A page that is opened while the topics are still being read is told of old openings, and hears of none as if it were new."""
    board = Board(Room(7), lambda: BEGIN, "en", "r1")
    board.room.take_event("opened", card(1, at(0)))
    assert told_now(board, 0)["alert"] == ""
    board.look(Link())
    assert told_now(board, 0)["alert"] == ""
    board.room.take_event("opened", card(2, at(1), crisis_id="second"))
    assert "a crisis was opened" in told_now(board, 0)["alert"]


def told_now(board: Board, since: int) -> dict[str, Any]:
    """Return what a reader who has seen ``since`` is told."""
    return dict(json.loads(board.message(since, "en").partition(b"data: ")[2]))


async def test_a_quiet_stream_gives_signs_of_life_and_one_too_many_is_refused(
    base: tuple[str, Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader who leaves makes room for another."""
    url, board = base
    monkeypatch.setattr(server, "SIGN_SECONDS", 0.01)
    monkeypatch.setattr(server, "MAX_READERS", 1)
    async with httpx.AsyncClient(base_url=url) as client:
        async with client.stream("GET", f"/events?since=r1-{board.room.revision}") as answer:
            lines = answer.aiter_lines()
            while await anext(lines) != ": still here":
                pass
            assert (await client.get("/events")).status_code == 503
        while board.full:
            await asyncio.sleep(0.01)


async def test_a_port_that_is_taken_is_named(base: tuple[str, Board]) -> None:
    """The sentence says which setting to change."""
    port = int(base[0].rpartition(":")[2])
    with pytest.raises(BadInput, match="VEILLE_BOARD__PORT"):
        async with serve("127.0.0.1", port, "VEILLE_BOARD__PORT", application(made(), BoardSettings())):
            pass
