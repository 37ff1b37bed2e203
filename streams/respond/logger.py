"""The route that only logs: a crisis's numbers, never a mention's words."""

from __future__ import annotations

import structlog

from schemas.response import Notification
from streams.respond.deliver import Attempt

_log = structlog.get_logger("veille.respond")


def log(notification: Notification) -> Attempt:
    """Write one line. Headline, terms and samples hold words of mentions: they stay out."""
    crisis = notification.crisis
    _log.info(
        "crisis", event_type=notification.event, crisis=crisis.crisis_id, brand=crisis.brand, phase=crisis.phase, kind=crisis.kind,
        severity=crisis.severity, mentions=crisis.mentions, authors=crisis.authors, page=crisis.page, at=notification.time,
        tasks=[task.step for task in notification.tasks],
    )  # fmt: skip
    return Attempt(True, "logged")
