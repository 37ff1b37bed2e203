"""Signed webhooks: Standard Webhooks 1.0 (https://www.standardwebhooks.com), CloudEvents JSON as the body."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from schemas.response import Notification
from streams.clock import WallClock, wall_ms
from streams.errors import BadInput
from streams.respond.formats import lines

#: Bodies stay below this (the standard's advice is 20 kB).
MAX_BODY_BYTES = 20_000
#: What goes first where a body is too long.
_SHED = ("samples", "decision", "contributions", "stories", "severity_reasons", "kind_reasons", "networks", "originator", "caveats")


class Signer:
    """Signs bodies with one or several secrets (``whsec_...``, separated by blanks): during a rotation both signatures are sent."""

    def __init__(self, secrets: str, *, clock: WallClock = wall_ms) -> None:
        try:
            short = any(len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) < 24 for secret in secrets.split())
            self._hooks = [Webhook(secret) for secret in secrets.split()]
        except (binascii.Error, ValueError, EmptyWebhookSecretError):
            short = True
        if short or not self._hooks:
            raise BadInput("webhook secret: give whsec_ and at least 24 bytes in base64, several separated by blanks") from None
        self._clock = clock

    def headers(self, message_id: str, body: bytes) -> Mapping[str, str]:
        """Return ``webhook-id`` (constant over repeats), ``webhook-timestamp`` and ``webhook-signature``."""
        now = datetime.fromtimestamp(self._clock() // 1000, UTC)
        headers = {"webhook-id": message_id, "webhook-timestamp": str(int(now.timestamp()))}
        headers["webhook-signature"] = " ".join(hook.sign(message_id, now, body.decode()) for hook in self._hooks)
        return headers


def body(notification: Notification, language: str = "en") -> bytes:
    """Return the crisis event as CloudEvents JSON, below 20 kB: lists are left out where it would be longer.

    ``data`` is the card, with ``brief`` (twelve lines) and ``tasks`` beside it. A message about tasks has their type
    (``veille.task.late``) and the notification's own id; a crisis event has the id that it has on ``crisis.events``.
    """
    crisis = notification.crisis
    about_tasks = notification.event.startswith("veille.task.")
    data: dict[str, Any] = msgspec.to_builtins(crisis)
    data |= {"brief": lines(notification, language), "tasks": msgspec.to_builtins(notification.tasks)}
    shed: list[str] = []
    left = list(_SHED)
    while True:
        event = {
            "specversion": "1.0", "id": notification.id if about_tasks else f"{crisis.brand}-{crisis.seq}", "type": notification.event,
            "source": "/veille", "subject": crisis.crisis_id, "time": notification.time,
            "datacontenttype": "application/json", "data": data,
        }  # fmt: skip
        if shed:
            event["veilleshed"] = ",".join(shed)
        packed = orjson.dumps(event)
        if len(packed) < MAX_BODY_BYTES or not left:
            return packed
        name = left.pop(0)
        if data.pop(name, None):
            shed.append(name)
