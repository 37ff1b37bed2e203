"""A time stamping authority on loopback: `openssl ts` behind a small web server."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

_CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


def _certificate(name: str, issuer: tuple[x509.Name, rsa.RSAPrivateKey] | None) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    signer, signing = issuer or (subject, key)
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(signer).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )  # fmt: skip
    if issuer is not None:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return made.sign(signing, hashes.SHA256()), key


def make(folder: Path, name: str = "Veille test authority", root: str = "Veille test root", *, whole: bool = False) -> Path:
    """Make an authority's keys and settings in ``folder``; return its root certificate. ``whole``: it sends the root's along."""
    folder.mkdir(parents=True, exist_ok=True)
    above, root_key = _certificate(root, None)
    signer, key = _certificate(name, (above.subject, root_key))
    for file, certificate in (("root.pem", above), ("tsa.pem", signer)):
        (folder / file).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tsa.key").write_bytes(key.private_bytes(*plain))
    (folder / "serial").write_text("01\n")
    more = f"certs = {folder}/root.pem\n" if whole else ""
    (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder) + more)
    return folder / "root.pem"


def openssl(*words: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run ``openssl ts``; the test is left out where there is none."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed: make system, as root")
    return subprocess.run([program, "ts", *map(str, words)], capture_output=True)


def stamped(folder: Path, query: bytes) -> bytes:
    """Return the authority's answer to a request."""
    (folder / "query.tsq").write_bytes(query)
    done = openssl("-reply", "-config", folder / "tsa.cnf", "-queryfile", folder / "query.tsq", "-out", folder / "answer.tsr")
    assert done.returncode == 0, done.stderr.decode()
    return (folder / "answer.tsr").read_bytes()


@contextlib.asynccontextmanager
async def authority(folder: Path, change: Callable[[bytes], bytes] = bytes, status: str = "200 OK") -> AsyncIterator[str]:
    """Serve the authority that `make` made in ``folder``; its answers go through ``change``. Yields its URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert head.startswith("post /stamp ")
        assert "content-type: application/timestamp-query\r\n" in head
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        answer = change(await asyncio.to_thread(stamped, folder, await reader.readexactly(length)))
        kind = "Content-Type: application/timestamp-reply"
        writer.write(f"HTTP/1.1 {status}\r\n{kind}\r\nContent-Length: {len(answer)}\r\nConnection: close\r\n\r\n".encode() + answer)
        await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as running:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}/stamp"
