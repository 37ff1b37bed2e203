"""The responder that only logs: a crisis's numbers, never a mention's words."""

from __future__ import annotations

import structlog

from streams.respond.deliver import Delivery
from streams.respond.notification import Notification

_log = structlog.get_logger("veille.respond")


class LogResponder:
    """Writes one line for each message. Headline, terms and samples hold words of mentions: they stay out."""

    async def respond(self, notification: Notification) -> Delivery:
        """Log ``notification``; always succeeds."""
        crisis = notification.crisis
        _log.info(
            "crisis", event_type=notification.event, crisis=crisis.crisis_id, brand=crisis.brand, phase=crisis.phase, kind=crisis.kind,
            severity=crisis.severity, mentions=crisis.mentions, authors=crisis.authors, page=crisis.page, at=notification.time,
        )  # fmt: skip
        return Delivery(True, 1, "logged")

    async def close(self) -> None:
        """Nothing to close."""
