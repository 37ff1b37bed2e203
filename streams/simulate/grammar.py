"""Texts from a grammar of our own: a symbol is replaced by one of its ways to be said, until none is left."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml

from streams.simulate.brands import BrandProfile

_SLOT: Final = re.compile(r"\{(\w+)\}")
_SPACES: Final = re.compile(r"\s+([,.!]|$)")


@lru_cache(maxsize=4)
def _symbols(language: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(Path(__file__).with_name(f"grammar_{language}.yaml").read_text(encoding="utf-8"))
    return data


class Grammar:
    """The texts of one brand in one language."""

    def __init__(self, brand: BrandProfile, language: str) -> None:
        words = brand.words[language]
        self._symbols: dict[str, Any] = {
            **_symbols(language), **words, "brand": [brand.name], "handle": [brand.handle], "tag": [brand.tag],
        }  # fmt: skip
        self._named = (brand.name, f"@{brand.handle}", brand.tag)
        self._handle = brand.handle

    def say(self, rng: Random, symbol: str, *, event: str = "", address: bool = True) -> str:
        """Return a text for ``symbol``, of an event's own set if given.

        With ``address`` a text that does not name the brand starts with its handle, as replies on most networks do.
        """
        ways = self._symbols[event][symbol] if event else self._symbols[symbol]
        text = self._expand(rng, ways if isinstance(ways, str) else ways[int(rng.random() * len(ways))])
        text = _SPACES.sub(r"\1", text).strip()
        if address and not any(name in text for name in self._named):
            text = f"@{self._handle} {text}"
        return text[0].upper() + text[1:] if rng.random() < 0.6 else text

    def has(self, symbol: str, event: str) -> bool:
        """Say whether the event's set knows ``symbol`` in this language."""
        return symbol in self._symbols.get(event, {})

    def _expand(self, rng: Random, text: str) -> str:
        def fill(match: re.Match[str]) -> str:
            ways = self._symbols[match.group(1)]
            return self._expand(rng, ways[int(rng.random() * len(ways))])

        return _SLOT.sub(fill, text)
