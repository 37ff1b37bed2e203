"""What the settings of the connection say before a broker is asked, and that every client takes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streams.engine.connection import connection
from streams.engine.settings import KafkaSettings
from streams.errors import BadInput

STREAMS = Path(__file__).parents[2] / "streams"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sasl_username": "ann"}, "VEILLE_SASL_USERNAME is set, but VEILLE_SECURITY_PROTOCOL is PLAINTEXT: set that to SASL_SSL"),
        ({"security_protocol": "SSL", "sasl_password": "x"}, "VEILLE_SASL_PASSWORD is set, but VEILLE_SECURITY_PROTOCOL is SSL"),
        ({"ssl_cafile": "/ca"}, "VEILLE_SSL_CAFILE is set, but VEILLE_SECURITY_PROTOCOL is PLAINTEXT: set that to SSL or SASL_SSL"),
        ({"security_protocol": "SASL_SSL"}, "SASL_SSL needs VEILLE_SASL_USERNAME"),
        ({"security_protocol": "SASL_SSL", "sasl_username": "ann"}, "SASL_SSL needs VEILLE_SASL_PASSWORD"),
        ({"security_protocol": "SSL", "ssl_keyfile": "/k"}, "VEILLE_SSL_KEYFILE is set without VEILLE_SSL_CERTFILE"),
        ({"security_protocol": "SSL", "ssl_cafile": "/no/ca"}, "VEILLE_SSL_CAFILE: /no/ca cannot be read: No such file"),
        ({"security_protocol": "SSL", "ssl_certfile": "/no/c"}, "VEILLE_SSL_CERTFILE: /no/c cannot be read: No such file"),
        ({"security_protocol": "SSL", "ssl_certfile": "FILE", "ssl_keyfile": "/no/k"}, "VEILLE_SSL_KEYFILE: /no/k cannot be read"),
        ({"security_protocol": "SSL", "ssl_cafile": "FILE"}, "holds no certificate in PEM"),
        ({"security_protocol": "SSL", "ssl_certfile": "FILE"}, "cannot be used: both are needed in PEM"),
    ],
)
def test_settings_that_do_not_fit_together_are_named(tmp_path: Path, given: dict[str, str], said: str) -> None:
    """Before anything is sent: what would be silently unused, what is missing, and files that cannot be read."""
    (tmp_path / "file").write_text("no certificate")
    given = {name: str(tmp_path / "file") if value == "FILE" else value for name, value in given.items()}
    with pytest.raises(BadInput, match=said):
        connection(KafkaSettings.model_validate(given))


def test_every_client_takes_the_settings_of_the_connection() -> None:
    """A client that is made with an address alone does not get into a secured broker, and one that starts by itself cannot say why."""
    made = 0
    for path in STREAMS.rglob("*.py"):
        if "bench" in path.parts:  # contestants of the benches, on a broker of their own
            continue
        text = path.read_text("utf-8")
        for found in re.finditer(r"= AIOKafka(Consumer|Producer|AdminClient)\(|return AIOKafkaConsumer\(", text):
            made += 1
            assert "**connection(" in text[found.end() : found.end() + 120], f"{path}: {found.group()}"
        if path.name != "access.py":
            assert not re.search(r"(consumer|producer|client|admin)\.start\(\)", text), path
    assert made >= 12
