"""One message to one target: attempts with backoff and jitter; over HTTP without redirects, to a pinned address."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import httpx
import xxhash

from streams.clock import Sleep
from streams.errors import BadInput
from streams.inside import Refused, Resolve, pin, resolve
from streams.respond.settings import RespondSettings


class Delivery(NamedTuple):
    """How it ended. ``reason`` is a fixed word or ``http NNN``, never a body or a secret."""

    ok: bool
    attempts: int
    reason: str


#: Answers after which a repeat cannot help: the target is gone for good, moved (redirects are not followed), or cannot read us.
GIVE_UP = frozenset({300, 301, 302, 303, 304, 305, 306, 307, 308, 400, 410, 413})


def wait_seconds(message_id: str, attempt: int, settings: RespondSettings, retry_after: float = 0.0) -> float:
    """Return how long to wait after attempt number ``attempt`` (from 1): doubling, with jitter seeded by the message's id.

    >>> wait_seconds("a", 1, RespondSettings()) == wait_seconds("a", 1, RespondSettings()) <= 2.0
    True
    """
    seed = xxhash.xxh3_64_intdigest(f"{message_id}:{attempt}".encode())
    full = min(settings.retry_ceiling_seconds, settings.retry_seconds * 2.0 ** (attempt - 1))
    return max(full * random.Random(seed).uniform(0.5, 1.0), min(retry_after, settings.retry_ceiling_seconds))


class Attempt(NamedTuple):
    """How one attempt ended. ``final``: a repeat cannot help. ``retry_after`` in seconds, as the target asks."""

    ok: bool
    reason: str
    final: bool = False
    retry_after: float = 0.0


async def repeat(
    once: Callable[[], Awaitable[Attempt]], message_id: str, settings: RespondSettings, sleep: Sleep, attempts: int | None = None
) -> Delivery:
    """Try ``once`` until it is accepted, given up, or attempts are exhausted; an attempt that hangs is cut off."""
    reason, most = "", attempts or settings.webhook_attempts
    for number in range(1, most + 1):
        retry_after = 0.0
        try:
            async with asyncio.timeout(settings.attempt_seconds):
                attempt = await once()
            reason, retry_after = attempt.reason, attempt.retry_after
            if attempt.ok or attempt.final:
                return Delivery(attempt.ok, number, reason)
        except Refused as refused:
            return Delivery(False, number, str(refused))
        except TimeoutError:
            reason = "timeout"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:  # ValueError: nothing that could be sent at all
            reason = type(error).__name__
        if number < most:
            await sleep(wait_seconds(message_id, number, settings, retry_after))
    return Delivery(False, most, reason)


def trusted(settings: RespondSettings) -> ssl.SSLContext:
    """Return what certificates are checked against: the public authorities, and those of ``ca_file``. Raises `BadInput`."""
    context = httpx.create_ssl_context(trust_env=False)
    if settings.ca_file:
        try:
            context.load_verify_locations(settings.ca_file)
        except OSError as error:
            raise BadInput(f"VEILLE_RESPOND__CA_FILE {settings.ca_file}: {error.strerror or error}") from None
    return context


class Poster:
    """Posts JSON bodies, once for each call. Holds one HTTP client; close it with `close`."""

    def __init__(self, settings: RespondSettings, *, lookup: Resolve = resolve) -> None:
        self._settings = settings
        self._lookup = lookup
        self._client = httpx.AsyncClient(follow_redirects=False, trust_env=False, verify=trusted(settings))

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool) -> Attempt:
        """Post ``body`` to the pinned address of ``url``. Raises `Refused`, and what httpx raises."""
        allowed = allow_private or self._settings.allow_private_targets
        target = await pin(url, allow_private=allowed, lookup=self._lookup)
        request = self._client.build_request(
            "POST", target.url, content=body, headers={"content-type": "application/json", **headers, "host": target.host},
            timeout=self._settings.attempt_seconds, extensions={"sni_hostname": target.server_name},
        )  # fmt: skip
        response = await self._client.send(request, stream=True)
        try:
            status, after = response.status_code, response.headers.get("retry-after", "")
            wait = float(after) if after.isascii() and after.isdigit() else 0.0
            return Attempt(200 <= status < 300, f"http {status}", status in GIVE_UP, wait)
        finally:
            await response.aclose()  # the answer's body is nobody's business, and may be endless

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()
