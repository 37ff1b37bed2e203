"""A webhook: whoever publishes mentions posts them, one, a list or JSON lines; 202 is said once the broker has them."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.mention import MAX_RECORD_BYTES, MAX_TEXT_BYTES
from streams.clock import Sleep, rfc3339
from streams.http import serve
from streams.sources.dates import parse_time
from streams.sources.files import completed
from streams.sources.live.config import Webhook
from streams.sources.live.making import Ready
from streams.sources.live.post import Post
from streams.sources.mapping import Mapping

MAX_BODY_BYTES: Final = 5 << 20
MAX_MENTIONS: Final = 5_000
#: Requests that are read or wait for the broker at once, and seconds that each may take for the one and for the other.
MAX_WAITING: Final = 8
PATIENCE: Final = 15.0
#: Seconds for which a sender should wait after 503.
_RETRY: Final = 10
_LINES: Final = frozenset(["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"])
#: Names by which a webhook without a token may be asked for.
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_JSON: Final = frozenset(["application/json", "application/cloudevents+json"])
_SENTENCES: Final = {
    403: "without a token this webhook is asked for by the name of this machine alone: use 127.0.0.1, or give it a token",
    404: "mentions are posted to /mentions",
    405: "mentions are posted: use POST",
    408: "the body did not come in time: send it again",
    415: "the content type must be application/json, or application/x-ndjson for one mention a line, and not compressed",
    413: f"the body is longer than {MAX_BODY_BYTES} bytes, or holds more than {MAX_MENTIONS} mentions: send several",
    503: "the broker does not take records now: send the same again later, equal ids count once",
    429: "too many requests wait: send the same again later, equal ids count once",
}


class WebhookSource:
    """Serves ``POST /mentions``. `run` never returns by itself."""

    interval = 0.0

    def __init__(self, config: Webhook, post: Post, *, sleep: Sleep = asyncio.sleep, patience: float = PATIENCE) -> None:
        self._config = config
        self._post = post
        self._sleep = sleep
        self._patience = patience
        self._waiting = 0
        #: Where it listens; 0: it does not yet.
        self.port = 0

    async def run(self) -> None:
        """Listen; while it does, the source's clock goes. Raises `BadInput` where the address is taken."""
        config = self._config
        lost = dict.fromkeys((404, 405), _lost)
        app = Starlette(routes=[Route("/mentions", self._take, methods=["POST"])], exception_handlers=lost)
        async with serve(config.host, config.port, f"the port of {config.name}", app) as self.port:
            while True:
                self._post.well()
                self._post.reached(self._post.wall())
                await self._sleep(1.0)

    async def _take(self, request: Request) -> Response:
        if self._waiting >= MAX_WAITING:
            return _refusal(429)
        self._waiting += 1
        try:
            return await self._answer(request)
        except ClientDisconnect:
            return _refusal(400, "the sender left")
        finally:
            self._waiting -= 1

    async def _answer(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        # A type that a form cannot have: no page of a stranger posts here through somebody's browser.
        if kind not in _JSON | _LINES or request.headers.get("content-encoding", "identity") != "identity":
            return _refusal(415)
        door = self._config.door
        if door.open and request.url.hostname not in (*_HERE, self._config.host):
            return _refusal(403)  # a page whose name was made to lead here (DNS rebinding) may send any type
        if why := door.turns_away(request.headers):  # before a stranger's body is read
            return _refusal(401, why)
        body = bytearray()
        try:
            async with asyncio.timeout(self._patience):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > MAX_BODY_BYTES:
                        return _refusal(413)
        except TimeoutError:
            return _refusal(408)
        if why := door.unsigned(request.headers, bytes(body), self._post.wall()):
            return _refusal(401, why)
        found = _rows(bytes(body), kind in _LINES)
        if isinstance(found, str):
            return _refusal(400, found)
        if len(found) > MAX_MENTIONS:
            return _refusal(413)
        return await self._publish(found)

    async def _publish(self, rows: list[Any]) -> Response:
        now = self._post.wall()
        good: list[Ready] = []
        bad: list[dict[str, Any]] = []
        for place, row in enumerate(rows):
            verdict = read_mention(row, self._config, now)
            if isinstance(verdict, str):
                bad.append({"index": place, "reason": verdict})
            else:
                good.append(verdict)
        if good:
            try:
                async with asyncio.timeout(self._patience):
                    await self._post.deliver(good)
            except TimeoutError:
                return _refusal(503)
        self._post.refuse(len(bad))
        return _json(202 if good or not bad else 400, {"accepted": len(good), "refused": bad})


def read_mention(row: Any, config: Webhook, now_ms: int) -> Ready | str:
    """Return a posted mention as it travels, or the sentence that says why it is none."""
    if not isinstance(row, dict):
        return "a mention is a JSON object"
    if "network" not in row and config.network:
        row["network"] = config.network
    for name in ("network", "text"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            return f"{name} is missing, or is no text"
    if len(row["network"]) > 64:
        return "network is longer than 64 characters"
    if len(row["text"].encode("utf-8", "replace")) > MAX_TEXT_BYTES:
        return f"text is longer than {MAX_TEXT_BYTES} bytes"
    if parse_time(row.get("published_at")) is None:
        return "published_at is missing, or is no date (RFC 3339)"
    if isinstance(row.get("id"), str) and len(row["id"]) > 512:
        return "id is longer than 512 characters"
    if "id" in row and (isinstance(row["id"], bool) or not isinstance(row["id"], str | int)):
        return "id is no text"
    row["source"] = config.name  # what is known of this source, its silence and its faults, is known under this name
    row.setdefault("collected_at", rfc3339(now_ms))
    _, value, identity = completed(row, Mapping())
    if len(value) > MAX_RECORD_BYTES:
        return f"the mention is longer than {MAX_RECORD_BYTES} bytes"
    return Ready(identity, value)


def _rows(body: bytes, lines: bool) -> list[Any] | str:
    """Return what a body holds, or the sentence that says why it holds nothing."""
    try:
        if lines:
            return [_line(line) for line in body.splitlines() if line.strip()] or "the body is empty"
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "the body is no JSON"
    if isinstance(found, list):
        return found or "the list is empty"
    return [found] if isinstance(found, dict) else "the body is neither a mention nor a list of them"


def _line(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def _lost(request: Request, error: Exception) -> Response:
    return _refusal(404 if request.url.path != "/mentions" else 405)


def _refusal(status: int, sentence: str = "") -> Response:
    answer = _json(status, {"error": sentence or _SENTENCES[status]})
    if status in (429, 503):
        answer.headers["retry-after"] = str(_RETRY)
    if status == 401:
        answer.headers["www-authenticate"] = "Bearer"
    return answer


def _json(status: int, content: dict[str, Any]) -> Response:
    return Response(orjson.dumps(content), status_code=status, media_type="application/json")
