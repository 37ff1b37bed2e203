"""Holding back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from streams.sources.brake import Brake


class Positions:
    """Readers whose places a test sets."""

    def __init__(self) -> None:
        self.at: dict[tuple[str, int], int] = {}

    def position(self, topic: str, partition: int) -> int | None:
        """Return where the reader is."""
        return self.at.get((topic, partition))


def test_unread_bytes_fall_as_the_reader_goes_on() -> None:
    """What the reader has passed counts no longer; without any reader nobody is waited for."""
    positions = Positions()
    brake = Brake(positions, {0: 10}, lambda: _ends({}), credit_bytes=100)
    assert not brake.reader_seen()
    brake.sent(0, 12, 80)
    brake.sent(0, 14, 80)
    assert brake.unread_bytes(0) == 160
    assert not asyncio.run(brake.must_wait())
    positions.at["mentions.raw", 0] = 10
    assert asyncio.run(brake.must_wait())
    positions.at["mentions.raw", 0] = 13
    assert brake.reader_seen()
    assert brake.unread_bytes(0) == 80
    assert not asyncio.run(brake.must_wait())


def test_topics_of_later_stages_hold_back_too() -> None:
    """A lag on enriched mentions stops the sender even when the raw topic is read."""
    positions = Positions()
    positions.at["mentions.raw", 0] = 0
    positions.at["mentions.enriched", 1] = 0
    brake = Brake(positions, {0: 0}, lambda: _ends({("mentions.enriched", 1): 5000}))
    assert asyncio.run(brake.must_wait())
    positions.at["mentions.enriched", 1] = 4900
    assert not asyncio.run(brake.must_wait())


async def _ends(ends: Mapping[tuple[str, int], int]) -> Mapping[tuple[str, int], int]:
    return ends
