"""Messages against a local server that checks signatures, fails, stalls and redirects."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from schemas.crisis import Sample
from streams.errors import BadInput
from streams.respond.notify import REJECTED_TOPIC, NotifyWorker
from streams.respond.routes import Route
from streams.respond.settings import RespondSettings
from streams.respond.target import Refused, pin
from streams.respond.webhook import MAX_BODY_BYTES, Signer, body
from tests.respond.make import note, noted_record

OLD = "whsec_" + base64.b64encode(b"o" * 32).decode()
NEW = "whsec_" + base64.b64encode(b"n" * 32).decode()
Seen = list[tuple[dict[str, str], bytes]]
#: Answers the n-th request (from 1) with a status line and headers, or None to stall.
Answer = Callable[[int], str | None]


@contextlib.asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[tuple[str, Seen]]:
    """Run an HTTP server on loopback; yield its URL and what it got."""
    seen: Seen = []
    end = asyncio.Event()
    handlers: set[asyncio.Task[Any] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        seen.append((headers, await reader.readexactly(int(headers["content-length"]))))
        reply = answer(len(seen))
        if reply is None:
            await end.wait()
        else:
            writer.write(f"HTTP/1.1 {reply}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = running.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/hook?x=1", seen
    finally:
        end.set()
        running.close()
        await asyncio.gather(*(task for task in handlers if task))
        await running.wait_closed()


def worker(url: str, secret: str = NEW, form: str = "webhook", waits: list[float] | None = None, **settings: Any) -> NotifyWorker:
    """Return a worker with one route ``r`` that waits without time passing."""

    async def sleep(seconds: float) -> None:
        if waits is not None:
            waits.append(seconds)

    values = {"allow_private_targets": True, "webhook_attempts": 3, "attempt_seconds": 0.5, **settings}
    route = Route(name="r", format=form, url=url, secret=secret)
    return NotifyWorker(RespondSettings(**values), sleep=sleep, routes={"r": route})


async def test_signed_and_repeated_under_one_id() -> None:
    """A failing receiver gets the message again, later and later, under the same id and with a valid signature."""
    waits: list[float] = []
    async with server(lambda n: "500 Oops" if n < 3 else "204 Fine") as (url, seen):
        one = worker(url, waits=waits)
        assert await one.handle([noted_record(note())]) == []
        await one.close()
    assert len(seen) == 3
    assert len({headers["webhook-id"] for headers, _ in seen}) == 1
    for headers, packed in seen:
        assert Webhook(NEW).verify(packed, headers)["subject"] == note().crisis.crisis_id
        with pytest.raises(WebhookVerificationError):
            Webhook(OLD).verify(packed, headers)
    assert 0 < waits[0] <= 2 < waits[1] * 2 <= 8


async def test_both_secrets_sign_during_a_rotation() -> None:
    """While secrets rotate, holders of the old and of the new one can both check."""
    async with server(lambda n: "200 OK") as (url, seen):
        one = worker(url, f"{OLD} {NEW}")
        await one.handle([noted_record(note())])
        await one.close()
    for secret in (OLD, NEW):
        Webhook(secret).verify(seen[0][1], seen[0][0])


@pytest.mark.parametrize(
    ("reply", "tries", "reason"),
    [
        ("503 Busy", 3, b"http 503"),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", 1, b"http 302"),
        (None, 3, b"timeout"),
        ("410 Gone", 1, b"http 410"),
    ],
)
async def test_dead_letters(reply: str | None, tries: int, reason: bytes) -> None:
    """A target that fails, redirects, stalls or is gone ends in a dead letter with the reason; redirects are not followed."""
    async with server(lambda n: reply) as (url, seen):
        one = worker(url)
        dead = await one.handle([noted_record(note())])
        await one.close()
    assert len(seen) == tries
    assert [d.topic for d in dead] == [REJECTED_TOPIC]
    assert dict(dead[0].headers)["veille-reason"] == reason
    assert dead[0].value == noted_record(note()).value


async def test_nobody_listens() -> None:
    """A closed port, garbage and an unknown route are dead letters, never exceptions."""
    one = worker("http://127.0.0.1:9/")
    records = [noted_record(note()), noted_record(note("nobody")), noted_record(note())._replace(value=b"{")]
    dead = await one.handle(records)
    await one.close()
    reasons = [dict(d.headers)["veille-reason"] for d in dead]
    assert reasons == [b"ConnectError", b"no such route", b"unreadable"]


async def test_private_targets_are_refused() -> None:
    """Loopback, private names and names with one private address among public ones are refused unless allowed."""
    async with server(lambda n: "200 OK") as (url, seen):
        one = worker(url, allow_private_targets=False)
        dead = await one.handle([noted_record(note())])
        await one.close()
    assert seen == []
    assert b"private" in dict(dead[0].headers)["veille-reason"]

    async def mixed(host: str, port: int) -> list[str]:
        return ["1.1.1.1", "10.0.0.1"]

    with pytest.raises(Refused):
        await pin("https://example.org/", allow_private=False, lookup=mixed)
    for bad in ("ftp://example.org", "https://a:b@example.org/", "http://", "http://x:99999/"):
        with pytest.raises(Refused):
            await pin(bad, allow_private=True, lookup=mixed)


async def test_the_address_is_pinned() -> None:
    """The name is looked up once, and the connection goes to that address with the name in Host and SNI."""

    async def one(host: str, port: int) -> list[str]:
        return ["2606:4700::1111"]

    target = await pin("https://example.org:8443/a?b=c", allow_private=False, lookup=one)
    assert target == ("https://[2606:4700::1111]:8443/a?b=c", "example.org:8443", "example.org")


def test_bodies_stay_small() -> None:
    """A card that would be too long loses its lists, and says which."""
    long = note(samples=tuple(Sample(mention_id=str(i), network="x", text="é" * 280) for i in range(80)))
    packed = body(long)
    assert len(packed) < MAX_BODY_BYTES
    assert json.loads(packed)["veilleshed"] == "samples"
    assert "veilleshed" not in json.loads(body(note()))


def test_a_bad_secret_says_the_mend() -> None:
    """A secret that is none is refused at start."""
    with pytest.raises(BadInput, match="whsec_"):
        Signer("whsec_é")


@pytest.mark.parametrize("form", ["slack", "teams", "pagerduty", "alertmanager"])
async def test_formats_keep_their_limits_and_escape(form: str) -> None:
    """Each service's format arrives, within its limits, and no mention can ping or format."""
    async with server(lambda n: "202 OK") as (url, seen):
        one = worker(url, "key", form)
        big = note(samples=tuple(Sample(mention_id=str(i), network="x", text="<!here> " * 35) for i in range(5)))
        ended = note(name="resolved", phase="resolved")
        assert await one.handle([noted_record(big), noted_record(ended)]) == []
        await one.close()
    first, last = (json.loads(packed) for _, packed in seen)
    if form == "slack":
        assert first["text"]
        assert len(first["blocks"]) <= 50
        assert len(first["blocks"][1]["text"]["text"]) <= 3000
        assert "<!" not in first["text"] + first["blocks"][1]["text"]["text"]
    elif form == "teams":
        assert first["attachments"][0]["content"]["type"] == "AdaptiveCard"
        assert len(seen[0][1]) < 28_000
    elif form == "pagerduty":
        assert (first["event_action"], last["event_action"]) == ("trigger", "resolve")
        assert first["dedup_key"] == last["dedup_key"]
        assert len(first["payload"]["summary"]) <= 1024
        assert first["payload"]["severity"] in ("critical", "error", "warning", "info")
    else:
        assert (first["version"], first["status"], last["status"]) == ("4", "firing", "resolved")
