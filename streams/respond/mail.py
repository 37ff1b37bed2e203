"""Messages by e-mail: plain text, one thread for each crisis."""

from __future__ import annotations

import asyncio
import smtplib
from email.message import EmailMessage
from urllib.parse import urlsplit

from streams.respond.brief import brief
from streams.respond.deliver import Delivery
from streams.respond.notification import Notification
from streams.respond.routes import Route
from streams.respond.settings import RespondSettings


def message(notification: Notification, route: Route) -> EmailMessage:
    """Return the mail. ``Message-ID`` is the notification's id; ``References`` ties it to the crisis's thread."""
    lines = brief(notification.crisis, (), route.language)
    mail = EmailMessage()
    mail["From"] = route.sender or "veille@localhost"
    mail["To"] = ", ".join(route.to)
    mail["Subject"] = lines[0]
    mail["Message-ID"] = f"<{notification.id}@veille>"
    mail["References"] = f"<{notification.crisis.crisis_id}@veille>"
    mail.set_content("\n".join(lines) + "\n")
    return mail


async def send(notification: Notification, route: Route, settings: RespondSettings) -> Delivery:
    """Hand the mail to the server ``smtp://host:port`` (or ``smtps://``), once: mail servers repeat by themselves."""
    mail = message(notification, route)
    parts = urlsplit(route.url)

    def hand_over() -> None:
        kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
        port = parts.port or (465 if parts.scheme == "smtps" else 25)
        with kind(parts.hostname or "localhost", port, timeout=settings.attempt_seconds) as server:
            server.send_message(mail)

    try:
        await asyncio.to_thread(hand_over)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return Delivery(False, 1, type(error).__name__)
    return Delivery(True, 1, "handed over")
