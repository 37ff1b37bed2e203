"""One GET: bounded in size, unpacked with care, and never led inside the network."""

from __future__ import annotations

import gzip
import zlib

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from streams.sources.live.fetch import Answer, Fetcher
from streams.sources.live.trouble import Trouble
from tests.sources.live.desk import site

GZIP = {"content-encoding": "gzip"}


async def here(host: str, port: int) -> list[str]:
    """Every name is this machine's."""
    return ["127.0.0.1"]


async def ask(url: str, *, private: bool = True, max_bytes: int = 1000, secret: str = "") -> Answer:
    """Fetch ``url`` with a fetcher of its own."""
    fetcher = Fetcher(allow_private=private, max_bytes=max_bytes, lookup=here)
    return await fetcher.get(url, {"accept": "text/plain"}, {"authorization": secret} if secret else None)


async def test_a_body_comes_plain_or_packed() -> None:
    """Both are the same to who asks."""

    def answer(request: Request) -> Response:
        packed = request.url.path == "/packed"
        return Response(gzip.compress(b"hello") if packed else b"hello", headers=GZIP if packed else {})

    async with site(answer) as url:
        assert [(await ask(f"{url}/{path}")).body for path in ("packed", "plain")] == [b"hello", b"hello"]


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        (b"x" * 1001, {}, "too large"),
        (gzip.compress(b"x" * 50_000_000), GZIP, "too large"),
        (b"no gzip at all", GZIP, "not coded as it says"),
        (zlib.compress(b"x"), {"content-encoding": "br"}, "not asked for"),
    ],
    ids=["long", "bomb", "damaged", "other"],
)
async def test_a_body_that_cannot_be_used(body: bytes, headers: dict[str, str], said: str) -> None:
    """A huge body, and a small one that unfolds into a huge one, are given up at the limit."""
    async with site(lambda request: Response(body, headers=headers)) as url:
        with pytest.raises(Trouble, match=said):
            await ask(url)


async def test_it_is_not_led_inside() -> None:
    """A redirect to another host inside the network is refused, even for a source that lies there; within its own host it is followed."""
    inside = []

    def answer(request: Request) -> Response:
        inside.append(request.headers["host"].partition(":")[0])
        leads = {"/away": f"http://other.example:{request.url.port}/", "/own": "/end", "/round": "/round"}
        to = leads.get(request.url.path)
        return RedirectResponse(to) if to else Response("here")

    async with site(answer) as url:
        own = url.replace("127.0.0.1", "own.example")
        assert (await ask(f"{own}/own")).body == b"here"
        with pytest.raises(Trouble, match=r"after 1 redirect: .*private"):
            await ask(f"{own}/away")
        with pytest.raises(Trouble, match="more than 5 redirects"):
            await ask(f"{own}/round")
        with pytest.raises(Trouble, match="private"):
            await ask(f"{own}/own", private=False)
    assert set(inside) == {"own.example"}


async def test_a_secret_stays_with_its_origin() -> None:
    """A token goes to the configured origin, and to no other that it leads to."""
    heard: list[tuple[str, str | None]] = []

    def answer(request: Request) -> Response:
        heard.append((request.url.path, request.headers.get("authorization")))
        return RedirectResponse(f"{other}/stranger") if request.url.path == "/start" else Response("x")

    async with site(answer) as other, site(answer) as url:
        assert (await ask(f"{url}/start", secret="Bearer x")).status == 200
    assert heard == [("/start", "Bearer x"), ("/stranger", None)]


async def test_nobody_there() -> None:
    """A port where nobody listens is trouble, with no word of the URL."""
    async with site(lambda request: Response("x")) as url:
        pass
    with pytest.raises(Trouble, match="no answer") as caught:
        await ask(f"{url}/secret-path")
    assert "secret-path" not in str(caught.value)
