"""Fetches what a URL shows, behind the guard of `streams.inside`: every hop checked and pinned, size, time and redirects bounded."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx

from streams.clock import WallClock, wall_ms
from streams.errors import VeilleError
from streams.inside import WEB_PORTS, Refused, Resolve, pin, resolve

_USUAL = {"accept": "*/*", "accept-encoding": "gzip", "user-agent": "veille", "connection": "close"}
_MOVED = frozenset({301, 302, 303, 307, 308})
_CUTS = {"length": "the answer is too large", "time": "the answer took too long", "disconnect": "the answer broke off"}
_WRONGLY = "the answer is not coded as it says"
Headers = tuple[tuple[bytes, bytes], ...]


class NotFetched(VeilleError):
    """The URL gave no answer: refused by the guard, no such host, no connection, nothing in time. The message names no path."""

    exit_code = 1


class Limits(NamedTuple):
    """The largest body that is read, how long all hops may take together, and how many redirects are followed."""

    max_bytes: int = 5_000_000
    seconds: float = 30.0
    redirects: int = 5


_LIMITS = Limits()


class Exchange(NamedTuple):
    """One request and its answer, as they went over the wire; ``body`` still in its content coding, without transfer coding.

    ``cut`` says why the body ends before its end: "length" (the limit of size), "time", "disconnect", or "" for a whole one.
    """

    url: str
    address: str
    at_ms: int
    method: str
    path: bytes
    asked: Headers
    version: str
    status: int
    reason: str
    answered: Headers
    body: bytes
    cut: str

    def header(self, name: str) -> str:
        """Return the first header of the answer called ``name`` (lower case), or ""."""
        value = next((value for key, value in self.answered if key.lower() == name.encode()), b"")
        try:
            return value.decode()  # as browsers read a Location that is not escaped
        except UnicodeDecodeError:
            return value.decode("latin-1")


async def fetch(
    url: str, *, limits: Limits = _LIMITS, headers: Mapping[str, str] | None = None, secret: Mapping[str, str] | None = None,
    allow_private: bool = False, lookup: Resolve = resolve, trust: ssl.SSLContext | None = None, clock: WallClock = wall_ms,
) -> list[Exchange]:  # fmt: skip
    """Get ``url`` and follow its redirects; return each hop, the answer last. No cookie is kept, no proxy asked.

    Headers in ``secret`` go to the origin of ``url`` alone, and ``allow_private`` holds for its host alone. A body
    that is too large, too slow or broken off is kept as far as it came, and says so in ``cut``. Raises `NotFetched`.
    """
    hops: list[Exchange] = []
    deadline = asyncio.get_running_loop().time() + limits.seconds
    first = _origin(url)
    async with _client(limits, trust) as client:
        while True:
            origin = _origin(url)
            sent = {**(headers or {}), **((secret or {}) if origin == first else {})}
            one = _Request("GET", url, sent, allow_private and origin[1] == first[1], lookup, clock)
            hops.append(await _told(client, one, limits, deadline, _where(hops)))
            last = hops[-1]
            if last.status not in _MOVED or not last.header("location"):
                return hops
            if len(hops) > limits.redirects:
                raise NotFetched(f"more than {limits.redirects} redirects")
            try:
                url = urldefrag(urljoin(url, last.header("location")))[0]
            except ValueError:
                raise NotFetched(f"{_where(hops)}the URL is none") from None


async def post(
    url: str, body: bytes, *, limits: Limits = _LIMITS, headers: Mapping[str, str] | None = None, allow_private: bool = False,
    lookup: Resolve = resolve, trust: ssl.SSLContext | None = None, clock: WallClock = wall_ms,
) -> Exchange:  # fmt: skip
    """Post ``body`` to ``url`` and return the answer; no redirect is followed. Raises `NotFetched`."""
    deadline = asyncio.get_running_loop().time() + limits.seconds
    async with _client(limits, trust) as client:
        return await _told(client, _Request("POST", url, headers or {}, allow_private, lookup, clock, body), limits, deadline, "")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port; of what is no URL, nothing that another one could be equal to but itself."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or WEB_PORTS.get(parts.scheme)
    except ValueError:
        return url, None, None


def _client(limits: Limits, trust: ssl.SSLContext | None) -> httpx.AsyncClient:
    context = trust or httpx.create_ssl_context(trust_env=False)
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # two hosts may share an address, and so far as httpx sees a name
    return httpx.AsyncClient(follow_redirects=False, trust_env=False, verify=context, timeout=limits.seconds, cookies=jar)


def _where(hops: list[Exchange]) -> str:
    return f"after {len(hops)} redirect{'s' * (len(hops) > 1)}: " if hops else ""


class _Request(NamedTuple):
    method: str
    url: str
    headers: Mapping[str, str]
    allow_private: bool
    lookup: Resolve
    clock: WallClock
    body: bytes | None = None


async def _told(client: httpx.AsyncClient, one: _Request, limits: Limits, deadline: float, where: str) -> Exchange:
    """Send one request; whatever keeps an answer from coming is told as `NotFetched`."""
    try:
        return await _send(client, one, limits.max_bytes, deadline)
    except Refused as refused:
        raise NotFetched(f"{where}{refused}") from None
    except TimeoutError:
        raise NotFetched(f"{where}no answer within {limits.seconds:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise NotFetched(f"{where}no answer ({type(error).__name__})") from None


async def _send(client: httpx.AsyncClient, one: _Request, max_bytes: int, deadline: float) -> Exchange:
    async with asyncio.timeout_at(deadline):
        target = await pin(one.url, allow_private=one.allow_private, lookup=one.lookup)
        own = {**_USUAL, **one.headers, "host": target.host}
        sni = {"sni_hostname": target.server_name}
        request = client.build_request(one.method, target.url, headers=own, content=one.body, extensions=sni)
        at_ms = one.clock()
        response = await client.send(request, stream=True)
    body, cut = bytearray(), ""
    try:
        async with asyncio.timeout_at(deadline):
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > max_bytes:
                    del body[max_bytes:]
                    cut = "length"
                    break
    except TimeoutError:
        cut = "time"
    except httpx.TimeoutException:
        cut = "time"
    except httpx.HTTPError:
        cut = "disconnect"
    finally:
        await response.aclose()
    return Exchange(
        one.url, target.address, at_ms, one.method, request.url.raw_path, tuple(request.headers.raw), response.http_version,
        response.status_code, response.reason_phrase, tuple(response.headers.raw), bytes(body), cut,
    )  # fmt: skip


def content(exchange: Exchange, max_bytes: int) -> bytes:
    """Return the body without its content coding. Raises `NotFetched` where it was cut, is too large or wrongly coded."""
    coding = exchange.header("content-encoding").strip().lower()
    if exchange.cut:
        raise NotFetched(_CUTS[exchange.cut])
    if coding in ("", "identity"):
        data = exchange.body
    elif coding in ("gzip", "x-gzip", "deflate"):
        packed = zlib.decompressobj(47)
        try:
            data = packed.decompress(exchange.body, max_bytes + 1)  # a small body may hold gigabytes
        except zlib.error:
            raise NotFetched(_WRONGLY) from None
        if exchange.body and not packed.eof and len(data) <= max_bytes:
            raise NotFetched(_WRONGLY)
    else:
        raise NotFetched("the answer is coded in a way that was not asked for")
    if len(data) > max_bytes:
        raise NotFetched("the answer is too large")
    return data
