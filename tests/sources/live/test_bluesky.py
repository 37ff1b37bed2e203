"""A Jetstream: posts that may name a brand, from the cursor on, over drops and restarts."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from schemas.brand import Brand, Watchlist
from streams.cli.collect import Watched
from streams.enrich.decode import decode
from streams.sources.live.bluesky import OVERLAP_US, BlueskySource, Wanted
from streams.sources.live.config import Bluesky
from streams.sources.live.post import Post
from streams.sources.live.skeets import read_event
from streams.sources.live.trouble import Trouble
from tests.respond.local import certificate
from tests.sources.live.desk import NOW, Desk

DID = "did:plc:eygmaihciaxprqvxpfvl6flk"


def event(seconds: float, text: str = "Acme lost my bag", **more: Any) -> dict[str, Any]:
    """Return a post as a Jetstream tells of it, so many seconds before now."""
    at_us = round((NOW / 1000 - seconds) * 1_000_000)
    record = {"$type": "app.bsky.feed.post", "createdAt": "2026-09-21T14:00:00.000Z", "langs": ["en"], "text": text, **more}
    commit = {
        "rev": "3l3qo2vutsw2b", "operation": "create", "collection": "app.bsky.feed.post", "rkey": f"r{at_us}", "record": record,
    }  # fmt: skip
    return {"did": DID, "time_us": at_us, "kind": "commit", "commit": commit}


def uri(seconds: float) -> str:
    """Return the address of that post."""
    return f"at://{DID}/app.bsky.feed.post/r{round((NOW / 1000 - seconds) * 1_000_000)}"


class Jetstream:
    """Tells its events from the cursor on, then waits for more; `drop` cuts the connection, as `raw` messages go first."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.events = list(events)
        self.raw: list[str | bytes] = []
        self.asked: list[dict[str, list[str]]] = []
        self.refuse: HTTPStatus | None = None
        self.more = asyncio.Event()
        self.drop = False

    async def __call__(self, stream: ServerConnection) -> None:
        """Serve one listener."""
        assert stream.request is not None
        asked = parse_qs(urlsplit(stream.request.path).query)
        self.asked.append(asked)
        cursor = int(asked.get("cursor", ["0"])[0])
        for raw in self.raw:
            with suppress(ConnectionClosed):
                await stream.send(raw)
        at, gone = 0, asyncio.ensure_future(stream.wait_closed())
        while not self.drop and not gone.done():
            while at < len(self.events):
                if self.events[at]["time_us"] >= cursor:
                    with suppress(ConnectionClosed):
                        await stream.send(json.dumps(self.events[at]))
                at += 1
            self.more.clear()
            more = asyncio.ensure_future(self.more.wait())
            await asyncio.wait({more, gone}, return_when=asyncio.FIRST_COMPLETED)
            more.cancel()
        self.drop = False
        await stream.close(1011)

    def cut(self) -> None:
        """Drop the connection."""
        self.drop = True
        self.more.set()

    def tell(self, *events: dict[str, Any]) -> None:
        """Tell of more."""
        self.events += events
        self.more.set()


