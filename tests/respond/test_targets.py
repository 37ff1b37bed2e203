"""Whom messages may reach: no private address, whatever a name says, and nobody who cannot prove the name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.inside import Refused, pin
from streams.respond.notify import NotifyWorker
from streams.respond.routes import Route
from streams.respond.settings import RespondSettings
from tests.respond.local import certificate, mail_server, server
from tests.respond.make import FORMS, NEW, note, noted_record, worker


@pytest.mark.parametrize("form", FORMS)
async def test_private_targets_are_refused(form: str) -> None:
    """No format reaches loopback, or a name with one private address among public ones, unless the route allows it."""

    async def mixed(host: str, port: int) -> list[str]:
        return ["1.1.1.1", "10.0.0.1"]

    scheme = "smtp" if form == "email" else "http"
    targets: list[tuple[str, dict[str, Any]]] = [(f"{scheme}://127.0.0.1:9/", {}), (f"{scheme}://example.org/", {"lookup": mixed})]
    for url, more in targets:
        one = worker(url, form, private=False, **more)
        dead = await one.handle([noted_record(note())])
        await one.close()
        assert dict(dead[0].headers)["veille-attempts"] == b"1"
        assert b"private" in dict(dead[0].headers)["veille-reason"]


async def test_targets_that_are_none() -> None:
    """Other schemes, credentials in the URL, and ports that are none are refused."""

    async def public(host: str, port: int) -> list[str]:
        return ["1.1.1.1"]

    for bad in ("ftp://example.org", "https://a:b@example.org/", "http://", "http://x:99999/"):
        with pytest.raises(Refused):
            await pin(bad, allow_private=True, lookup=public)


async def test_the_address_is_pinned() -> None:
    """A name that changes between check and connection changes nothing: it is looked up once for each attempt, and that address is used."""
    answers = iter([["2606:4700::1111"], ["127.0.0.1"]])

    async def rebinding(host: str, port: int) -> list[str]:
        return next(answers)

    target = await pin("https://example.org:8443/a?b=c", allow_private=False, lookup=rebinding)
    assert target[:3] == ("https://[2606:4700::1111]:8443/a?b=c", "example.org:8443", "example.org")
    with pytest.raises(Refused):
        await pin("https://example.org:8443/a?b=c", allow_private=False, lookup=rebinding)


async def test_a_name_in_letters_of_its_own() -> None:
    """A host outside ASCII is looked up, named and proven as the DNS writes it."""
    asked = []

    async def public(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["1.1.1.1"]

    target = await pin("https://café.example/?q=é", allow_private=False, lookup=public)
    assert (target.host, target.server_name, asked) == ("xn--caf-dma.example", "xn--caf-dma.example", ["xn--caf-dma.example"])


@pytest.mark.parametrize("form", ["webhook", "email"])
async def test_a_pinned_address_must_prove_its_name(form: str, tmp_path: Path) -> None:
    """The connection goes to the pinned address, and its certificate is checked against the name: another name, or no trust, is refused."""
    tls, trust = certificate("hook.example", tmp_path)

    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    opened = mail_server(lambda n: "250 fine", tls) if form == "email" else server(lambda n: "204 Fine", tls)
    async with opened as (url, took):
        outcomes = []
        for name, ca_file in (("hook.example", str(trust)), ("other.example", str(trust)), ("hook.example", "")):
            route = Route(
                name="r", format=form, url=url.replace("127.0.0.1", name), secret=NEW, to=("desk@example.org",), allow_private=True
            )
            settings = RespondSettings(webhook_attempts=1, ca_file=ca_file)
            one = NotifyWorker(settings, routes={"r": route}, lookup=here)
            outcomes.append([dict(d.headers)["veille-reason"] for d in await one.handle([noted_record(note())])])
            await one.close()
    refused = b"SSLCertVerificationError" if form == "email" else b"ConnectError"
    assert outcomes == [[], [refused], [refused]]
    assert len(took) == 1
