"""The score: four groups of reasons, each within bounds, and what each adds in words."""

from __future__ import annotations

import math
from typing import NamedTuple

from schemas.signal import Contribution
from streams.detect.formulas import clip, six
from streams.detect.stories import Story

GROUPS = ("volume", "growth", "tone", "spread")
#: Bound of a group's log-odds, and what the weaker reasons of a group still count: they are one burst seen several times.
BOUND, WEAKER = 4.0, 0.25

_TEXTS = {
    "volume.story": "{trouble} troubled mentions in about 3 h, {times} times what this brand's largest story usually has",
    "volume.mentions": "{count} mentions in {window}, {expected} expected",
    "volume.negative": "{count} negative mentions in {window}, {expected} expected",
    "volume.cold": "no baseline: judged by growth and words alone",
    "volume.searched": "one of many pairs of words that were looked at",
    "growth.rate": "{rate} troubled mentions an hour now",
    "growth.reproduction": "each mention brings {r} more (probability of growing {p})",
    "tone.negative": "{share} % negative, usually {usual} %",
    "tone.crisis": "crisis words in {share} % of mentions",
    "tone.doubt": "hearsay, doubt or denial in {share} % of mentions",
    "spread.authors": "{authors} authors, {effective} effective",
    "spread.networks": "reached {networks} networks",
    "spread.press": "{press} mentions by the press",
    "spread.organic": "only {organic} % looks like independent people",
    "spread.copies": "{copies} % are copies of each other",
}


class Part(NamedTuple):
    """One reason: ``group.name``, its log-odds, and the numbers that fill its words."""

    name: str
    log_odds: float
    values: dict[str, float | str]


class Scored(NamedTuple):
    """A score in log-odds and its parts, as they count."""

    total: float
    parts: tuple[Part, ...]

    def contributions(self) -> tuple[Contribution, ...]:
        """Return the parts that matter, largest first, with their words in English."""
        ranked = sorted((part for part in self.parts if abs(part.log_odds) >= 0.1), key=lambda p: (-abs(p.log_odds), p.name))
        return tuple(
            Contribution(name=part.name, log_odds=six(part.log_odds), text=words(part.name, part.values), values=part.values)
            for part in ranked
        )


class Usual(NamedTuple):
    """What is usual for the brand: shares of votes, and the largest story (mean and deviation of ln(1 + trouble))."""

    negative: float
    crisis: float
    doubt: float
    story_mean: float
    story_deviation: float
    hour_authors: float


def words(name: str, values: dict[str, float | str]) -> str:
    """Return a reason in English."""
    shown = {key: f"{value:.3g}" if isinstance(value, float) else value for key, value in values.items()}
    return _TEXTS[name].format(**shown)


def combine(parts: list[Part]) -> Scored:
    """Add parts up: within a group the strongest fully and the others a quarter, each group within +-4.

    >>> combine([Part("tone.negative", 6.0, {}), Part("tone.crisis", 2.0, {}), Part("growth.rate", 1.0, {})]).total
    5.0
    """
    total = 0.0
    kept: list[Part] = []
    groups: dict[str, list[Part]] = {group: [] for group in GROUPS}
    for part in parts:
        groups[part.name.partition(".")[0]].append(part)
    for mine in groups.values():
        if not mine:
            continue
        strongest, most, rest = mine[0], -1.0, 0.0
        for part in mine:
            rest += part.log_odds
            if abs(part.log_odds) > most:
                strongest, most = part, abs(part.log_odds)
        raw = strongest.log_odds + WEAKER * (rest - strongest.log_odds)
        bounded = clip(raw, -BOUND, BOUND)
        scale = bounded / raw if raw else 1.0
        total += bounded
        for part in mine:
            kept.append(Part(part.name, part.log_odds * scale * (1.0 if part is strongest else WEAKER), part.values))
    return Scored(total, tuple(kept))


def _logit(p: float) -> float:
    return math.log(p / (1.0 - p))