@asynccontextmanager
async def server(jetstream: Jetstream, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The Jetstream on loopback; yields its URL."""

    def process(connection: ServerConnection, request: Request) -> Response | None:
        return None if jetstream.refuse is None else connection.respond(jetstream.refuse, "no\n")

    async with serve(jetstream, "127.0.0.1", 0, process_request=process, ssl=tls) as running:
        port = next(iter(running.sockets)).getsockname()[1]
        try:
            yield f"ws://127.0.0.1:{port}/subscribe"
        finally:
            running.close()


def wanted() -> Callable[[], Wanted | None]:
    """Return what the command hands in: what enrichment will match."""
    watched = Watched()
    watched.take(Watchlist(brands=(Brand(id="acme", names=("Acme",), hashtags=("acmebags",)),)))
    return lambda: watched.wanted


def source(url: str, post: Post, **more: Any) -> BlueskySource:
    """A source as a new process would make it."""
    return BlueskySource(Bluesky("one", url, allow_private=more.pop("private", True)), post, more.pop("wanted", wanted()), **more)


async def until(condition: Callable[[], bool], work: Awaitable[None]) -> BaseException | None:
    """Let ``work`` run until ``condition`` holds, then stop it; return what it ended with by itself."""
    running = asyncio.ensure_future(work)
    while not condition() and not running.done():
        await asyncio.sleep(0.01)
    running.cancel()
    (ended,) = await asyncio.gather(running, return_exceptions=True)
    return ended if isinstance(ended, Exception) else None


async def test_posts_that_may_name_a_brand(tmp_path: Path) -> None:
    """Only those are published; the clock is that of the last event, whatever it was, and the cursor is remembered."""
    desk = Desk(tmp_path)
    post = desk.post()
    deleted = event(4)
    deleted["commit"] = {**deleted["commit"], "operation": "delete", "record": None}
    identity = {"did": DID, "time_us": event(2)["time_us"], "kind": "identity", "identity": {"handle": "ann.example"}}
    jetstream = Jetstream(event(9), event(8, "Nothing to do with it"), event(7, "look #AcmeBags"), deleted, identity)
    async with server(jetstream) as url:
        await until(lambda: post.reached_ms == NOW - 2000, source(url, post).run())
    assert desk.kept.ids == [uri(9), uri(7)]
    assert desk.kept.mentions[0] == {
        "id": uri(9), "network": "bluesky", "text": "Acme lost my bag", "published_at": "2026-09-21T14:00:00Z", "author": {"id": DID},
        "url": f"https://bsky.app/profile/{DID}/post/{uri(9).rpartition('/')[2]}", "lang": "en",
        "source": "one", "collected_at": "2026-09-21T14:13:20Z",
    }  # fmt: skip
    assert jetstream.asked == [{"wantedCollections": ["app.bsky.feed.post"]}]
    assert desk.metric("veille_source_up") == 1
    assert json.loads((tmp_path / "one.json").read_text())["at"] == {"cursor": event(2)["time_us"]}


def test_replies_quotes_links_and_cards() -> None:
    """What it answers or quotes, and under which post; whole addresses in place of those that are shown cut; what a card says."""
    reply = {"parent": {"uri": "at://b/app.bsky.feed.post/1", "cid": "x"}, "root": {"uri": "at://a/app.bsky.feed.post/0", "cid": "x"}}
    quote = {"$type": "app.bsky.embed.record", "record": {"uri": "at://c/app.bsky.feed.post/2", "cid": "x"}}
    both = {"$type": "app.bsky.embed.recordWithMedia", "record": {"record": {"uri": "at://c/app.bsky.feed.post/3"}}, "media": {}}
    text = "Acme 🧳 é see news.example/a... now"
    begin = len(text[: text.index("news")].encode())
    facet = {
        "index": {"byteStart": begin, "byteEnd": begin + len("news.example/a...")},
        "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://news.example/a/long/path"}],
    }
    card = {"$type": "app.bsky.embed.external", "external": {"uri": "https://news.example/b", "title": "Bags lost", "description": ""}}
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"reply": reply}, {"kind": "reply", "parent_id": "at://b/app.bsky.feed.post/1", "root_id": "at://a/app.bsky.feed.post/0"}),
        ({"embed": quote}, {"kind": "quote", "parent_id": "at://c/app.bsky.feed.post/2"}),
        ({"embed": both}, {"kind": "quote", "parent_id": "at://c/app.bsky.feed.post/3"}),
        ({"text": text, "facets": [facet]}, {"text": "Acme 🧳 é see https://news.example/a/long/path now"}),
        ({"embed": card}, {"text": "Acme lost my bag\nBags lost\nhttps://news.example/b"}),
        ({"createdAt": "2036-01-01T00:00:00Z"}, {"published_at": "2026-09-21T14:13:15Z"}),
    ]
    for more, expected in cases:
        found = read_event(event(5, **more), "one", NOW)
        assert found is not None
        assert json.loads(found.value).items() >= expected.items()


def test_what_is_brought_over_from_elsewhere_is_no_news() -> None:
    """A post dated days before it was seen is an import; one from just before the stream was interrupted is not."""
    assert read_event(event(5, createdAt="2019-01-01T00:00:00Z"), "one", NOW) is None
    assert read_event(event(5, createdAt="2026-09-20T15:00:00Z"), "one", NOW) is not None
    assert read_event(event(5 * 86_400, createdAt="2026-09-16T14:00:00Z"), "one", NOW) is not None


async def test_the_address_is_pinned_and_must_prove_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS the certificate is checked against the name, though the connection goes to the address that was looked up."""
    tls, ca_file = certificate("sky.example", tmp_path)
    authority = ssl.create_default_context(cafile=str(ca_file))
    monkeypatch.setattr("streams.sources.live.bluesky.trust", lambda: authority)

    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    desk, jetstream = Desk(tmp_path), Jetstream(event(5))
    async with server(jetstream, tls) as url:
        named = url.replace("ws://127.0.0.1", "wss://sky.example")
        assert await until(lambda: bool(desk.kept.ids), source(named, desk.post(), lookup=here).run()) is None
        with pytest.raises(Trouble, match="SSLCertVerificationError"):
            await source(named.replace("sky", "other"), desk.post(), lookup=here).run()
    assert desk.kept.ids == [uri(5)]


async def test_a_drop_and_a_restart_lose_nothing(tmp_path: Path) -> None:
    """After a drop, and in a new process, the stream goes on from the cursor, with a few seconds heard again under the same ids."""
    desk, jetstream = Desk(tmp_path), Jetstream(event(100))
    async with server(jetstream) as url:
        first = source(url, desk.post())
        ended = asyncio.create_task(first.run())
        while uri(100) not in desk.kept.ids:
            await asyncio.sleep(0.01)
        jetstream.cut()
        (error,) = await asyncio.gather(ended, return_exceptions=True)
        assert isinstance(error, Trouble)
        assert "lost" in str(error)
        jetstream.events.append(event(99))  # while nobody listens
        await until(lambda: uri(99) in desk.kept.ids, first.run())
        jetstream.events.append(event(50))
        await until(lambda: uri(50) in desk.kept.ids, source(url, desk.post()).run())
    assert list(dict.fromkeys(desk.kept.ids)) == [uri(100), uri(99), uri(50)]
    cursors = [int(one["cursor"][0]) for one in jetstream.asked[1:]]
    assert cursors[0] == event(100)["time_us"] - OVERLAP_US
    assert event(99)["time_us"] - OVERLAP_US <= cursors[1] <= event(99)["time_us"]


async def test_what_the_broker_did_not_take_is_heard_again(tmp_path: Path) -> None:
    """While the broker is away nothing is read on, the clock stands, and a process that is stopped then loses nothing."""
    desk, jetstream = Desk(tmp_path), Jetstream(event(60))
    async with server(jetstream) as url:
        await until(lambda: bool(desk.kept.ids), source(url, desk.post()).run())
        desk.kept.open.clear()
        jetstream.events += [event(30 - n / 100) for n in range(300)]
        post = desk.post()
        waiting = source(url, post)
        await until(lambda: len(waiting._ready) >= 200, waiting.run())
        assert post.reached_ms is None
        assert len(desk.kept.ids) == 1
        desk.kept.open.set()
        await until(lambda: len(set(desk.kept.ids)) == 301, source(url, desk.post()).run())
    assert len(set(desk.kept.ids)) == 301


async def test_garbage_is_counted_and_passed_over(tmp_path: Path) -> None:
    """No JSON, no object, no time, a time to come: each is refused, and the stream goes on."""
    desk, jetstream = Desk(tmp_path), Jetstream(event(5))
    jetstream.raw = ["{", "[]", b"\xff", "{}", json.dumps({**event(1), "time_us": event(-9999)["time_us"]}), json.dumps({"time_us": True})]
    post = desk.post()
    async with server(jetstream) as url:
        await until(lambda: bool(desk.kept.ids) and post.reached_ms is not None, source(url, post).run())
    assert desk.kept.ids == [uri(5)]
    assert desk.metric("veille_source_refused_total") == 6
    assert post.reached_ms == NOW - 5000


async def test_what_is_no_jetstream_is_named(tmp_path: Path) -> None:
    """A refusal, a message that is too long, silence, a private address that is not allowed, nobody there, and no watchlist."""
    desk, jetstream = Desk(tmp_path), Jetstream()

    async def said(url: str, **more: Any) -> str:
        with pytest.raises(Trouble) as caught:
            await source(url, desk.post(), **more).run()
        return str(caught.value)

    async with server(jetstream) as url:
        assert "allow_private" in await said(url, private=False)
        assert "veille watchlist apply" in await said(url, wanted=lambda: None)
        assert "says nothing" in await said(url, silence=0.0)
        jetstream.raw = ["x" * (2 << 20)]
        assert "lost or refused (ConnectionClosedError)" in await said(url)
        for status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.FOUND, HTTPStatus.INTERNAL_SERVER_ERROR):
            jetstream.refuse = status
            assert f"it answers {status.value}" in await said(url)
    assert "lost or refused" in await said(url)
    assert desk.kept.outputs == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
_RECORD = st.fixed_dictionaries({"text": st.text()}, optional=dict.fromkeys(("createdAt", "langs", "reply", "embed", "facets"), _JSON))
_FACET = st.fixed_dictionaries(
    {
        "index": st.fixed_dictionaries({"byteStart": st.integers(-3, 30), "byteEnd": st.integers(-3, 30)}),
        "features": st.just([{"uri": "https://a.example/"}]),
    }
)


@given(_JSON, _JSON | _RECORD, st.lists(_FACET), _JSON)
def test_any_json_is_a_mention_or_none(whole: Any, record: Any, facets: list[Any], at: Any) -> None:
    """Nothing is raised, and what is found is a mention for enrichment too."""
    told = event(5)
    told["commit"]["record"] = record
    told["time_us"] = at
    folded = event(5, "Acme é 🧳 lost my bag", facets=facets)
    for one in (whole, told, folded):
        mention = read_event(one, "one", NOW)
        if mention is not None:
            assert decode(mention.value)[0].network == "bluesky"
