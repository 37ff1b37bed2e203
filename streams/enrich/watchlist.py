"""The watchlist file, checked with line numbers, and the compiled watchlists that enrichment switches between."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from schemas.brand import Brand, CalendarEntry, Thresholds, Watchlist
from streams.enrich.brands import BrandMatcher
from streams.enrich.times import day_ms
from streams.errors import BadInput
from streams.handwritten import Node, Nodes, text_of

_ROOT_KEYS = ("brands", "press", "version", "alarms_per_week")
_BRAND_KEYS = (
    "id", "names", "handles", "hashtags", "exclude", "context", "owned", "alarms_per_week", "timezone", "languages", "sector",
    "people", "plan", "thresholds", "calendar",
)  # fmt: skip
DAY_MS = 86_400_000
_CALENDAR_KEYS = ("from", "to", "terms", "expect")
_ID = re.compile(r"[a-z0-9_-]+")


class _Reader(Nodes):
    """Reads the nodes of a watchlist."""

    def day(self, node: Node) -> str:
        text = self.text(node)
        try:
            day_ms(text)
        except ValueError:
            raise self.fail(node, "a date is expected here, as in 2026-12-01") from None
        return text

    def calendar(self, node: Node) -> tuple[CalendarEntry, ...]:
        if not isinstance(node, yaml.nodes.SequenceNode):
            raise self.fail(node, "calendar is a list of entries with from, to, terms and expect")
        entries = []
        for item in node.value:
            keys = self.mapping(item, _CALENDAR_KEYS)
            for needed in ("from", "to", "terms"):
                if needed not in keys:
                    raise self.fail(item, f"this calendar entry has no {needed!r}")
            expect = self.number(keys["expect"], 1, 1e6) if "expect" in keys else 5.0
            entry = CalendarEntry(start=self.day(keys["from"]), end=self.day(keys["to"]), terms=self.texts(keys["terms"]), expect=expect)
            if day_ms(entry.start) >= day_ms(entry.end) + (DAY_MS if len(entry.end) == 10 else 0):
                raise self.fail(keys["to"], "this happening ends before it begins")
            entries.append(entry)
        return tuple(entries)

    def handles(self, node: Node) -> dict[str, tuple[str, ...]]:
        if isinstance(node, yaml.nodes.SequenceNode):
            return {"*": self.texts(node)}
        return {network.lower(): self.texts(value) for network, value in self.mapping(node, None).items()}

    def brand(self, node: Node) -> Brand:
        keys = self.mapping(node, _BRAND_KEYS)
        for needed in ("id", "names"):
            if needed not in keys:
                raise self.fail(node, f"this brand has no {needed!r}")
        fields: dict[str, Any] = {"id": self.text(keys["id"]), "names": self.texts(keys["names"])}
        if not _ID.fullmatch(fields["id"]):
            raise self.fail(keys["id"], "an id is made of a-z, 0-9, _ and -")
        if not fields["names"]:
            raise self.fail(keys["names"], "a brand needs at least one name")
        for name in ("hashtags", "exclude", "context", "owned", "languages", "people"):
            if name in keys:
                fields[name] = self.texts(keys[name])
        for name in ("sector", "plan", "timezone"):
            if name in keys:
                fields[name] = self.text(keys[name])
        if "timezone" in keys:
            try:
                ZoneInfo(fields["timezone"])
            except Exception:
                raise self.fail(keys["timezone"], "unknown time zone; an example is Europe/Paris") from None
        if "handles" in keys:
            fields["handles"] = self.handles(keys["handles"])
        if "alarms_per_week" in keys:
            fields["alarms_per_week"] = self.number(keys["alarms_per_week"], 0, 1000)
        if "thresholds" in keys:
            inner = self.mapping(keys["thresholds"], ("severity",))
            fields["thresholds"] = Thresholds(severity=int(self.number(inner["severity"], 1, 5))) if inner else Thresholds()
        if "calendar" in keys:
            fields["calendar"] = self.calendar(keys["calendar"])
        return Brand(**fields)


def parse_watchlist(text: str, name: str) -> Watchlist:
    """Read the YAML of a watchlist; ``name`` is what complaints call it. Raises `BadInput` with line and mend."""
    reader = _Reader(name)
    root = reader.root(text)
    if root is None:
        raise BadInput(f"{name}: the file is empty; it needs 'brands:'")
    keys = reader.mapping(root, _ROOT_KEYS)
    if "brands" not in keys:
        raise reader.fail(root, "there is no 'brands'")
    if not isinstance(keys["brands"], yaml.nodes.SequenceNode):
        raise reader.fail(keys["brands"], "'brands' is a list")
    brands: list[Brand] = []
    seen: set[str] = set()
    for node in keys["brands"].value:
        brand = reader.brand(node)
        if brand.id in seen:
            raise reader.fail(node, f"brand {brand.id!r} comes twice")
        seen.add(brand.id)
        brands.append(brand)
    press = reader.texts(keys["press"]) if "press" in keys else ()
    version = int(reader.number(keys["version"], 1, 2**31)) if "version" in keys else 1
    ceiling = reader.number(keys["alarms_per_week"], 0, 1e6) if "alarms_per_week" in keys else 0.0
    return Watchlist(brands=tuple(brands), press=press, version=version, alarms_per_week=ceiling)


def load_watchlist(path: Path) -> Watchlist:
    """Read a watchlist file (UTF-8 YAML, format in the docs). Raises `BadInput` for a file that cannot be used."""
    return parse_watchlist(text_of(path, f"watchlist {path}"), str(path))


def calendar_ms(brand: Brand) -> tuple[tuple[int, int, tuple[str, ...], float], ...]:
    """Return planned happenings as (from_ms, to_ms exclusive, terms, factor); a day without hour lasts in the brand's zone."""
    zone = ZoneInfo(brand.timezone)
    entries = []
    for entry in brand.calendar:
        edges = []
        for text, days in ((entry.start, 0), (entry.end, 1)):
            if len(text) == 10:
                day = datetime.date.fromisoformat(text) + datetime.timedelta(days=days)
                edges.append(int(datetime.datetime.combine(day, datetime.time(), zone).timestamp()) * 1000)
            else:
                edges.append(day_ms(text))
        entries.append((edges[0], edges[1], entry.terms, entry.expect))
    return tuple(entries)


class Watchlists:
    """The compiled watchlists by version: filled from a file or from the topic ``watchlist``, read at version markers."""

    def __init__(self) -> None:
        self._compiled: dict[int, BrandMatcher] = {}

    def add(self, watchlist: Watchlist) -> None:
        """Compile and keep a watchlist under its version; a version that is known stays as it is."""
        if watchlist.version not in self._compiled:
            self._compiled[watchlist.version] = BrandMatcher(watchlist)

    def get(self, version: int) -> BrandMatcher | None:
        """Return the compiled watchlist, or None when the version has not arrived."""
        return self._compiled.get(version)

    def versions(self) -> Mapping[int, BrandMatcher]:
        """Return {version: compiled watchlist}."""
        return dict(self._compiled)
