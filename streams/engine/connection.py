"""How to reach the broker: one place that turns settings into what aiokafka takes."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from streams.engine.settings import KafkaSettings
from streams.errors import BadInput


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Return aiokafka's connection arguments. Raises `BadInput` where they do not fit together.

    SASL without TLS is refused by the settings themselves: it would send the password in clear.
    """
    found: dict[str, Any] = {"bootstrap_servers": [part.strip() for part in settings.broker.split(",") if part.strip()]}
    if not found["bootstrap_servers"]:
        raise BadInput("VEILLE_BROKER names no broker; write host:port")
    if settings.security_protocol == "PLAINTEXT":
        return found
    try:
        found["ssl_context"] = ssl.create_default_context(cafile=settings.ssl_cafile or None)
    except OSError as error:
        raise BadInput(f"VEILLE_SSL_CAFILE cannot be read: {error.strerror}") from error
    found["security_protocol"] = settings.security_protocol
    if settings.security_protocol == "SASL_SSL":
        if not settings.sasl_username:
            raise BadInput("SASL_SSL needs VEILLE_SASL_USERNAME")
        found["sasl_mechanism"] = settings.sasl_mechanism
        found["sasl_plain_username"] = settings.sasl_username
        found["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    return found


def no_broker(broker: str, error: BaseException | None = None) -> str:
    """Return what to say where no broker answers, and what to do."""
    why = f" ({type(error).__name__})" if error is not None else ""
    return f"no Kafka answers at {broker}{why}; start one (make kafka) or set --broker / VEILLE_BROKER"


async def close(client: Any, seconds: float = 3.0) -> None:
    """Stop a client of aiokafka, whatever the broker does; after ``seconds`` it is left behind.

    aiokafka waits for answers of a broker that may be gone. It also awaits tasks that it has just cancelled and then hands their
    cancellation on to its caller, who would take it for its own.
    """
    stopping = asyncio.ensure_future(client.stop())
    await asyncio.wait({stopping}, timeout=seconds)
    if not stopping.done():
        stopping.cancel()
    elif not stopping.cancelled():
        stopping.exception()
