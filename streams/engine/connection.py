"""How to reach the broker: one place that turns settings into what aiokafka takes."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

from streams.engine.settings import KafkaSettings
from streams.errors import BadInput, Mended


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Return aiokafka's connection arguments. Raises `BadInput` where they do not fit together.

    SASL without TLS is refused by the settings themselves: it would send the password in clear.
    """
    found: dict[str, Any] = {"bootstrap_servers": [part.strip() for part in settings.broker.split(",") if part.strip()]}
    if not found["bootstrap_servers"]:
        raise BadInput("VEILLE_BROKER names no broker; write host:port")
    _check(settings)
    if settings.security_protocol == "PLAINTEXT":
        return found
    found["ssl_context"] = _tls(settings)
    found["security_protocol"] = settings.security_protocol
    if settings.security_protocol == "SASL_SSL":
        found["sasl_mechanism"] = settings.sasl_mechanism
        found["sasl_plain_username"] = settings.sasl_username
        found["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    return found


def _check(settings: KafkaSettings) -> None:
    """Refuse what would be silently left unused, and what is missing."""
    protocol = settings.security_protocol
    sasl = {"SASL_USERNAME": settings.sasl_username, "SASL_PASSWORD": settings.sasl_password.get_secret_value()}
    tls = {"SSL_CAFILE": settings.ssl_cafile, "SSL_CERTFILE": settings.ssl_certfile, "SSL_KEYFILE": settings.ssl_keyfile}
    for names, usual in ((sasl, "SASL_SSL"), (tls, "SSL or SASL_SSL")):
        if protocol not in usual.split(" or ") and (given := [name for name, value in names.items() if value]):
            raise BadInput(f"VEILLE_{given[0]} is set, but VEILLE_SECURITY_PROTOCOL is {protocol}: set that to {usual}, or leave it out")
    if protocol == "SASL_SSL" and (lacking := [name for name, value in sasl.items() if not value]):
        raise BadInput(f"SASL_SSL needs VEILLE_{lacking[0]}")
    if settings.ssl_keyfile and not settings.ssl_certfile:
        raise BadInput("VEILLE_SSL_KEYFILE is set without VEILLE_SSL_CERTFILE")


def _tls(settings: KafkaSettings) -> ssl.SSLContext:
    for name, file in (("CAFILE", settings.ssl_cafile), ("CERTFILE", settings.ssl_certfile), ("KEYFILE", settings.ssl_keyfile)):
        try:
            content = Path(file).read_bytes() if file else b""
        except OSError as error:
            raise BadInput(f"VEILLE_SSL_{name}: {file} cannot be read: {error.strerror}") from None
    try:
        context = ssl.create_default_context(cafile=settings.ssl_cafile or None)
    except ssl.SSLError:
        raise BadInput(f"VEILLE_SSL_CAFILE: {settings.ssl_cafile} holds no certificate in PEM") from None
    if settings.ssl_certfile:
        password = settings.ssl_key_password.get_secret_value()
        try:
            # Without a password openssl would ask for one on the terminal.
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile or None, lambda: password)
        except (ssl.SSLError, ValueError) as error:
            raise BadInput(_bad_key(settings, content or Path(settings.ssl_certfile).read_bytes(), error)) from None
    return context


def _bad_key(settings: KafkaSettings, content: bytes, error: Exception) -> str:
    name, file = ("KEYFILE", settings.ssl_keyfile) if settings.ssl_keyfile else ("CERTFILE", settings.ssl_certfile)
    if b"ENCRYPTED" in content:
        have = settings.ssl_key_password.get_secret_value()
        return f"VEILLE_SSL_{name}: the key in {file} is encrypted; VEILLE_SSL_KEY_PASSWORD {'does not open it' if have else 'is missing'}"
    if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
        return f"VEILLE_SSL_{name}: the key in {file} does not belong to the certificate in {settings.ssl_certfile}"
    return f"VEILLE_SSL_CERTFILE: {settings.ssl_certfile} and its key cannot be used: both are needed in PEM"


def no_broker(broker: str, error: BaseException | None = None) -> Mended:
    """Return what to say where no broker answers, and what to do."""
    why = f" ({type(error).__name__})" if error is not None else ""
    return Mended(f"no Kafka answers at {broker}{why}", "start one (make kafka) or set --broker / VEILLE_BROKER")


async def close(client: Any, seconds: float = 3.0) -> None:
    """Stop a client of aiokafka, whatever the broker does; after ``seconds`` it is left behind.

    aiokafka waits for answers of a broker that may be gone. It also awaits tasks that it has just cancelled and then hands their
    cancellation on to its caller, who would take it for its own.
    """
    stop = getattr(client, "stop", None) or client.close  # as an admin client calls it
    stopping = asyncio.ensure_future(stop())
    await asyncio.wait({stopping}, timeout=seconds)
    if not stopping.done():
        stopping.cancel()
    elif not stopping.cancelled():
        stopping.exception()
