"""How an alarm calms down: easing, growing again, and quiet that is more than the night."""

from __future__ import annotations

import math

from streams.detect.brand import Brand
from streams.detect.ring import Ring
from streams.detect.season import local_hour
from streams.detect.settings import DetectSettings
from streams.detect.stories import Story
from streams.detect.windows import HOUR_MS, NEGATIVE, VOTES

#: Growth below which a story dies down, and the windows in a row that it takes.
CALM_GROWTH, CALM_WINDOWS = 0.8, 3
#: Trouble of the last hour over that of the last six, below which a story that still scores high dies down (even talk: 1/6). Assumed.
_FALLEN = 0.1
_MORNING = range(8, 12)


def calm_down(brand: Brand, ring: Ring, t_ms: int, settings: DetectSettings, over: bool, *, whole: bool, news: bool) -> bool:
    """Move ``ring`` towards quiet at a grid line; return whether ``eased`` changed.

    Eases when for three windows of ``reading_seconds`` the count predicted for the next hour lay in the band of what is
    expected (mean + 2 deviations + 1) and every ringing story's median growth was below 0.8. From then on hours of
    expected activity are summed (an hour of the night counts as little as is usual then).
    ``over``: the threshold is passed (``whole``: by the brand as a whole; ``news``: by something that has not rung yet). A score also tells
    what was said before, so what is over eases too, once the last hour of what rings lies well below its own last six; and passing the
    threshold starts all over only for news, or where it is calm no more and grows again: a last answer to what dies down is neither.
    """
    before = ring.eased
    if ring.eased:
        if over and (news or (not _calm(brand, ring, t_ms, over) and _grows(brand, ring, t_ms, whole))):
            ring.eased, ring.calm_windows, ring.calm_ms = False, 0, t_ms
            return True
        hours = (t_ms - ring.eased_ms) / HOUR_MS
        ring.activity += min(hours, 1.0) * brand.base.season.factor(t_ms // HOUR_MS, brand.timezone)
        ring.eased_ms = t_ms
        if ring.activity >= 0.5 and local_hour(t_ms // HOUR_MS, brand.timezone)[1] in _MORNING:
            ring.morning = True
        return False
    if t_ms - ring.calm_ms < settings.reading_seconds * 1000:
        return False
    ring.calm_ms = t_ms
    ring.calm_windows = ring.calm_windows + 1 if _calm(brand, ring, t_ms, over) else 0
    if ring.calm_windows >= CALM_WINDOWS:
        ring.eased, ring.eased_ms, ring.activity, ring.morning = True, t_ms, 0.0, False
    return ring.eased != before


def _calm(brand: Brand, ring: Ring, t_ms: int, over: bool) -> bool:
    growth = 0.0
    for story_id in ring.stories:
        story = brand.book.stories.get(story_id)
        if story is not None:
            hour, six_hours = story.decayed(t_ms)
            if over and hour > _FALLEN * six_hours:
                return False
            growth = max(growth, story.growth.median(t_ms))
    if growth >= CALM_GROWTH:
        return False
    hour_sums = brand.counts.read(t_ms)[1][0]
    votes = hour_sums[VOTES]
    now = t_ms / HOUR_MS
    mean = brand.base.expected(now, now + 1.0, brand.timezone, brand.live)
    if ring.whole:  # it rings by what is counted now: that must have fallen, and where it is over the negative ones too
        angry = mean * brand.negative.value()
        if over and hour_sums[NEGATIVE] > _band(angry, brand.base.variance(angry, 1)):
            return False
        growth = 1.0
    return votes * max(growth, 0.5) <= _band(mean, brand.base.variance(mean, 1))


def _grows(brand: Brand, ring: Ring, t_ms: int, whole: bool) -> bool:
    """Say whether what eased grows again: one of its stories, or the brand as a whole against its own last six hours."""
    if any(rises(story, t_ms) for story_id in ring.stories if (story := brand.book.stories.get(story_id)) is not None):
        return True
    if not (whole or ring.whole):
        return False
    _, (last, start), (before, first), _ = brand.counts.read(t_ms)
    hour, six_hours = brand.expected((start, first), t_ms / HOUR_MS, t_ms // HOUR_MS)
    part = hour / six_hours if six_hours > 0.0 else 1.0 / 6.0
    return any(last[place] > _band(part * before[place], brand.base.variance(part * before[place], 1)) for place in (VOTES, NEGATIVE))


def rises(story: Story, t_ms: int) -> bool:
    """Say whether a story that died down grows: each mention brings more than one more, or its last hour lies beyond what it fell to.

    It eased below a tenth of its last six hours; beyond is out of the band around that tenth. So easing takes a fall and growing again a
    rise; what goes on at a low level, or a last answer to what dies down, is neither.
    """
    hour, six_hours = story.decayed(t_ms)
    return hour > _band(_FALLEN * six_hours, _FALLEN * six_hours) or story.growth.median(t_ms) > 1.0


def _band(mean: float, variance: float) -> float:
    """Return up to what a count is nothing out of the ordinary."""
    return mean + 2.0 * math.sqrt(variance) + 1.0
