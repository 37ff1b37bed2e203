"""One message to one target over HTTP: attempts with backoff and jitter, no redirects, a pinned address."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import NamedTuple

import httpx
import xxhash

from streams.clock import Sleep
from streams.respond.settings import RespondSettings
from streams.respond.target import Refused, Resolve, pin, resolve


class Delivery(NamedTuple):
    """How it ended. ``reason`` is a fixed word or ``http NNN``, never a body or a secret."""

    ok: bool
    attempts: int
    reason: str


#: Headers of one attempt, made anew each time (a signature carries the time of its attempt).
HeaderSource = Callable[[], Mapping[str, str]]
#: Answers after which a repeat cannot help: the target is gone for good, or moved (redirects are not followed).
_GIVE_UP = frozenset({300, 301, 302, 303, 304, 305, 306, 307, 308, 410, 413})


def wait_seconds(message_id: str, attempt: int, settings: RespondSettings, retry_after: float = 0.0) -> float:
    """Return how long to wait after attempt number ``attempt`` (from 1): doubling, with jitter seeded by the message's id.

    >>> wait_seconds("a", 1, RespondSettings()) == wait_seconds("a", 1, RespondSettings()) <= 2.0
    True
    """
    seed = xxhash.xxh3_64_intdigest(f"{message_id}:{attempt}".encode())
    full = min(settings.retry_ceiling_seconds, settings.retry_seconds * 2.0 ** (attempt - 1))
    return max(full * random.Random(seed).uniform(0.5, 1.0), min(retry_after, settings.retry_ceiling_seconds))


class Poster:
    """Posts JSON bodies. Holds one HTTP client; close it with `close`."""

    def __init__(self, settings: RespondSettings, *, sleep: Sleep = asyncio.sleep, lookup: Resolve = resolve) -> None:
        self._settings = settings
        self._sleep = sleep
        self._lookup = lookup
        self._client = httpx.AsyncClient(follow_redirects=False, trust_env=False)

    async def post(self, url: str, body: bytes, message_id: str, headers: HeaderSource = dict) -> Delivery:
        """Post ``body`` until it is accepted (2xx), given up, or attempts are exhausted."""
        reason = ""
        for attempt in range(1, self._settings.webhook_attempts + 1):
            retry_after = 0.0
            try:
                async with asyncio.timeout(self._settings.attempt_seconds):
                    status, retry_after = await self._once(url, body, headers())
                if 200 <= status < 300:
                    return Delivery(True, attempt, f"http {status}")
                reason = f"http {status}"
                if status in _GIVE_UP:
                    return Delivery(False, attempt, reason)
            except Refused as refused:
                return Delivery(False, attempt, str(refused))
            except TimeoutError:
                reason = "timeout"
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                reason = type(error).__name__
            if attempt < self._settings.webhook_attempts:
                await self._sleep(wait_seconds(message_id, attempt, self._settings, retry_after))
        return Delivery(False, self._settings.webhook_attempts, reason)

    async def _once(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, float]:
        target = await pin(url, allow_private=self._settings.allow_private_targets, lookup=self._lookup)
        request = self._client.build_request(
            "POST", target.url, content=body, headers={"content-type": "application/json", **headers, "host": target.host},
            timeout=self._settings.attempt_seconds, extensions={"sni_hostname": target.server_name},
        )  # fmt: skip
        response = await self._client.send(request, stream=True)
        try:
            after = response.headers.get("retry-after", "")
            return response.status_code, float(after) if after.isascii() and after.isdigit() else 0.0
        finally:
            await response.aclose()  # the answer's body is nobody's business, and may be endless

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()
