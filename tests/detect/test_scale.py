"""What many brands and one very loud brand cost, counted in work and bytes, never in seconds."""

from __future__ import annotations

import msgspec

from schemas.enriched import BrandSettings
from streams.detect.settings import DetectSettings
from tests.detect.worlds import HOUR, START, World


def test_a_hundred_thousand_idle_brands_have_no_timers() -> None:
    """Thirty silent days of 100,000 watched brands, told hour by hour, visit no brand and leave less than 2 KB of state each."""
    world = World()
    for i in range(100_000):
        world.send(BrandSettings(brand=f"b{i}", version=1, partition=0, offset=-1, applies_ms=START, match_hash="m"))
    world.until(START + 1)
    assert len(world.stage.brands) == 100_000
    for hour in range(1, 30 * 24):
        world.until(START + hour * HOUR)
    assert world.signals == []
    assert world.stage._timers == []
    states = world.stage.checkpoint(0, full=True).states
    assert max(len(state.value or b"") for state in states) < 2_000


def test_a_loud_step_is_sampled_and_says_so() -> None:
    """Beyond the limit of a step a sample is looked at, each standing for several; the raw count stays exact, and readings say so."""
    world = World()
    world.watch()
    for i in range(1, 20_001):
        world.say(START + HOUR + i, f"a{i}", polarity="negative", negative_pm=900, root_id="root", parent_id="root", kind="reply")
    world.until(START + HOUR + 60_000)
    brand = world.stage.brands["acme"]
    counted = brand.counts.read(START + HOUR + 60_000)[0][0]
    assert counted[0] == 20_000
    assert 14_000 < counted[1] < 26_000
    looked_at = sum(story.authors.total for story in brand.book.stories.values())
    assert looked_at < 10 * DetectSettings().max_step
    assert any(caveat.startswith("sampling") for signal in world.over() for caveat in signal.caveats)


def test_what_is_looked_at_follows_from_the_log() -> None:
    """Two readers that cut the log differently, one of them saved and loaded in the middle of the step, sample the same mentions."""
    found = []
    for cut in (3_000, 1_234):
        world = World()
        world.watch()
        for i in range(1, 3_001):
            world.say(START + HOUR + i, f"a{i}", polarity="negative", root_id="root", parent_id="root", kind="reply")
            if i == cut:
                world.until(START + HOUR + i)
                saved = world.stage.checkpoint(world._offset, full=True)
                fresh = World()
                fresh.stage.restore({state.key: state.value for state in saved.states if state.value}, saved.cut)
                fresh._offset, fresh.signals = world._offset, world.signals
                world = fresh
                # What waits at the watermark comes again from the committed offset.
                world._offset = i
                world.say(START + HOUR + i, f"a{i}", polarity="negative", root_id="root", parent_id="root", kind="reply")
        world.until(START + 2 * HOUR)
        found.append([msgspec.json.encode(signal) for signal in world.signals])
    assert found[0] == found[1]
    assert found[0]
