"""Every other service, through Apprise."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from streams.errors import BadInput
from streams.respond.notify import NotifyWorker
from streams.respond.others import Other
from streams.respond.routes import Route
from streams.respond.settings import RespondSettings
from tests.respond.local import server
from tests.respond.make import note, noted_record


def route(url: str, **more: Any) -> Route:
    """Return a route that Apprise serves."""
    return Route(name="r", format="apprise", url=url, language="en", **more)


async def test_a_message_arrives() -> None:
    """The service gets the headline as title and the rest of the brief as body, and no mention can ping."""
    pytest.importorskip("apprise", reason="pip install 'veille[apprise]'")
    async with server(lambda n: "200 OK") as (url, seen):
        target = route(url.replace("http://", "json://").partition("?")[0], allow_private=True)
        one = NotifyWorker(RespondSettings(), routes={"r": target})
        assert await one.handle([noted_record(note(headline="@everyone *look*"))]) == []
        await one.close()
    sent = json.loads(seen[0][1])
    assert sent["title"] == "@\u200beveryone \u2217look\u2217"
    assert len(sent["message"].splitlines()) == 11


async def test_what_apprise_cannot_deliver_is_a_dead_letter() -> None:
    """A service that fails is tried again, then given up."""
    pytest.importorskip("apprise", reason="pip install 'veille[apprise]'")

    async def no_time(seconds: float) -> None:
        return None

    async with server(lambda n: "500 Oops") as (url, seen):
        target = route(url.replace("http://", "json://").partition("?")[0], allow_private=True)
        one = NotifyWorker(RespondSettings(webhook_attempts=2), sleep=no_time, routes={"r": target})
        dead = await one.handle([noted_record(note())])
        await one.close()
    assert len(seen) == 2
    assert dict(dead[0].headers)["veille-reason"] == b"apprise: not delivered"


def test_a_host_of_ones_own_needs_a_word() -> None:
    """Apprise opens its own connections: a URL that names a host is refused unless allowed; a service at a fixed address is not."""
    pytest.importorskip("apprise", reason="pip install 'veille[apprise]'")
    with pytest.raises(BadInput, match="allow_private"):
        Other(route("json://internal.example/hook"))
    Other(route("discord://1234567890/abcdefghijklmnop"))
    with pytest.raises(BadInput, match="reads no service"):
        Other(route("nothing-at-all"))


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Apprise the route says which extra to install."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(BadInput, match=r"veille\[apprise\]"):
        Other(route("discord://1234567890/abcdefghijklmnop"))
