"""Ordinary days of a brand: posts in its rhythm, each with a few reactions."""

from __future__ import annotations

import math
from random import Random
from typing import Final

from schemas.mention import Author
from streams.simulate.brands import BrandProfile
from streams.simulate.draft import Draft
from streams.simulate.grammar import Grammar
from streams.simulate.people import People, official
from streams.simulate.rhythm import DAY_MS, HOUR_MS, MINUTE_MS, activity, normal, poisson, reaction_delay, weekday, when_awake

#: Mean reactions to one ordinary mention; they are reacted to in turn.
_REACTIONS: Final = 0.28
#: Spread of audiences: a few posts get many reactions, most none.
_AUDIENCE: Final = 1.3
_BIN_MS: Final = 10 * MINUTE_MS


def draw(rng: Random, weights: dict[str, float]) -> str:
    """Draw a key by its weight."""
    rest = rng.random() * sum(weights.values())
    for name, weight in weights.items():
        rest -= weight
        if rest < 0:
            return name
    return next(iter(weights))


def language_of(rng: Random, brand: BrandProfile) -> str:
    """Draw the language of a text about the brand."""
    return "fr" if rng.random() < brand.french else "en"


def shown_language(rng: Random, language: str) -> str | None:
    """Most networks tell the language of a post, some do not."""
    return language if rng.random() < 0.6 else None


class OrdinaryDays:
    """Makes the ordinary mentions of one brand from ``start_ms`` over ``days`` days."""

    def __init__(self, brand: BrandProfile, people: People, rng: Random) -> None:
        self._brand = brand
        self._people = people
        self._rng = rng
        self._grammars = {language: Grammar(brand, language) for language in brand.words}
        self._official = official(brand.handle, round(brand.per_day * 40))

    def make(self, start_ms: int, days: int) -> list[Draft]:
        """Return the drafts, not sorted."""
        rng, brand = self._rng, self._brand
        end_ms = start_ms + days * DAY_MS
        drafts: list[Draft] = []
        drift = 0.0
        shocks = self._shocks(start_ms, days)
        for bin_ms in range(start_ms, end_ms, _BIN_MS):
            if bin_ms % HOUR_MS == 0:
                drift = 0.6 * drift + 0.1 * normal(rng)
            level = brand.per_day * (1 - _REACTIONS) / 144 * activity(bin_ms, brand.hours) * brand.week[weekday(bin_ms, brand.hours)]
            level *= math.exp(drift) * shocks.get(bin_ms // HOUR_MS, 1.0)
            for _ in range(poisson(rng, level)):
                self._add(drafts, self._post(bin_ms + int(rng.random() * _BIN_MS)), end_ms)
        for day in range(days):
            for _ in range(1 + poisson(rng, 1.5)):
                ms = start_ms + day * DAY_MS + round((8 + 10 * rng.random() - brand.hours) * HOUR_MS)
                language = language_of(rng, brand)
                network = draw(rng, {name: weight for name, weight in brand.networks.items() if name != "reviews"})
                text = self._grammars[language].say(rng, "owned")
                self._add(drafts, self._draft(ms, network, "post", text, language, self._official), end_ms, boost=6.0, cheerful=True)
        return drafts

    def _shocks(self, start_ms: int, days: int) -> dict[int, float]:
        """Hours in which something harmless from outside makes people write more (a programme on TV, a rainy noon)."""
        hours = [(start_ms // HOUR_MS) + day * 24 + 7 + int(14 * self._rng.random()) for day in range(days)]
        return {hour: 1.15 + 0.3 * self._rng.random() for hour in hours}

    def _draft(self, ms: int, network: str, kind: str, text: str, language: str, author: Author) -> Draft:
        return Draft(ms - ms % 1000, network, kind, text, author, shown_language(self._rng, language))

    def _post(self, ms: int) -> Draft:
        rng, brand = self._rng, self._brand
        network = draw(rng, brand.networks)
        language = language_of(rng, brand)
        tone = draw(rng, {"negative": brand.negative, "positive": brand.positive, "neutral": 1 - brand.negative - brand.positive})
        kind = "post"
        symbol = tone
        if network == "reviews":
            kind = "review"
            bad = rng.random() < brand.negative / (brand.negative + brand.positive)
            symbol = "review_bad" if bad else "review_good"
        return self._draft(ms, network, kind, self._grammars[language].say(rng, symbol), language, self._people.regular(rng))

    def _add(self, drafts: list[Draft], first: Draft, end_ms: int, *, boost: float = 1.0, cheerful: bool = False) -> None:
        """Add a post and the reactions to it, and to these in turn."""
        rng, brand = self._rng, self._brand
        waiting = [first]
        while waiting:
            post = waiting.pop()
            drafts.append(post)
            audience = math.exp(_AUDIENCE * normal(rng) - _AUDIENCE**2 / 2)
            mean = _REACTIONS * audience * (boost if post is first else 1.0)
            for _ in range(poisson(rng, min(mean, 12.0))):
                ms = when_awake(rng, post.ms + reaction_delay(rng, 1.0), brand.hours)
                if ms >= end_ms:
                    continue
                language = language_of(rng, brand)
                if rng.random() < 0.25 and post.network != "reviews":
                    reaction = self._draft(ms, post.network, "reshare", post.text, language, self._people.regular(rng))
                else:
                    negative = brand.negative * (0.5 if cheerful else 1.0)
                    tone = draw(rng, {"bad": negative, "good": brand.positive, "neutral": 1 - negative - brand.positive})
                    text = self._grammars[language].say(rng, f"reply_{tone}")
                    kind = "comment" if post.network in ("facebook", "instagram", "tiktok", "reviews") else "reply"
                    reaction = self._draft(ms, post.network, kind, text, language, self._people.regular(rng))
                reaction.parent = post
                reaction.root = post.root or post
                waiting.append(reaction)
