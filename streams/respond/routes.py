"""Who is told: routes by brand, kind, severity, event and time of day, from a YAML file or from the settings."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import yaml

from schemas.crisis import KINDS, Crisis
from streams.errors import BadInput
from streams.respond.settings import RespondSettings

FORMATS = ("log", "webhook", "slack", "teams", "pagerduty", "alertmanager", "email")


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One target and what it wants. Empty lists mean all. ``hours`` are [from, to) of the brand's local day, e.g. [22, 6].

    ``url`` is the target (for e-mail ``smtp://host:port``); ``secret`` signs webhooks, and is the routing key for PagerDuty;
    ``to`` and ``sender`` are e-mail addresses.
    """

    name: str
    format: str
    url: str = ""
    secret: str = ""
    brands: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    severity: int = 1
    hours: tuple[int, int] | None = None
    paged_only: bool = False
    language: str = "en"
    to: tuple[str, ...] = ()
    sender: str = ""

    def wants(self, event: str, crisis: Crisis, at: datetime) -> bool:
        """Say whether this route takes the event ``veille.crisis.<event>`` that happened at ``at``."""
        if self.brands and crisis.brand not in self.brands:
            return False
        if self.kinds and crisis.kind not in self.kinds:
            return False
        ends = event in ("resolved", "cancelled")
        if self.events and event not in self.events:
            return False
        if crisis.severity < self.severity and not ends:
            return False
        if self.paged_only and not crisis.page and not ends:
            return False
        return self.hours is None or _within(self.hours, _local_hour(at, crisis.timezone))


class Routes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All routes, in order."""

    routes: tuple[Route, ...] = ()


def load_routes(settings: RespondSettings) -> dict[str, Route]:
    """Return the routes by name; always one that logs. Raises `BadInput` with what to mend."""
    found = [Route(name="log", format="log")]
    if settings.webhook_url:
        found.append(Route(name="webhook", format="webhook", url=settings.webhook_url, secret=settings.webhook_secret))
    if settings.routes:
        found += read_routes(Path(settings.routes))
    names = [route.name for route in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"routes: the name {twice[0]} stands twice")
    return {route.name: route for route in found}


def read_routes(path: Path) -> list[Route]:
    """Read a YAML file of routes."""
    try:
        routes = msgspec.convert(yaml.safe_load(path.read_text("utf-8")), Routes, strict=False).routes
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise BadInput(f"routes {path.name}: {error}") from None
    for route in routes:
        if route.format not in FORMATS:
            raise BadInput(f"routes {path.name}: format of {route.name} must be one of {', '.join(FORMATS)}")
        unknown = [kind for kind in route.kinds if kind not in KINDS]
        if unknown:
            raise BadInput(f"routes {path.name}: {route.name} names no kind of crisis; kinds are {', '.join(KINDS)}")
        if route.format != "log" and not route.url:
            raise BadInput(f"routes {path.name}: {route.name} needs a url")
        if route.hours is not None and not all(0 <= hour <= 24 for hour in route.hours):
            raise BadInput(f"routes {path.name}: hours of {route.name} lie between 0 and 24")
    return list(routes)


def _within(hours: tuple[int, int], hour: int) -> bool:
    start, end = hours
    return start <= hour < end if start <= end else hour >= start or hour < end


def _local_hour(at: datetime, timezone: str) -> int:
    try:
        return at.astimezone(ZoneInfo(timezone)).hour
    except (ZoneInfoNotFoundError, ValueError):
        return at.hour
