"""crisis.notifications -> the outside: the only part of respond that does I/O. What cannot be delivered becomes a dead letter."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
import orjson
import structlog

from streams.clock import Sleep, WallClock, wall_ms
from streams.engine.stage import Output, Record
from streams.respond import mail, webhook
from streams.respond.deliver import Delivery, Poster
from streams.respond.formats import FORMATTERS
from streams.respond.logger import LogResponder
from streams.respond.notification import Notification
from streams.respond.routes import Route, load_routes
from streams.respond.settings import RespondSettings
from streams.respond.target import Resolve, resolve

REJECTED_TOPIC = "crisis.notifications.rejected"
_decoder = msgspec.json.Decoder(Notification)
_log = structlog.get_logger("veille.respond")


class Responder(Protocol):
    """Tells one notification to somebody."""

    async def respond(self, notification: Notification) -> Delivery:
        """Deliver ``notification``; never raises for a target's fault."""
        ...

    async def close(self) -> None:
        """Give up what it holds."""
        ...


class PostResponder:
    """Posts one route's messages: a signed webhook, or the format of a chat or paging service."""

    def __init__(self, route: Route, poster: Poster, *, clock: WallClock = wall_ms) -> None:
        self._route = route
        self._poster = poster
        self._signer = webhook.Signer(route.secret, clock=clock) if route.format == "webhook" else None

    async def respond(self, notification: Notification) -> Delivery:
        """Post ``notification`` with repeats."""
        route = self._route
        if self._signer is None:
            return await self._poster.post(route.url, orjson.dumps(FORMATTERS[route.format](notification, route)), notification.id)
        signer, packed = self._signer, webhook.body(notification)
        return await self._poster.post(route.url, packed, notification.id, lambda: signer.headers(notification.id, packed))

    async def close(self) -> None:
        """The poster is shared and closed by its owner."""


class MailResponder:
    """Sends one route's messages by e-mail."""

    def __init__(self, route: Route, settings: RespondSettings) -> None:
        self._route, self._settings = route, settings

    async def respond(self, notification: Notification) -> Delivery:
        """Hand ``notification`` to the mail server."""
        return await mail.send(notification, self._route, self._settings)

    async def close(self) -> None:
        """Nothing to close."""


class NotifyWorker:
    """Delivers records of ``crisis.notifications``.

    `handle` returns the dead letters to send; the caller sends and confirms them, then commits the records. A record that
    is handled twice is delivered twice under the same id: receivers drop it by ``webhook-id`` or ``dedup_key``.
    """

    def __init__(
        self, settings: RespondSettings, *, clock: WallClock = wall_ms, sleep: Sleep = asyncio.sleep, lookup: Resolve = resolve,
        routes: Mapping[str, Route] | None = None,
    ) -> None:  # fmt: skip
        self._poster = Poster(settings, sleep=sleep, lookup=lookup)
        self._responders: dict[str, Responder] = {}
        for name, route in (load_routes(settings) if routes is None else routes).items():
            if route.format == "log":
                self._responders[name] = LogResponder()
            elif route.format == "email":
                self._responders[name] = MailResponder(route, settings)
            else:
                self._responders[name] = PostResponder(route, self._poster, clock=clock)

    async def handle(self, records: Sequence[Record]) -> list[Output]:
        """Deliver ``records``: routes side by side, each route in order. Returns dead letters, in the records' order."""
        by_route: dict[str, list[tuple[int, Record, Notification]]] = {}
        dead: dict[int, Output] = {}
        for place, record in enumerate(records):
            try:
                notification = _decoder.decode(record.value or b"")
            except msgspec.DecodeError:
                dead[place] = _dead(record, "", Delivery(False, 0, "unreadable"))
                continue
            by_route.setdefault(notification.route, []).append((place, record, notification))

        async def run(items: list[tuple[int, Record, Notification]]) -> None:
            for place, record, notification in items:
                delivery = await self.deliver(notification)
                if not delivery.ok:
                    dead[place] = _dead(record, notification.route, delivery)

        await asyncio.gather(*(run(items) for items in by_route.values()))
        return [dead[place] for place in sorted(dead)]

    async def deliver(self, notification: Notification) -> Delivery:
        """Deliver one notification over its route."""
        responder = self._responders.get(notification.route)
        if responder is None:
            return Delivery(False, 0, "no such route")
        delivery = await responder.respond(notification)
        if not delivery.ok:
            _log.error("notification failed", notification=notification.id, route=notification.route, attempts=delivery.attempts,
                       reason=delivery.reason)  # fmt: skip
        return delivery

    async def close(self) -> None:
        """Close every responder and the shared connections."""
        for responder in self._responders.values():
            await responder.close()
        await self._poster.close()


def _dead(record: Record, route: str, delivery: Delivery) -> Output:
    """Return the dead letter: the record's bytes, and route, attempts and reason in headers."""
    headers = [
        ("veille-route", route.encode()), ("veille-attempts", b"%d" % delivery.attempts), ("veille-reason", delivery.reason.encode()),
        *record.headers,
    ]  # fmt: skip
    return Output(REJECTED_TOPIC, record.key, record.value, headers)
