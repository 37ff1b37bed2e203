"""The invented brands of the simulation, read from ``brands.yaml`` beside this file; their watchlist is ``demo.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
import yaml


class BrandProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of one brand, how often and when. ``per_day``: mentions of an average weekday; ``week``: Monday first.

    ``words``: language -> symbol -> ways to say it (product, praise, issue).
    """

    id: str
    name: str
    handle: str
    tag: str
    per_day: float
    hours: int
    french: float
    negative: float
    positive: float
    week: tuple[float, ...]
    networks: dict[str, float]
    words: dict[str, dict[str, list[str]]]

    def times(self, volume: float) -> BrandProfile:
        """Return the same brand with ``volume`` times as many mentions."""
        return msgspec.structs.replace(self, per_day=self.per_day * volume)


@cache
def brand_profiles() -> tuple[BrandProfile, ...]:
    """Return all brands, in the order of the file."""
    data = yaml.safe_load(Path(__file__).with_name("brands.yaml").read_text(encoding="utf-8"))
    profiles = []
    for identity, row in data.items():
        words = {language: row.pop(language) for language in ("fr", "en") if language in row}
        profiles.append(msgspec.convert({**row, "id": identity, "words": words}, BrandProfile))
    return tuple(profiles)


def demo_watchlist() -> str:
    """Return the watchlist file of these brands, as text."""
    return Path(__file__).with_name("demo.yaml").read_text(encoding="utf-8")


def press_sites() -> tuple[str, ...]:
    """Return the domains of the invented press."""
    return tuple(yaml.safe_load(demo_watchlist())["press"])
