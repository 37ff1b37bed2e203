"""What is kept of a mention from which a story may begin."""

from __future__ import annotations

import msgspec

from schemas.enriched import Enriched
from streams.detect.evidence import Weight


class Seed(msgspec.Struct, array_like=True, gc=False):
    """The first mention of what may become a story: what is kept of it, its weight, and the keys by which another may join."""

    id: str
    network: str
    published_ms: int
    applies_ms: int
    author: str
    source: str
    network_class: str
    author_marks: tuple[str, ...]
    organic_pm: int
    cues: tuple[str, ...]
    crisis_words: tuple[str, ...]
    text: str
    followers: int
    replies: int
    reshares: int
    likes: int
    weight: Weight
    keys: list[str]
    #: How often it was spared when its turn to be forgotten came.
    spared: int = 0


def loudness(mention: Enriched | Seed) -> int:
    """Return how loud a mention is: audience and reactions."""
    return mention.followers + 50 * mention.reshares + 20 * mention.replies + 5 * mention.likes


def reactions(mention: Enriched | Seed) -> int:
    """Return how often others reacted to a mention, as far as its network told."""
    return mention.replies + mention.reshares + mention.likes
