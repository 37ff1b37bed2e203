"""A webhook takes what is a mention, says why the rest is none, and answers 202 only for what the broker has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as Signer

from streams.enrich.decode import decode
from streams.sources.live.config import Webhook
from streams.sources.live.making import Ready
from streams.sources.live.signed import Door
from streams.sources.live.webhook import MAX_BODY_BYTES, MAX_MENTIONS, MAX_WAITING, WebhookSource, read_mention
from tests.sources.live.desk import NOW, Desk

ONE = {"id": "1", "network": "x", "text": "Acme lost my bag", "published_at": "2026-09-21T14:00:00Z"}
SECRET = "whsec_" + "c2VjcmV0" * 5
JSON = {"content-type": "application/json"}


@asynccontextmanager
async def hook(desk: Desk, **given: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A webhook that listens, and a client that posts to it."""
    patience = given.pop("patience", 15.0)
    source = WebhookSource(Webhook("one", port=0, **given), desk.post(), patience=patience)
    running = asyncio.create_task(source.run())
    while not source.port and not running.done():
        await asyncio.sleep(0.01)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{source.port}", timeout=60) as client:
            yield client
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_one_a_list_and_lines(tmp_path: Path) -> None:
    """All three forms arrive, each with its id as the key, the source's name and the time of its collection."""
    desk = Desk(tmp_path)
    async with hook(desk) as client:
        one = await client.post("/mentions", json=ONE)
        several = await client.post("/mentions", json=[{**ONE, "id": "2"}, {**ONE, "id": 3}])
        lines = "\n".join(json.dumps({**ONE, "id": number}) for number in ("4", "5"))
        both = await client.post("/mentions", content=lines, headers={"content-type": "application/x-ndjson"})
    assert [answer.status_code for answer in (one, several, both)] == [202, 202, 202]
    assert [answer.json()["accepted"] for answer in (one, several, both)] == [1, 2, 2]
    assert desk.kept.ids == ["1", "2", "3", "4", "5"]
    assert [output.key for output in desk.kept.outputs] == [b"1", b"2", b"3", b"4", b"5"]
    assert {(one["source"], one["collected_at"]) for one in desk.kept.mentions} == {("one", "2026-09-21T14:13:20Z")}
    assert desk.metric("veille_source_mentions_total") == 5


async def test_each_bad_one_has_its_verdict(tmp_path: Path) -> None:
    """The good ones of a list are taken, and each of the others is named with a sentence; a list without a good one is 400."""
    bad: list[Any] = [17, {}, {**ONE, "text": ""}, {**ONE, "published_at": "soon"}, {**ONE, "id": "x" * 600}, {**ONE, "network": 3}]
    desk = Desk(tmp_path)
    async with hook(desk) as client:
        mixed = await client.post("/mentions", json=[*bad, ONE])
        none = await client.post("/mentions", json=bad)
    assert (mixed.status_code, mixed.json()["accepted"]) == (202, 1)
    assert [one["index"] for one in mixed.json()["refused"]] == list(range(len(bad)))
    assert (none.status_code, none.json()["accepted"]) == (400, 0)
    assert desk.kept.ids == ["1"]
    assert desk.metric("veille_source_refused_total") == 2 * len(bad)


async def test_a_mention_without_an_id_is_known_again(tmp_path: Path) -> None:
    """The same mention twice has the same id; a network that all of a source have need not be said."""
    desk = Desk(tmp_path)
    bare = {"text": "Acme!", "published_at": 1_789_999_000}
    async with hook(desk, network="forum") as client:
        for _ in range(2):
            assert (await client.post("/mentions", json=bare)).status_code == 202
    first, second = desk.kept.mentions
    assert first == second
    assert (first["network"], first["published_at"]) == ("forum", "2026-09-21T13:56:40Z")


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", JSON, 400), (b"", JSON, 400), (b"[]", JSON, 400), (b'"text"', JSON, 400), (b"\xff\xfe", JSON, 400),
        (b"\n\n", {"content-type": "application/jsonl"}, 400), (b"{}", {"content-type": "text/plain"}, 415), (b"{}", {}, 415),
        (b"a=b", {"content-type": "application/x-www-form-urlencoded"}, 415), (b"{}", {**JSON, "content-encoding": "gzip"}, 415),
        (b" " * (MAX_BODY_BYTES + 1), JSON, 413), (b"[%s]" % b",".join([b"0"] * (MAX_MENTIONS + 1)), JSON, 413),
    ],
)  # fmt: skip
async def test_what_is_no_request_is_told_so(content: bytes, headers: dict[str, str], status: int, tmp_path: Path) -> None:
    """Garbage, what a stranger's page could send through a browser, and what is too large get a sentence in JSON."""
    desk = Desk(tmp_path)
    async with hook(desk) as client:
        answer = await client.post("/mentions", content=content, headers=headers)
    assert answer.status_code == status
    assert len(answer.json()["error"].split()) >= 4
    assert desk.kept.outputs == []


async def test_another_place_or_method_is_told_so(tmp_path: Path) -> None:
    """A sentence in JSON there too."""
    async with hook(Desk(tmp_path)) as client:
        found = [await client.post("/", json=ONE), await client.get("/mentions")]
    assert [(one.status_code, one.json()["error"]) for one in found] == [
        (404, "mentions are posted to /mentions"), (405, "mentions are posted: use POST"),
    ]  # fmt: skip


