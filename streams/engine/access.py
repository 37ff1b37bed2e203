"""What a broker's refusal means, in a sentence with the mend: who we are to it, and what we may do there."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from typing import Any

from aiokafka.cluster import ClusterMetadata
from aiokafka.conn import create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from streams.engine.connection import close, connection, no_broker
from streams.engine.settings import KafkaSettings
from streams.errors import BadInput, Forbidden, Unreachable, VeilleError

#: First byte of a TLS alert: what a TLS listener answers to a client that speaks without TLS.
_TLS_ALERT = 0x15
_RIGHTS = "docs/security.md lists the rights of each command"


class NotSeen(TopicAuthorizationFailedError):
    """A topic may not even be asked for."""


async def start(client: Any, settings: KafkaSettings, seconds: float = 20.0, *, writes: str = "") -> None:
    """Start a client of aiokafka, and stop it where that fails. ``writes`` names what a producer is to write.

    Raises `Unreachable`, `BadInput` where the broker turns us away, or `Forbidden`.
    """
    try:
        await asyncio.wait_for(client.start(), seconds)
    except (KafkaError, OSError, TimeoutError) as error:
        await close(client)
        raise (
            refused(error, settings, "Write", writes) or await turned_away(settings) or Unreachable(no_broker(settings.broker, error))
        ) from None
    except BaseException:
        await close(client)
        raise


def refused(error: BaseException | None, settings: KafkaSettings, operation: str = "Read", topic: str = "") -> Forbidden | None:
    """Return what to say where ``error``, or what caused it, is a right that we lack; else None.

    ``operation`` is what was tried, under Kafka's name; ``topic`` names the topic where the error does not.
    """
    who = settings.sasl_username or ("the user of the client certificate" if settings.ssl_certfile else "a client without a name")
    while error is not None:
        if isinstance(error, TopicAuthorizationFailedError):
            operation = "Describe" if isinstance(error, NotSeen) else operation
            return Forbidden(f"the broker does not allow {who} {operation} on topic {_named(error) or topic}: grant it ({_RIGHTS})")
        if isinstance(error, GroupAuthorizationFailedError):
            group = error.args[0] if error.args else settings.group_id
            return Forbidden(f"the broker does not allow {who} Read on consumer group {group}: grant it ({_RIGHTS})")
        if isinstance(error, ClusterAuthorizationFailedError):
            # To who may write nothing at all the broker gives no producer id.
            if topic:
                return Forbidden(f"the broker does not allow {who} {operation} on topic {topic}: grant it ({_RIGHTS})")
            return Forbidden(
                f"the broker does not allow {who} IdempotentWrite: grant Write on the topics that are written "
                f"(before Kafka 2.8 also IdempotentWrite on the cluster; {_RIGHTS})"
            )
        error = error.__cause__
    return None


def _named(error: BaseException) -> str:
    """Return the topics of an error of aiokafka: it carries a name, a partition, or several names."""
    given: Any = error.args[0] if error.args else ""  # a name, a partition or several names
    several: list[Any] = [given] if isinstance(given, str | tuple) else list(given)
    return ", ".join(sorted({one if isinstance(one, str) else one.topic for one in several}))


async def counts_of(client: Any, topics: Iterable[str] = ()) -> dict[str, int]:
    """Return {topic: partitions} of all that the broker shows to aiokafka's ``client``. Creates nothing.

    Raises `NotSeen` for one of ``topics`` that it may not ask for: what is kept from us is not what is missing.
    """
    found: ClusterMetadata = await client.fetch_all_metadata()
    there = {topic: len(found.partitions_for_topic(topic) or ()) for topic in sorted(found.topics())}
    missing = [topic for topic in topics if topic not in there]
    # The embedded broker, which names no controller, keeps nothing from anybody and would create what is asked for.
    if missing and client.cluster.controller is not None:
        asked = ClusterMetadata()
        asked.update_metadata(await client.send(client.get_random_node(), MetadataRequest(missing, False)))
        if asked.unauthorized_topics:
            raise NotSeen(sorted(asked.unauthorized_topics))
    return there


async def turned_away(settings: KafkaSettings, seconds: float = 6.0) -> VeilleError | None:
    """Connect once more to each broker and return why it does not take us; None where it takes us, or where none answers.

    aiokafka logs the reason and raises that there is no broker.
    """
    given = connection(settings)
    silent = ""
    for place in given.pop("bootstrap_servers"):
        host, _, port = place.rpartition(":")
        try:
            trial = create_conn(host.strip("[]"), int(port), request_timeout_ms=int(seconds * 1000), **given)
            conn = await asyncio.wait_for(trial, seconds)
            try:
                # One that asks for a password lets us connect without it, and no further.
                await conn.send(MetadataRequest([]))
            finally:
                conn.close()
        except (OSError, KafkaError, TimeoutError, ValueError) as error:
            if word := _mend(error, settings):
                return BadInput(f"{place} {word}")
            if isinstance(error, socket.gaierror):
                silent = place
    return Unreachable(f"the name of {silent} is not known; set --broker / VEILLE_BROKER") if silent else None


def _mend(error: BaseException, settings: KafkaSettings) -> str:
    """Return what is wrong with how we come, and what to do; empty for a broker that is not there."""
    cause = error.__cause__
    tls = settings.security_protocol != "PLAINTEXT"
    if isinstance(error, ssl.SSLCertVerificationError):
        if "mismatch" in error.verify_message:
            return f"has a certificate of another host ({error.verify_message.rstrip('.')}): VEILLE_BROKER takes the name in it"
        return f"has a certificate that is not trusted ({error.verify_message}): VEILLE_SSL_CAFILE names the CA that signed it"
    if isinstance(error, SaslAuthenticationFailed):
        return (
            f"does not accept the user {settings.sasl_username} with this password by {settings.sasl_mechanism}: "
            "check VEILLE_SASL_USERNAME, VEILLE_SASL_PASSWORD and VEILLE_SASL_MECHANISM"
        )
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"does not offer {settings.sasl_mechanism}: set VEILLE_SASL_MECHANISM to what it does"
    if isinstance(error, IllegalSaslStateError):
        return "asks for no password on this port: set VEILLE_SECURITY_PROTOCOL=SSL, or name its SASL port in VEILLE_BROKER"
    if isinstance(cause, ssl.SSLError):
        if settings.ssl_certfile:
            return "does not accept the client certificate of VEILLE_SSL_CERTFILE: is it signed by the broker's CA, and in date?"
        return "asks for a client certificate: set VEILLE_SSL_CERTFILE and VEILLE_SSL_KEYFILE"
    if tls and isinstance(error, ssl.SSLError | ConnectionResetError):
        return "does not speak TLS on this port: set VEILLE_SECURITY_PROTOCOL=PLAINTEXT, or name its TLS port in VEILLE_BROKER"
    if settings.security_protocol == "SSL" and isinstance(error, KafkaConnectionError):
        return "ends the connection after TLS: if it asks for a password, set VEILLE_SECURITY_PROTOCOL=SASL_SSL"
    if not tls and isinstance(cause, asyncio.IncompleteReadError) and (cause.expected or 0) >> 24 == _TLS_ALERT:
        return "speaks TLS on this port: set VEILLE_SECURITY_PROTOCOL to SSL or SASL_SSL"
    return ""
