"""Crisis cards and events for tests."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import msgspec

from schemas.cloudevents import header_maker
from schemas.command import Command
from schemas.crisis import Crisis, Sample
from schemas.response import Notification
from schemas.signal import Contribution, Forecast, SignalWatermark
from streams.engine.stage import InputRecord
from streams.respond.notify import NotifyWorker
from streams.respond.routes import Route
from streams.respond.settings import RespondSettings

CRISIS = "acme-20140513T155320-1"
AT = "2014-05-13T17:00:00Z"
#: Secrets of a webhook, and the formats of routes.
OLD = "whsec_" + base64.b64encode(b"o" * 32).decode()
NEW = "whsec_" + base64.b64encode(b"n" * 32).decode()
POSTED = ("webhook", "slack", "teams", "pagerduty", "alertmanager")
FORMS = (*POSTED, "email")


def card(seq: int = 1, at: str = AT, **more: Any) -> Crisis:
    """Return an open crisis's card."""
    base: dict[str, Any] = {
        "phase": "open", "onset": "2014-05-13T15:53:20Z", "headline": "acme: snowball about <!channel> *guitar*", "severity": 3,
        "opened_at": AT, "mentions": 40, "authors": 30, "negative_share": 0.8, "kinds": {"snowball": 0.8, "rumour": 0.2},
        "forecast": Forecast(median=100.0, low=50.0, high=200.0), "networks": {"x": 40}, "page": True,
        "contributions": (Contribution(name="tone.negative", log_odds=2.0, text="80 % negative"),),
        "samples": (Sample(mention_id="m1", network="x", text="they broke my <b>guitar</b>"),), "usual_day_authors": 12.0,
    }  # fmt: skip
    return Crisis(crisis_id=more.pop("crisis_id", CRISIS), brand="acme", seq=seq, updated_at=at, **{**base, **more})


def event(name: str, crisis: Crisis) -> InputRecord:
    """Return the record of ``veille.crisis.<name>``."""
    headers = header_maker(f"veille.crisis.{name}")(f"acme-{crisis.seq}", crisis.crisis_id, crisis.updated_at)
    return InputRecord(crisis.seq - 1, 0, b"acme", msgspec.json.encode(crisis), headers)


def decided(seq: int, name: str, by: str = "writer", role: str = "lead", at: str = AT, **args: Any) -> InputRecord:
    """Return the noted event of one command."""
    command = Command(id=f"c{seq}", command=name, brand="acme", by=by, at_ms=0, role=role, crisis_id=CRISIS, args=args)
    return event("noted", card(seq, at, decision=command))


def watermark(time_ms: int, offset: int) -> InputRecord:
    """Return the record that says how far event time is."""
    headers = header_maker("veille.watermark")(f"0-{time_ms}", "", "")
    return InputRecord(offset, 0, None, msgspec.json.encode(SignalWatermark(time_ms=time_ms)), headers)


def ms(text: str) -> int:
    """Return a time in RFC 3339 as ms."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def note(route: str = "r", name: str = "opened", **more: Any) -> Notification:
    """Return one notification."""
    crisis = card(**more)
    return Notification(id=f"acme-{crisis.seq}-{route}", route=route, event=f"veille.crisis.{name}", time=crisis.updated_at, crisis=crisis)


def noted_record(notification: Notification, offset: int = 0) -> InputRecord:
    """Return the record of ``crisis.notifications``."""
    return InputRecord(offset, 0, b"acme", msgspec.json.encode(notification), ())


def worker(
    url: str, form: str = "webhook", *, secret: str = NEW, waits: list[float] | None = None, private: bool = True, **more: Any
) -> NotifyWorker:
    """Return a worker with one route ``r`` that waits without time passing."""

    async def sleep(seconds: float) -> None:
        if waits is not None:
            waits.append(seconds)

    route = Route(name="r", format=form, url=url, secret=secret, to=("desk@example.org",), sender="veille@example.org",
                  allow_private=private, language="en")  # fmt: skip
    return NotifyWorker(RespondSettings(webhook_attempts=3, attempt_seconds=0.5), sleep=sleep, routes={"r": route}, **more)
