"""What lasts of a story's score between two mentions is worked out once, and no score shows it."""

from __future__ import annotations

from typing import Any

import msgspec

from streams.detect.score import Lasting, score_story
from tests.detect.worlds import HOUR, START, World, ordinary

MINUTE = 60_000


def test_a_score_is_the_same_whatever_is_known_of_the_story() -> None:
    """A story that grows by reshares, answers, the press and another network, scored each minute with what is known of it, and without."""
    world = World()
    world.watch()
    ordinary(world, 6, 20.0)
    at = START + 144 * HOUR + 10 * HOUR
    world.say(at, "root", polarity="negative", crisis_words=("outage:cancelled",))
    root = f"m{world._offset - 1}"
    kinds: list[dict[str, Any]] = [
        {"kind": "reshare"},
        {"kind": "reply", "polarity": "negative"},
        {"kind": "reply", "polarity": "positive", "network": "bluesky"},
        {"kind": "reply", "cues": ("hearsay",), "organic_pm": 200},
        {"kind": "quote", "author_marks": ("press",), "network": "bluesky"},
    ]
    known: Lasting = {}
    totals = set()
    for minute in range(1, 41):
        if minute % 3:
            world.say(at + minute * MINUTE - 1000, f"r{minute}", root_id=root, parent_id=root, **kinds[minute % len(kinds)])
        world.until(at + minute * MINUTE)
        brand = world.stage.brands["acme"]
        usual = msgspec.structs.replace(brand.usual(), crowd=0.1 * minute - 2.0)
        for story in brand.book.stories.values():
            found = score_story(story, at + minute * MINUTE, usual, known=known)
            plain = score_story(story, at + minute * MINUTE, usual)
            assert found.total == plain.total
            assert found.contributions() == plain.contributions()
            totals.add(found.total)
    assert len(known) == 1
    assert len(totals) > 20
