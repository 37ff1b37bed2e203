"""While a crisis burns, a signal leaves out what a recent one told; nobody who reads them in order misses anything."""

from __future__ import annotations

import random

import msgspec
import pytest

from schemas.signal import RECENT, Signal
from streams.crisis.recent import Told, whole
from streams.detect import impact, telling
from tests.detect.worlds import HOUR, START, World, burst, ordinary


def _burning(seed: int) -> list[Signal]:
    """Signals of a day in which three cascades of one brand burn, on two networks, one of them with pauses."""
    world, r = World(), random.Random(seed)
    world.watch()
    ordinary(world, 2, 4.0)
    at = START + 48 * HOUR
    burst(world, at, 60)
    roots = [f"m{world._offset - 20}", f"m{world._offset - 10}", "elsewhere"]
    for minute in range(60, 400):
        if 150 < minute < 180:
            continue
        for _ in range(r.randrange(4)):
            root = roots[r.randrange(3) if minute % 50 < 20 else 2]
            world.say(
                at + minute * 60_000 + r.randrange(60_000), f"c{r.randrange(300)}", network=r.choice(("x", "reddit")), polarity="negative",
                negative_pm=900, crisis_words=(r.choice(("safety:poison", "legal:sue")),), root_id=root, parent_id=root, kind="reply",
                followers=r.randrange(3000), cues=r.choice(((), ("customer",), ("hearsay",))),
            )  # fmt: skip
        world.until(at + (minute + 1) * 60_000)
    world.until(at + 24 * HOUR)
    return world.signals


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_left_out_is_known(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made whole one after the other, short signals are those that would have been sent in full, and several times smaller."""
    short = _burning(seed)
    monkeypatch.setattr(impact, "RECENT", 0)
    monkeypatch.setattr(telling, "RECENT", 0)
    full = _burning(seed)
    told: dict[str, Told] = {}
    made = [whole(told, signal) for signal in short]
    assert len(made) == len(full) > 100
    assert any(len(signal.stories) > 1 for signal in full)
    first = next((number for number, (one, two) in enumerate(zip(made, full, strict=True)) if one != two), None)
    assert first is None, f"signal {first} of {len(full)} differs"
    size = [sum(len(msgspec.json.encode(signal)) for signal in signals) for signals in (short, full)]
    assert 2 * size[0] < size[1]


def test_what_was_told_is_kept_for_a_few_signals_only() -> None:
    """The reader forgets a story that the last signals did not tell, however long it goes on."""
    told: dict[str, Told] = {}
    most = 0
    for signal in _burning(4):
        whole(told, signal)
        assert all(signal.seq - one.seq < RECENT for one in told.values())
        most = max(most, len(told))
    assert 1 < most <= 5 * RECENT + 1
