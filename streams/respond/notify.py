"""crisis.notifications -> the outside: the only part of respond that does I/O. What cannot be delivered becomes a dead letter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
import orjson
import structlog

from schemas.response import Notification
from streams.clock import Sleep, WallClock, wall_ms
from streams.engine.deadletters import set_aside
from streams.engine.stage import Output, Record
from streams.inside import MAIL_PORTS, Resolve, pin, resolve
from streams.reading import reader
from streams.respond import logger, mail, webhook
from streams.respond.deliver import Attempt, Delivery, Poster, repeat, trusted
from streams.respond.formats import FORMATTERS
from streams.respond.others import Other
from streams.respond.routes import Route, load_routes
from streams.respond.settings import RespondSettings

REJECTED_TOPIC = "crisis.notifications.rejected"
#: Bytes of one header that a dead letter carries on.
_MOST_HEADER = 1_000
_read_notification = reader(Notification)
_log = structlog.get_logger("veille.respond")


#: One attempt at one notification. May raise what `streams.respond.deliver.repeat` understands.
Send = Callable[[Notification], Awaitable[Attempt]]


def sender(route: Route, poster: Poster, settings: RespondSettings, clock: WallClock, lookup: Resolve) -> Send:
    """Return how ``route`` sends. Raises `BadInput` where it cannot."""
    allowed = route.allow_private or settings.allow_private_targets

    async def log(notification: Notification) -> Attempt:
        return logger.log(notification)

    async def email(notification: Notification) -> Attempt:
        target = await pin(route.url, allow_private=allowed, lookup=lookup, ports=MAIL_PORTS)
        return await mail.send(mail.message(notification, route), route, target, settings.attempt_seconds, trusted(settings))

    async def formatted(notification: Notification) -> Attempt:
        packed = orjson.dumps(FORMATTERS[route.format](notification, route))
        return await poster.post(route.url, packed, {}, allow_private=allowed)

    async def signed(notification: Notification) -> Attempt:
        packed = webhook.body(notification, route.language)
        # The signature carries the time of its attempt; the id stays over all of them.
        return await poster.post(route.url, packed, signer.headers(notification.id, packed), allow_private=allowed)

    if route.format == "log":
        return log
    if route.format == "email":
        return email
    if route.format == "apprise":
        return Other(route, seconds=settings.attempt_seconds, allow_private=allowed).send
    if route.format == "webhook":
        signer = webhook.Signer(route.secret, clock=clock)
        return signed
    return formatted


class NotifyWorker:
    """Delivers records of ``crisis.notifications``.

    `handle` returns the dead letters to send; the caller sends and confirms them, then commits the records. A record that
    is handled twice is delivered twice under the same id: receivers drop it by ``webhook-id`` or ``dedup_key``.
    """

    def __init__(
        self, settings: RespondSettings, *, clock: WallClock = wall_ms, sleep: Sleep = asyncio.sleep, lookup: Resolve = resolve,
        routes: Mapping[str, Route] | None = None,
    ) -> None:  # fmt: skip
        self._settings, self._sleep = settings, sleep
        self._poster = Poster(settings, lookup=lookup)
        named = load_routes(settings) if routes is None else routes
        self._send = {name: sender(route, self._poster, settings, clock, lookup) for name, route in named.items()}
        #: Routes whose last message was given up: the next ones are tried once each, so that a dead target holds up no batch.
        self._down: set[str] = set()

    async def handle(self, records: Sequence[Record]) -> list[Output]:
        """Deliver ``records``: routes side by side, each route in order. Returns dead letters, in the records' order."""
        by_route: dict[str, list[tuple[int, Record, Notification]]] = {}
        dead: dict[int, Output] = {}
        for place, record in enumerate(records):
            try:
                notification = _read_notification(record.value)
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
        send, route = self._send.get(notification.route), notification.route
        if send is None:
            return Delivery(False, 0, "no such route")
        attempts = 1 if route in self._down else self._settings.webhook_attempts
        delivery = await repeat(lambda: send(notification), notification.id, self._settings, self._sleep, attempts)
        if delivery.ok:
            self._down.discard(route)
        else:
            self._down.add(route)
            _log.error("notification failed", notification=notification.id, route=route, attempts=delivery.attempts,
                       reason=delivery.reason)  # fmt: skip
        return delivery

    async def close(self) -> None:
        """Close the shared connections."""
        await self._poster.close()


def _dead(record: Record, route: str, delivery: Delivery) -> Output:
    """Return the dead letter: the record's bytes, and route, attempts and reason in headers."""
    headers = [
        ("veille-route", route.encode()), ("veille-attempts", b"%d" % delivery.attempts), ("veille-reason", delivery.reason.encode()),
        *((name, value) for name, value in record.headers if value is not None and len(value) <= _MOST_HEADER),
    ]  # fmt: skip
    return set_aside(REJECTED_TOPIC, record, headers)
