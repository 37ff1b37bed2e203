"""How an alarm calms down: easing, and quiet that is more than the night."""

from __future__ import annotations

import math

from streams.detect.brand import Brand
from streams.detect.ring import Ring
from streams.detect.season import local_hour
from streams.detect.settings import DetectSettings
from streams.detect.windows import HOUR_MS, VOTES

#: Growth below which a story dies down, and the windows in a row that it takes.
CALM_GROWTH, CALM_WINDOWS = 0.8, 3
_MORNING = range(8, 12)


def calm_down(brand: Brand, ring: Ring, t_ms: int, settings: DetectSettings, over: bool) -> bool:
    """Move ``ring`` towards quiet at a grid line; return whether ``eased`` changed.

    Eases when for three windows of ``reading_seconds`` the count predicted for the next hour lay in the band of what is
    expected (mean + 2 deviations + 1) and every ringing story's median growth was below 0.8. From then on hours of
    expected activity are summed (an hour of the night counts as little as is usual then); passing the threshold starts all over.
    """
    before = ring.eased
    if over:
        ring.eased, ring.calm_windows, ring.calm_ms = False, 0, t_ms
        return before
    if ring.eased:
        hours = (t_ms - ring.eased_ms) / HOUR_MS
        ring.activity += min(hours, 1.0) * brand.base.season.factor(t_ms // HOUR_MS, brand.timezone)
        ring.eased_ms = t_ms
        if ring.activity >= 0.5 and local_hour(t_ms // HOUR_MS, brand.timezone)[1] in _MORNING:
            ring.morning = True
        return False
    if t_ms - ring.calm_ms < settings.reading_seconds * 1000:
        return False
    ring.calm_ms = t_ms
    ring.calm_windows = ring.calm_windows + 1 if _calm(brand, ring, t_ms) else 0
    if ring.calm_windows >= CALM_WINDOWS:
        ring.eased, ring.eased_ms, ring.activity, ring.morning = True, t_ms, 0.0, False
    return ring.eased != before


def _calm(brand: Brand, ring: Ring, t_ms: int) -> bool:
    growth = 0.0
    for story_id in ring.stories:
        story = brand.book.stories.get(story_id)
        if story is not None:
            growth = max(growth, story.growth.median(t_ms))
    if growth >= CALM_GROWTH:
        return False
    votes = brand.counts.read(t_ms)[1][0][VOTES]
    now = t_ms / HOUR_MS
    mean = brand.base.expected(now, now + 1.0, brand.timezone, brand.live)
    return votes * max(growth, 0.5) <= mean + 2.0 * math.sqrt(brand.base.variance(mean, 1)) + 1.0
