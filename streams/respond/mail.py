"""Messages by e-mail: plain text, one thread for each crisis."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from contextlib import suppress
from email.message import EmailMessage

from schemas.response import Notification
from streams.inside import Target
from streams.respond.brief import brief
from streams.respond.deliver import Attempt
from streams.respond.routes import Route


def message(notification: Notification, route: Route) -> EmailMessage:
    """Return the mail. ``Message-ID`` is the notification's id; ``References`` ties it to the crisis's thread."""
    lines = brief(notification.crisis, notification.tasks, route.language)
    mail = EmailMessage()
    mail["From"] = route.sender or "veille@localhost"
    mail["To"] = ", ".join(route.to)
    mail["Subject"] = lines[0]
    mail["Message-ID"] = f"<{notification.id}@veille>"
    mail["References"] = mail["In-Reply-To"] = f"<{notification.crisis.crisis_id}@veille>"
    mail.set_content("\n".join(lines) + "\n")
    return mail


class _Plain(smtplib.SMTP):
    """Speaks to the pinned address; the certificate is checked against the name that was asked for."""

    target: Target
    #: The name that a certificate must hold (smtplib's own).
    _host: str

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((self.target.address, port), timeout)


class _Secure(smtplib.SMTP_SSL):
    target: Target
    _host: str

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((self.target.address, port), timeout)
        return self.context.wrap_socket(plain, server_hostname=host)


async def send(mail: EmailMessage, route: Route, target: Target, seconds: float, context: ssl.SSLContext) -> Attempt:
    """Hand the mail to the server at ``target``, once; with TLS where the server offers it, and logged in where the route says who."""

    secure = route.url.startswith("smtps:")
    server = _Secure(timeout=seconds, context=context) if secure else _Plain(timeout=seconds)
    server.target = target

    def hand_over() -> Attempt:
        # The class's own `__init__` would connect before the address is set; `_host` is what TLS checks.
        server._host = target.server_name
        server.connect(target.server_name, target.port)
        with server:
            server.ehlo()
            if not secure and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            if route.user:
                if not secure and not isinstance(server.sock, ssl.SSLSocket):
                    return Attempt(False, "the mail server offers no TLS: no password is sent", True)
                server.login(route.user, route.secret)
            server.send_message(mail)
        return Attempt(True, "handed over")

    try:
        return await asyncio.to_thread(hand_over)
    except asyncio.CancelledError:
        # A thread cannot be ended, but what it waits for can: a server that says a word now and then would hold it for ever.
        if server.sock is not None:
            with suppress(OSError):
                server.sock.shutdown(socket.SHUT_RDWR)
        raise
    except smtplib.SMTPResponseException as error:
        # 5xx is for good (RFC 5321, 4.2.1), 4xx is worth a repeat.
        return Attempt(False, f"smtp {error.smtp_code}", error.smtp_code >= 500)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return Attempt(False, f"smtp {codes[0]}", all(code >= 500 for code in codes))
    except (smtplib.SMTPException, ValueError) as error:
        return Attempt(False, type(error).__name__)