def share_odds(count: float, total: float, usual: float, weight: float = 4.0) -> float:
    """Return how far a share lies above the usual one, in log-odds, shrunk while there is little to see.

    >>> round(share_odds(9.0, 10.0, 0.2), 1), share_odds(0.0, 0.0, 0.2)
    (1.7, 0.0)
    """
    if total <= 0.0:
        return 0.0
    usual = clip(usual, 0.02, 0.9)
    share = clip((count + weight * usual) / (total + weight), 0.005, 0.995)
    return (_logit(share) - _logit(usual)) * total / (total + 3.0)


def tone_parts(votes: float, negative: float, crisis: float, doubt: float, usual: Usual) -> list[Part]:
    """Return the tone group: negative share, crisis words, doubt, each against what is usual."""
    parts = [
        Part(
            "tone.negative", share_odds(negative, votes, usual.negative),
            {"share": round(100 * negative / max(votes, 1e-9)), "usual": round(100 * usual.negative)},
        )
    ]  # fmt: skip
    if crisis > 0.0:
        odds = share_odds(crisis, votes, max(usual.crisis, 0.04))
        if odds > 0.0:
            parts.append(Part("tone.crisis", odds, {"share": round(100 * crisis / votes)}))
    if doubt > 0.0:
        odds = share_odds(doubt, votes, max(usual.doubt, 0.08))
        if odds > 0.0:
            parts.append(Part("tone.doubt", odds, {"share": round(100 * doubt / votes)}))
    return parts


def score_story(story: Story, t_ms: int, usual: Usual) -> Scored:
    """Score one story at ``t_ms``. Values are assumed; the sum is recalibrated on the brand's own history.

    - volume: 1.5 z - 2, where z places ln(1 + trouble of about 3 h) among the brand's usual largest stories;
    - growth: 0.9 ln(trouble an hour / 1.5), and half the log-odds of R > 1;
    - tone: `tone_parts`; spread: 1.3 ln(effective authors / 6), networks, press, less for what looks inorganic or copied.
    """
    hour, six_hours = story.decayed(t_ms)
    recent = hour + 0.4 * max(0.0, six_hours - hour)
    z = (math.log1p(recent) - usual.story_mean) / usual.story_deviation
    times = recent / max(0.1, math.expm1(usual.story_mean))
    growing = story.growth.p_growing(t_ms)
    mean = story.growth.interval(t_ms).mean
    effective = story.authors.effective()
    parts = [
        Part("volume.story", clip(1.5 * z - 2.0, -4.0, 4.0), {"trouble": round(recent, 1), "times": round(times, 1)}),
        Part("growth.rate", clip(0.9 * math.log((hour + 0.3) / 1.5), -2.0, 4.0), {"rate": round(hour, 1)}),
        Part("growth.reproduction", 0.5 * clip(_logit(clip(growing, 0.01, 0.99)), -4.0, 4.0), {"r": mean, "p": round(growing, 2)}),
        *tone_parts(story.votes, story.negative, story.crisis, story.doubt, usual),
        Part(
            "spread.authors", clip(1.3 * math.log((effective + 0.5) / 6.0), -2.5, 3.0),
            {"authors": story.authors.distinct(), "effective": round(effective, 1)},
        ),
    ]  # fmt: skip
    if story.by == "terms":
        parts.append(Part("volume.searched", -1.0, {}))
    reached = sum(count >= 2 for count in story.networks.values())
    if reached >= 2:
        parts.append(Part("spread.networks", 0.8 * min(reached - 1, 3), {"networks": reached}))
    if story.press:
        parts.append(Part("spread.press", min(2.5, 1.0 + 0.7 * math.log(story.press)), {"press": story.press}))
    organic = story.organic
    if organic < 0.6:
        parts.append(Part("spread.organic", -4.0 * clip((0.6 - organic) / 0.3, 0.0, 1.0), {"organic": round(100 * organic)}))
    if story.originals >= 8 and story.copies > 0.5 * story.originals:
        share = story.copies / story.originals
        parts.append(Part("spread.copies", -4.0 * (share - 0.5) * 2.0, {"copies": round(100 * share)}))
    return combine(parts)