async def test_a_body_that_never_comes_is_given_up(tmp_path: Path) -> None:
    """Whoever sends a byte now and then holds no place for ever; without the token nothing of the body is read at all."""

    async def begin(client: httpx.AsyncClient, headers: str) -> bytes:
        """Send a request whose body never ends; return how the answer begins."""
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(f"POST /mentions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}\r\n[".encode())
        try:
            return await reader.readuntil(b"\r\n")
        finally:
            writer.close()
            await writer.wait_closed()

    async with hook(Desk(tmp_path), patience=0.2, door=Door(token="open-sesame")) as client:
        slow = await begin(client, "Content-Length: 99\r\nAuthorization: Bearer open-sesame\r\n")
        strange = await begin(client, "Content-Length: 99\r\n")
    assert (slow.split()[1], strange.split()[1]) == (b"408", b"401")


async def test_no_name_of_a_stranger_leads_here(tmp_path: Path) -> None:
    """A page whose name was made to lead to this machine posts nothing; who has the token comes by any name."""
    desk, strange = Desk(tmp_path), {"host": "evil.example"}
    async with hook(desk) as client:
        assert (await client.post("/mentions", json=ONE, headers=strange)).status_code == 403
        assert (await client.post("/mentions", json=ONE, headers={"host": "localhost:1"})).status_code == 202
    async with hook(desk, door=Door(token="x")) as client:
        assert (await client.post("/mentions", json=ONE, headers={**strange, "authorization": "Bearer x"})).status_code == 202


async def test_a_token_lets_in(tmp_path: Path) -> None:
    """Without the right token nothing is taken."""
    desk = Desk(tmp_path)
    async with hook(desk, door=Door(token="open-sesame")) as client:
        wrong = ("Bearer open", "Basic open-sesame", "open-sesame", "Bearer x")
        tried = [(await client.post("/mentions", json=ONE, headers={"authorization": word})).status_code for word in wrong]
        tried.append((await client.post("/mentions", json=ONE)).status_code)
        assert desk.kept.outputs == []
        right = await client.post("/mentions", json=ONE, headers={"authorization": "Bearer open-sesame"})
    assert tried == [401] * 5
    assert right.status_code == 202


async def test_a_signature_lets_in(tmp_path: Path) -> None:
    """A body signed as Standard Webhooks says is taken; another body, another secret, or an old signature is not."""
    desk = Desk(tmp_path)
    body = json.dumps(ONE)

    def signed(said: str = body, secret: str = SECRET, ms: int = NOW) -> dict[str, str]:
        at = datetime.fromtimestamp(ms // 1000, UTC)
        sign = Signer(secret).sign("m1", at, said)
        return {**JSON, "webhook-id": "m1", "webhook-timestamp": str(ms // 1000), "webhook-signature": f"v1a,x {sign}"}

    other = "whsec_" + "b3RoZXIh" * 5
    async with hook(desk, door=Door(secrets=f"{other} {SECRET}")) as client:
        good = [await client.post("/mentions", content=body, headers=signed(secret=one)) for one in (SECRET, other)]
        wrong = [
            signed(said=body + " "),
            signed(secret="whsec_" + "bm90IGl0" * 5),
            signed(ms=NOW - 301_000),
            signed(ms=NOW + 301_000),
            JSON,
        ]
        bad = [await client.post("/mentions", content=body, headers=headers) for headers in wrong]
    assert [one.status_code for one in good] == [202, 202]
    assert [one.status_code for one in bad] == [401] * 5
    assert desk.kept.ids == ["1", "1"]


async def test_a_broker_that_is_away_is_503(tmp_path: Path) -> None:
    """What the broker does not have is not said to be taken; when it is back, the same request is."""
    desk = Desk(tmp_path)
    desk.kept.open.clear()
    async with hook(desk, patience=0.2) as client:
        away = await client.post("/mentions", json=ONE)
        desk.kept.open.set()
        back = await client.post("/mentions", json=ONE)
    assert (away.status_code, back.status_code) == (503, 202)
    assert away.headers["retry-after"].isdigit()
    assert desk.kept.ids == ["1"]


async def test_many_who_wait_are_429(tmp_path: Path) -> None:
    """While the broker is away no more than a few requests wait, whatever their number: memory is bounded."""
    desk = Desk(tmp_path)
    desk.kept.open.clear()
    async with hook(desk) as client:
        waiting = [asyncio.create_task(client.post("/mentions", json={**ONE, "id": str(n)})) for n in range(MAX_WAITING + 5)]
        done: list[asyncio.Task[httpx.Response]] = []
        while len(done) < 5:
            await asyncio.sleep(0.01)
            done = [one for one in waiting if one.done()]
        assert {one.result().status_code for one in done} == {429}
        desk.kept.open.set()
        answers = [(await one).status_code for one in waiting]
    assert sorted(answers) == [202] * MAX_WAITING + [429] * 5
    assert len(desk.kept.ids) == MAX_WAITING


async def test_its_clock_goes_while_it_listens(tmp_path: Path) -> None:
    """A webhook that listens is heard: silence is nobody's fault."""
    desk = Desk(tmp_path)
    post = desk.post()
    source = WebhookSource(Webhook("one", port=0), post)
    assert post.reached_ms is None
    running = asyncio.create_task(source.run())
    while post.reached_ms is None:
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert post.reached_ms == NOW
    assert desk.metric("veille_source_up") == 1


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
_ROW = st.dictionaries(st.sampled_from([*ONE, "author", "source", "url", "collected_at"]), _JSON | st.sampled_from(list(ONE.values())))


@given(_JSON | _ROW)
def test_any_json_has_a_verdict(row: Any) -> None:
    """No JSON makes it raise; and what it takes, enrichment takes too."""
    verdict = read_mention(row, Webhook("one", network="x"), NOW)
    if isinstance(verdict, Ready):
        mention, _ = decode(verdict.value)
        assert mention.source == "one"
    else:
        assert len(verdict.split()) > 2
