"""Local targets on loopback: an HTTP server and a mail server that answer as they are told, and the schemas of what services accept."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.web import listening

Seen = list[tuple[dict[str, str], bytes]]
#: Answers the n-th request (from 1) with a status line and headers, or None to stall.
Answer = Callable[[int], str | None]
#: An answer whose headers never end: each byte comes in time, the whole never does.
DRIP = "drip"


@contextlib.asynccontextmanager
async def server(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, Seen]]:
    """Run an HTTP server; yield its URL and what it got."""
    seen: Seen = []
    end = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        seen.append((headers, await reader.readexactly(int(headers.get("content-length", "0")))))
        reply, dripped = answer(len(seen)), False
        if reply is None:
            await end.wait()
            return
        if reply == DRIP:
            while not end.is_set():
                writer.write(b"HTTP/1.1 200 OK\r\n" if not dripped else b"X-More: 1\r\n")
                dripped = True
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(end.wait(), 0.2)
            return
        writer.write(f"HTTP/1.1 {reply}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()

    async with listening(serve, end, tls) as port:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/hook?x=1", seen


@contextlib.asynccontextmanager
async def mail_server(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, list[str]]]:
    """Run a mail server that takes a message, or answers ``MAIL FROM`` as ``answer`` says; yield its URL and the messages it took."""
    took: list[str] = []
    end = asyncio.Event()
    calls = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        writer.write(b"220 local\r\n")
        while line := (await reader.readline()).decode().strip():
            word = line[:4].upper()
            reply = "250 fine"
            if word == "MAIL":
                calls += 1
                said = answer(calls)
                if said is None:
                    await end.wait()
                    return
                while said == DRIP and not end.is_set():
                    writer.write(b"250-more\r\n")
                    await writer.drain()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(end.wait(), 0.05)
                reply = said
            elif word == "DATA":
                writer.write(b"354 go on\r\n")
                took.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            writer.write(f"{'221 bye' if word == 'QUIT' else reply}\r\n".encode())
            await writer.drain()

    async with listening(serve, end, tls) as port:
        yield f"{'smtps' if tls else 'smtp'}://127.0.0.1:{port}", took


def certificate(name: str, folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's TLS context with a certificate for ``name``, and the file that a client must trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(today - datetime.timedelta(days=1)).not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    trusted, private = folder / "trusted.pem", folder / "private.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    return context, trusted


def _object(required: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": required, **more}


_TEXT = {"type": "string", "minLength": 1}


def _plain(limit: int) -> dict[str, Any]:
    return _object({"type": {"const": "plain_text"}, "text": {**_TEXT, "maxLength": limit}})


#: As the services document them; limits included.
SCHEMAS: dict[str, dict[str, Any]] = {
    # https://api.slack.com/reference/block-kit/blocks
    "slack": _object({
        "text": {**_TEXT, "maxLength": 4000},
        "blocks": {"type": "array", "maxItems": 50, "items": {"oneOf": [
            _object({"type": {"const": "header"}, "text": _plain(150)}),
            _object({"type": {"const": "section"}, "text": _object({"type": {"const": "mrkdwn"}, "text": {**_TEXT, "maxLength": 3000}})}),
            _object({"type": {"const": "context"}, "elements": {"type": "array", "maxItems": 10, "items": _plain(2000)}}),
        ]}},
    }),
    # https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors (Workflows), adaptivecards.io 1.4
    "teams": _object({
        "type": {"const": "message"},
        "attachments": {"type": "array", "minItems": 1, "items": _object({
            "contentType": {"const": "application/vnd.microsoft.card.adaptive"}, "contentUrl": {"type": "null"},
            "content": _object({
                "type": {"const": "AdaptiveCard"}, "version": {"enum": ["1.4"]},
                "body": {"type": "array", "items": _object({
                    "type": {"const": "RichTextBlock"},
                    "inlines": {"type": "array", "items": _object({"type": {"const": "TextRun"}, "text": _TEXT})},
                })},
            }),
        })},
    }),
    # https://developer.pagerduty.com/docs/send-alert-event
    "pagerduty": _object({
        "routing_key": _TEXT, "event_action": {"enum": ["trigger", "acknowledge", "resolve"]}, "dedup_key": {**_TEXT, "maxLength": 255},
    }, **{
        "if": {"properties": {"event_action": {"const": "trigger"}}}, "then": {"required": ["payload"]},
    }) | {"additionalProperties": False},
    # https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
    "alertmanager": _object({
        "version": {"const": "4"}, "groupKey": _TEXT, "truncatedAlerts": {"type": "integer"}, "status": {"enum": ["firing", "resolved"]},
        "receiver": _TEXT, "groupLabels": {"type": "object"}, "commonLabels": {"type": "object"}, "commonAnnotations": {"type": "object"},
        "externalURL": {"type": "string"},
        "alerts": {"type": "array", "minItems": 1, "items": _object({
            "status": {"enum": ["firing", "resolved"]}, "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "annotations": {"type": "object", "additionalProperties": {"type": "string"}}, "startsAt": {"format": "date-time"},
            "endsAt": {"format": "date-time"}, "generatorURL": {"type": "string"}, "fingerprint": _TEXT,
        })},
    }),
    # https://github.com/standard-webhooks/standard-webhooks, CloudEvents 1.0 JSON format
    "webhook": _object({
        "specversion": {"const": "1.0"}, "id": _TEXT, "type": {"pattern": "^veille\\."}, "source": _TEXT, "subject": _TEXT,
        "time": {"format": "date-time"}, "data": _object({
            "crisis_id": _TEXT, "brief": {"type": "array", "minItems": 12, "maxItems": 12, "items": _TEXT}, "tasks": {"type": "array"},
        }),
    }),
}  # fmt: skip
SCHEMAS["pagerduty"]["properties"]["payload"] = _object({
    "summary": {**_TEXT, "maxLength": 1024}, "source": _TEXT, "severity": {"enum": ["critical", "error", "warning", "info"]},
    "timestamp": {"format": "date-time"},
})  # fmt: skip
# https://appriseit.com/services/json/, version 1.0
SCHEMAS["apprise"] = _object({
    "version": {"const": "1.0"}, "title": {**_TEXT, "maxLength": 250}, "message": {**_TEXT, "maxLength": 32_768},
    "attachments": {"type": "array", "maxItems": 0}, "type": {"enum": ["info", "success", "warning", "failure"]},
}, additionalProperties=False)  # fmt: skip
#: Longest bodies that are taken (bytes).
LIMITS = {"webhook": 20_000, "teams": 28_000, "pagerduty": 512_000}
