"""Every other service, through Apprise: against local servers that check schema and limits, fail, stall, drip and redirect."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from schemas.crisis import Sample
from streams.engine.stage import Output
from streams.errors import BadInput
from streams.respond.notify import NotifyWorker
from streams.respond.others import Other
from streams.respond.routes import Route
from streams.respond.settings import RespondSettings
from tests.respond.local import DRIP, SCHEMAS, server
from tests.respond.make import note, noted_record

pytest.importorskip("apprise", reason="pip install 'veille[apprise]'")


def route(url: str, **more: Any) -> Route:
    """Return a route that Apprise serves."""
    return Route(name="r", format="apprise", url=url, language="en", **more)


def at(url: str, scheme: str = "json") -> str:
    """Return a local server's address as Apprise writes it."""
    return url.replace("http://", f"{scheme}://").partition("?")[0]


async def dead_letters(target: Route, *, tries: int = 1, seconds: float = 60.0, **more: Any) -> list[Output]:
    """Send one message over ``target``; return what became a dead letter."""

    async def no_time(wait: float) -> None:
        return None

    one = NotifyWorker(RespondSettings(webhook_attempts=tries, attempt_seconds=seconds), sleep=no_time, routes={"r": target})
    dead = await one.handle([noted_record(note(**more))])
    await one.close()
    return dead


def reason(dead: list[Output]) -> tuple[str, str]:
    """Return (reason, attempts) of the only dead letter."""
    headers = dict(dead[0].headers)
    return headers["veille-reason"].decode(), headers["veille-attempts"].decode()


def children() -> list[str]:
    """Return the command lines of this process's children that send messages."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if parent == str(os.getpid()) and "handover" in words:
            lines.append(words)
    return lines


async def test_a_message_arrives() -> None:
    """The service gets the headline as title and the rest of the brief as body, and no mention can ping."""
    async with server(lambda n: "200 OK") as (url, seen):
        assert await dead_letters(route(at(url), allow_private=True), headline="@everyone *look*") == []
    sent = json.loads(seen[0][1])
    assert sent["title"] == "@\u200beveryone \u2217look\u2217"
    assert len(sent["message"].splitlines()) == 11


async def test_the_body_keeps_its_schema_and_the_limits_of_the_service() -> None:
    """Texts that are hostile and too long are cut to what the service takes, in one message: no storm of parts."""
    text = "<!channel> @everyone <@U1> *x* [a](http://b) \u202e\x1b[31m\r\n <b>" * 20
    wild: dict[str, Any] = {
        "headline": text, "caveats": tuple(text for _ in range(40)),
        "samples": tuple(Sample(mention_id=str(i), network="x<!here>", text=text) for i in range(80)),
    }  # fmt: skip
    async with server(lambda n: "200 OK") as (url, seen):
        assert await dead_letters(route(at(url), allow_private=True), **wild) == []
        assert await dead_letters(route(at(url, "mmost") + "/token", allow_private=True), **wild) == []
    assert len(seen) == 2
    plain, chat = (json.loads(packed) for _, packed in seen)
    jsonschema.Draft202012Validator(SCHEMAS["apprise"]).validate(plain)
    assert not {"\u202e", "\x1b", "\r", "<", ">", "*", "["} & set(plain["title"] + plain["message"])
    assert 0 < len(chat["text"]) <= 4000
    assert all(len(packed) < 40_000 for _, packed in seen)


@pytest.mark.parametrize(
    ("reply", "tries", "said"),
    [
        ("500 Oops", 2, ("http 500", "2")),
        ("410 Gone", 2, ("http 410", "1")),
        ("302 Found\r\nLocation: {other}", 2, ("http 302", "1")),
        ("307 Moved\r\nLocation: {other}", 2, ("http 307", "1")),
        ("308 Moved\r\nLocation: http://169.254.169.254/latest", 2, ("http 308", "1")),
    ],
)
async def test_what_fails_or_redirects_is_a_dead_letter(reply: str, tries: int, said: tuple[str, str]) -> None:
    """A service that fails is tried again; one that moved or is gone is not; where a redirect leads nobody connects, even if asked to."""
    async with server(lambda n: "200 OK") as (other, reached), server(lambda n: reply.format(other=other)) as (url, seen):
        dead = await dead_letters(route(at(url) + "?redirect=yes", allow_private=True), tries=tries)
    assert reason(dead) == said
    assert len(seen) == int(said[1])
    assert reached == []


async def test_what_stalls_is_cut_off() -> None:
    """A service whose answer never ends is left when the attempt's time is up, and the process that waited for it is gone."""
    async with server(lambda n: DRIP) as (url, seen):
        task = asyncio.create_task(dead_letters(route(at(url), allow_private=True), seconds=6.0))
        while not seen and not task.done():
            await asyncio.sleep(0.05)
        assert children() or task.done()
        assert reason(await task) == ("timeout", "1")
        assert children() == []


async def test_a_silent_service_is_tried_again() -> None:
    """A service that takes the message and says nothing is given up by Apprise, and tried again."""
    async with server(lambda n: None if n == 1 else "200 OK") as (url, seen):
        assert await dead_letters(route(at(url) + "?rto=1", allow_private=True), tries=2) == []
    assert len(seen) == 2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:7f00:1]"])
async def test_private_targets_are_refused(host: str) -> None:
    """No URL of Apprise reaches a private address, by number or by name, unless the route allows it; no repeat is tried."""
    async with server(lambda n: "200 OK") as (url, seen):
        port = url.split(":")[2].split("/")[0]
        dead = await dead_letters(route(f"json://{host}:{port}/hook"), tries=3)
    assert reason(dead) == ("the target lies in a private address range", "1")
    assert seen == []


@pytest.mark.parametrize(
    "url",
    ["mailto://u:p@127.0.0.1:{port}?to=a@example.org&from=u@example.org&smtp=127.0.0.1&mode=insecure", "rsyslog://127.0.0.1:{port}"],
)
async def test_other_protocols_are_refused_alike(url: str) -> None:
    """The check stands below every library: mail and datagrams are refused where HTTP is."""
    async with server(lambda n: "200 OK") as (local, seen):
        dead = await dead_letters(route(url.format(port=local.split(":")[2].split("/")[0])), tries=3)
    assert reason(dead) == ("the target lies in a private address range", "1")
    assert seen == []


async def test_no_proxy_looks_names_up_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment would connect to whatever it is told: it is not used."""
    async with server(lambda n: "200 OK") as (proxy, asked), server(lambda n: "200 OK") as (url, seen):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.partition("/hook")[0])
        assert await dead_letters(route(at(url), allow_private=True)) == []
    assert len(seen) == 1
    assert asked == []


def test_urls_that_name_no_service() -> None:
    """What Apprise does not know is an error of the routes; a host of one's own and a service at a fixed address are fine."""
    for url in ("json://internal.example/hook", "discord://1234567890/abcdefghijklmnop"):
        Other(route(url), seconds=1.0)
    with pytest.raises(BadInput, match="reads no service"):
        Other(route("nothing-at-all"), seconds=1.0)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Apprise the route says which extra to install."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(BadInput, match=r"veille\[apprise\]"):
        Other(route("discord://1234567890/abcdefghijklmnop"), seconds=1.0)
