"""A broker that asks who its clients are: TLS with passwords (SASL), TLS with client certificates, and rights (ACLs).

Beside the plain listener, which is the administrator's, there are ``SASL`` and ``MTLS``. Certificates are made with openssl, for tests
and trials only: their keys lie in a folder, and they hold for a day.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from infra.kafka.jars import Missing

#: The name that the broker's certificate holds for; its address is not in there.
HOST = "localhost"
LISTENERS = ("SASL", "MTLS")
_MODULE = "org.apache.kafka.common.security"


class Certificates:
    """An authority of its own in ``folder``, and what it signs. Raises `Missing` without openssl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.authority = folder / "ca.pem"
        self._run(
            "req", "-x509", *_KEY, "-days", "1", "-subj", "/CN=test authority", "-keyout", self._path("ca.key"), "-out", self.authority
        )

    def sign(self, name: str, alternative: str = "") -> tuple[Path, Path]:
        """Return (certificate, key) in PEM of the common name ``name``."""
        key, request, certificate = self._path(f"{name}.key"), self._path(f"{name}.csr"), self._path(f"{name}.pem")
        extension = self._path(f"{name}.ext")
        extension.write_text(f"subjectAltName={alternative}\n" if alternative else "", "utf-8")
        self._run("req", "-new", *_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        signed_by = ("-CA", self.authority, "-CAkey", self._path("ca.key"), "-CAcreateserial", "-days", "1", "-extfile", extension)
        self._run("x509", "-req", "-in", request, *signed_by, "-out", certificate)
        return certificate, key

    def encrypted(self, key: Path, password: str) -> Path:
        """Return ``key`` again, behind ``password``."""
        made = key.with_suffix(".locked")
        self._run("pkcs8", "-topk8", "-in", key, "-out", made, "-passout", f"pass:{password}")
        return made

    def _path(self, name: str) -> Path:
        return self.folder / name

    @staticmethod
    def _run(*arguments: str | Path) -> None:
        openssl = shutil.which("openssl")
        if openssl is None:
            raise Missing("certificates are made with openssl: install it (Debian: apt-get install openssl)")
        done = subprocess.run([openssl, *map(str, arguments)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Missing(f"openssl {arguments[0]} failed:\n{done.stderr[-2000:]}")


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Secured:
    """What makes a broker a secured one; hand it to `KafkaCluster`. ``users``: {name: password}, for SCRAM-SHA-256, -512 and PLAIN.

    Whoever comes by certificate is its common name. Nobody but the plain listener's clients may do anything until ACLs say so.
    """

    def __init__(self, certificates: Certificates, users: Mapping[str, str]) -> None:
        self.certificates = certificates
        self._users = dict(users)
        certificate, key = certificates.sign("broker", f"DNS:{HOST}")
        self._store = certificates.folder / "broker.store"
        self._store.write_text(key.read_text("utf-8") + certificate.read_text("utf-8"), "utf-8")

    def properties(self, ports: Mapping[str, int]) -> dict[str, str]:
        """Return lines of ``server.properties``; ``ports`` also names the usual two listeners."""
        known = " ".join(f'user_{name}="{password}"' for name, password in self._users.items())
        at = {name: f"{name}://{HOST if name in LISTENERS else '127.0.0.1'}:{port}" for name, port in ports.items()}
        kinds = {"SASL": "SASL_SSL", "MTLS": "SSL"}
        return {
            "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items()),
            "advertised.listeners": ",".join(where for name, where in at.items() if name != "CONTROLLER"),
            "listener.security.protocol.map": ",".join(f"{name}:{kinds.get(name, 'PLAINTEXT')}" for name in ports),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._store),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.certificates.authority),
            "ssl.principal.mapping.rules": "RULE:^CN=(.*?)$/$1/,DEFAULT",
            "listener.name.mtls.ssl.client.auth": "required",
            "listener.name.sasl.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN",
            "listener.name.sasl.scram-sha-256.sasl.jaas.config": f"{_MODULE}.scram.ScramLoginModule required;",
            "listener.name.sasl.scram-sha-512.sasl.jaas.config": f"{_MODULE}.scram.ScramLoginModule required;",
            "listener.name.sasl.plain.sasl.jaas.config": f"{_MODULE}.plain.PlainLoginModule required {known};",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "auto.create.topics.enable": "false",
        }

    def format_options(self) -> list[str]:
        """Return what the storage tool is told beside the usual: the users' SCRAM secrets."""
        mechanisms = ("SCRAM-SHA-256", "SCRAM-SHA-512")
        made = [f"{mechanism}=[name={name},password={password}]" for name, password in self._users.items() for mechanism in mechanisms]
        return [word for secret in made for word in ("--add-scram", secret)]
