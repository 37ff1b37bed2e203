"""Who is told: routes by brand, kind, severity, event and time of day, from a YAML file or from the settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import yaml

from schemas.crisis import EVENT_TYPES, KINDS, Crisis
from streams.errors import BadInput
from streams.handwritten import NoYaml, reading
from streams.inside import MAIL_PORTS, WEB_PORTS, no_target
from streams.respond.settings import RespondSettings

FORMATS = ("log", "webhook", "slack", "teams", "pagerduty", "alertmanager", "email", "apprise")
PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
#: Events that end a crisis for whoever was told of it.
ENDS = frozenset({"resolved", "cancelled"})
_EVENTS = (*(name.removeprefix("veille.crisis.") for name in EVENT_TYPES), "task.opened", "task.late", "task.escalated")


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One target and what it wants. Empty lists mean all. ``hours`` are [from, to) of the brand's local day, e.g. [22, 6].

    ``url`` is the target (for e-mail ``smtp://host:port`` or ``smtps://``); ``secret`` signs webhooks, is the routing key for
    PagerDuty, and with ``user`` logs in to the mail server; ``$NAME`` takes it from the environment. ``to`` and ``sender`` are e-mail
    addresses. ``only_steps``: it hears of steps that name it alone. ``allow_private`` lets the target lie in a private network.
    """

    name: str
    format: str
    url: str = ""
    secret: str = ""
    user: str = ""
    brands: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    severity: int = 1
    hours: tuple[int, int] | None = None
    paged_only: bool = False
    only_steps: bool = False
    allow_private: bool = False
    language: str = ""
    to: tuple[str, ...] = ()
    sender: str = ""

    def wants(self, event: str, crisis: Crisis, at: datetime) -> bool:
        """Say whether this route takes ``event`` ("opened", "task.late", ...) that happened at ``at``."""
        if self.only_steps:
            return False
        if (self.brands and crisis.brand not in self.brands) or (self.kinds and crisis.kind not in self.kinds):
            return False
        if self.events and event not in self.events:
            return False
        if crisis.severity < self.severity or (self.paged_only and not crisis.page):
            return False
        return self.hours is None or _within(self.hours, _local_hour(at, crisis.timezone))


class Routes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All routes, in order."""

    routes: tuple[Route, ...] = ()


def load_routes(settings: RespondSettings, environment: Mapping[str, str] = os.environ) -> dict[str, Route]:
    """Return the routes by name; always one that logs. Raises `BadInput` with what to mend."""
    found = [Route(name="log", format="log")]
    if settings.webhook_url:
        if why := no_target(settings.webhook_url):
            raise BadInput(f"VEILLE_RESPOND__WEBHOOK_URL cannot be used: {why}")
        found.append(Route(name="webhook", format="webhook", url=settings.webhook_url, secret=settings.webhook_secret))
    if settings.routes:
        found += read_routes(Path(settings.routes), environment.get)
    names = [route.name for route in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"routes: the name {twice[0]} stands twice")
    return {route.name: msgspec.structs.replace(route, language=route.language or settings.language) for route in found}


def read_routes(path: Path, look_up: Callable[[str], str | None] = os.environ.get) -> list[Route]:
    """Read a YAML file of routes; secrets written as ``$NAME`` come from the environment."""
    try:
        text = path.read_text("utf-8")
        with reading(text):
            data = yaml.safe_load(text)
        routes = msgspec.convert(data, Routes, strict=False).routes
    except OSError as error:
        raise BadInput(f"routes {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"routes {path.name}: no UTF-8") from None
    except (NoYaml, msgspec.ValidationError) as error:
        raise BadInput(f"routes {path.name}: {error}") from None
    return [_checked(route, path.name, look_up) for route in routes]


def _checked(route: Route, file: str, look_up: Callable[[str], str | None]) -> Route:
    def wrong(words: str) -> BadInput:
        return BadInput(f"routes {file}: {route.name} {words}")

    if route.format not in FORMATS:
        raise wrong(f"has an unknown format; one of {', '.join(FORMATS)}")
    for what, given, known in (("kind", route.kinds, KINDS), ("event", route.events, _EVENTS)):
        if unknown := [word for word in given if word not in known]:
            raise wrong(f"names {unknown[0]}, which is no {what}; one of {', '.join(known)}")
    if route.hours is not None and not all(0 <= hour <= 24 for hour in route.hours):
        raise wrong("has hours that do not lie between 0 and 24")
    if route.language not in ("", "en", "fr"):
        raise wrong("has a language that is neither en nor fr")
    if route.secret.startswith("$"):
        secret = look_up(route.secret[1:])
        if not secret:
            raise wrong(f"takes its secret from {route.secret}, which is not set")
        route = msgspec.structs.replace(route, secret=secret)
    if route.format == "pagerduty":
        if not route.secret:
            raise wrong("needs a secret: the routing key of the service's Events API v2 integration")
        route = msgspec.structs.replace(route, url=route.url or PAGERDUTY_URL)
    if route.format == "webhook" and not route.secret:
        raise wrong("needs a secret: whsec_ and at least 24 bytes in base64, or $NAME; unsigned posts could be anybody's")
    if route.format == "email" and not route.to:
        raise wrong("needs `to`: one or several e-mail addresses")
    if route.format != "log" and not route.url:
        raise wrong("needs a url")
    if route.format not in ("log", "apprise") and (why := no_target(route.url, MAIL_PORTS if route.format == "email" else WEB_PORTS)):
        raise wrong(f"has a url that cannot be used: {why}")
    if any(letter in word for word in (*route.to, route.sender) for letter in "\r\n"):
        raise wrong("has an e-mail address with a line break in it")
    return route


def _within(hours: tuple[int, int], hour: int) -> bool:
    start, end = hours
    return start <= hour < end if start <= end else hour >= start or hour < end


def _local_hour(at: datetime, timezone: str) -> int:
    try:
        return at.astimezone(ZoneInfo(timezone)).hour
    except (ZoneInfoNotFoundError, ValueError):
        return at.hour
