"""One brand at one moment: its number, its threshold, and whether there is something to say."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from schemas.signal import WindowReading
from streams.detect.brand import Brand
from streams.detect.calm import calm_down, rises
from streams.detect.grave import LEAST, severity_of
from streams.detect.ring import EACH_STEP, Ring
from streams.detect.score import Scored, combine, score_story
from streams.detect.settings import DetectSettings
from streams.detect.stories import Story
from streams.detect.volume import score_whole, surprises
from streams.detect.windows import HOUR_MS, NEGATIVE, RAW, VOTES
from streams.rounding import on_grid

_NEAR_MISS = 0.3
_NEAR_MISS_GAP_MS = 56 * HOUR_MS
_SHADOW_MS = 48 * HOUR_MS
#: Stories scored at one line: those with most trouble now. A story is scored anew when its trouble grew by this share, or by this much.
_MOST, _CHANGED, _CHANGED_LEAST = 12, 0.04, 0.3


_REFUSED = msgspec.structs.replace(combine([]), total=-99.0)


class Judgement(NamedTuple):
    """What was found, for the signal that says so."""

    kinds: tuple[str, ...]
    score: float
    threshold: float
    over: bool
    quiet: bool
    scored: Scored
    windows: tuple[WindowReading, ...]
    stories: tuple[Story, ...]

    @property
    def margin(self) -> float:
        """How many times rarer than the threshold."""
        return math.pow(10.0, min(self.score - self.threshold, 9.0))


def judge(brand: Brand, t_ms: int, step: int, settings: DetectSettings, *, inside: bool, volume: bool = True) -> Judgement | None:
    """Judge ``brand`` at ``t_ms``; return what there is to say, or None.

    ``inside``: at a mention inside step number ``step``, else at the grid line that ends it. Without ``volume`` the brand's own counts
    decide nothing and teach nothing, since a feed may be at fault; its stories go on. Changes the brand.
    """
    brand.advance(t_ms)
    fixed, before = brand.fixed(t_ms // HOUR_MS), (brand.hour_surprise, brand.hour_anger_five, brand.hour_anger)
    usual = fixed.usual
    if crowd := brand.crowd(t_ms):
        usual = msgspec.structs.replace(usual, crowd=crowd)
    whole = surprises(brand, t_ms)
    best, best_story = score_whole(brand, whole, usual) if volume else _REFUSED, None
    if not volume:
        brand.hour_surprise, brand.hour_anger_five, brand.hour_anger = before
    scored: list[tuple[Story, Scored]] = []
    largest = 0.0
    for story in _changed(brand, t_ms):
        if story.rang and not story.rings_ms and not rises(story, t_ms):
            continue
        found = score_story(story, t_ms, usual, brand.weights, fixed.lasting)
        story.score, story.scored_trouble = on_grid(found.total), story.trouble
        scored.append((story, found))
        if not story.rings_ms:
            largest = max(largest, story.decayed(t_ms)[0])
        if found.total > best.total:
            best, best_story = found, story
    if not inside:
        brand.book.touched.clear()
    brand.hour_score = max(brand.hour_score, best.total)
    brand.hour_story = max(brand.hour_story, largest)
    ring = brand.ring
    if ring is None and best.total <= brand.under:
        return None
    number, threshold = brand.tail.score_one(best.total), brand.budget.threshold()
    near, beyond = threshold - _NEAR_MISS, 0
    if ring is not None:
        threshold = min(threshold, brand.budget.base()) if ring.beyond else threshold
    elif brand.budget.spent(number, t_ms):
        base = brand.budget.base()
        beyond = severity_of(brand, [s for s, f in scored if f is best or brand.tail.score_one(f.total) >= base], t_ms)
        if beyond >= LEAST:
            threshold = base
    elif number < near:
        brand.under = best.total
        return None
    passed = number >= threshold
    # What dies down may still score high by all that was said before; it is over again once it is no longer calm.
    over = passed and (ring is None or not ring.eased)
    kinds: list[str] = []
    margin = math.pow(10.0, min(number - threshold, 9.0))
    if over:
        if ring is None:
            ring = brand.ring = Ring(since_ms=t_ms, onset_ms=t_ms, flipped_step=step, beyond=beyond, before=brand.counts.rung())
            brand.budget.alarm(t_ms)
            brand.budget.beyond_ms = t_ms if beyond else brand.budget.beyond_ms
            brand.alarm = (t_ms, best.groups)
            kinds.append("reading")
        elif margin >= 10.0 > ring.last_margin:
            kinds.append("reading")
        ring.peak = max(ring.peak, number)
        _join(brand, ring, t_ms, _loud(brand, ring, scored, threshold), best_story is None)
    elif ring is None and not inside and number >= near and t_ms - brand.near_ms >= _NEAR_MISS_GAP_MS:
        brand.near_ms = t_ms
        brand.near = (t_ms, best.groups)
        kinds.append("near_miss")
    quiet = False
    if ring is not None:
        changed = over != ring.over
        if changed and (over or not inside):
            ring.over, ring.flipped_step = over, step
            kinds.append("reading")
        if not inside:
            news = passed and ring.eased and bool(_loud(brand, ring, scored, threshold))
            changed = calm_down(brand, ring, t_ms, settings, passed, whole=best_story is None, news=news) or changed
            if over != (passed and not ring.eased):
                over = ring.over = not over
                ring.flipped_step = step
            quiet = ring.eased and ring.activity >= 6.0 and ring.morning
            due = t_ms - ring.last_reading_ms >= settings.reading_seconds * 1000
            early = over and step - ring.flipped_step < EACH_STEP
            if changed or quiet or due or early or ring.mentions >= 2 * max(ring.last_mentions, 4):
                kinds.append("reading")
            if t_ms - ring.since_ms >= _SHADOW_MS and not ring.rebased:
                brand.base.rebase()
                brand.rebase_shares(t_ms)
                brand.factors = []
                ring.rebased = True
                kinds.append("rebased")
        if "reading" in kinds:
            ring.last_reading_ms, ring.last_mentions, ring.last_margin = t_ms, ring.mentions, margin
    if not kinds:
        return None
    shown = sorted((s for s, _ in scored), key=lambda s: (s.rings_ms == 0, -s.score, s.id))
    return Judgement(tuple(dict.fromkeys(kinds)), number, threshold, over, quiet, best, whole.readings(brand), tuple(shown[:5]))


def _changed(brand: Brand, t_ms: int) -> list[Story]:
    """Return the stories to score: what rings, and of those that changed enough since they were scored the most troubled."""
    stories = brand.book.stories
    ringing = brand.ring.stories if brand.ring is not None else ()
    found = []
    for story_id in brand.book.touched:
        story = stories.get(story_id)
        if story is not None and story_id not in ringing:
            grown = story.trouble - story.scored_trouble
            if grown >= _CHANGED_LEAST or grown >= _CHANGED * story.trouble > 0.0:
                found.append(story)
    if len(found) > _MOST:
        found = sorted(found, key=lambda story: (-story.decayed(t_ms)[0], story.id))[:_MOST]
    return [*found, *(story for story_id in ringing if (story := stories.get(story_id)) is not None)]


def _loud(brand: Brand, ring: Ring, scored: list[tuple[Story, Scored]], threshold: float) -> list[Story]:
    """Return the stories that pass the threshold and do not ring yet."""
    known = ring.stories
    return [story for story, found in scored if story.id not in known and brand.tail.score_one(found.total) >= threshold]


def _join(brand: Brand, ring: Ring, t_ms: int, stories: list[Story], whole: bool) -> None:
    """Let stories, or the brand as a whole, ring."""
    for story in stories:
        ring.stories.append(story.id)
        story.rings_ms = story.rings_ms or t_ms
        ring.onset_ms = min(ring.onset_ms, story.onset_ms)
        if ring.whole:
            continue
        ring.mentions += story.mentions
        ring.votes += story.votes
        ring.negative += story.negative
        ring.authors.merge(story.authors)
    if whole and not ring.whole:
        ring.whole = True
        ring.onset_ms = min(ring.onset_ms, t_ms - HOUR_MS)
        if not ring.mentions:
            sums = brand.counts.read(t_ms)[1][0]
            ring.mentions, ring.votes, ring.negative = round(sums[RAW]), sums[VOTES], sums[NEGATIVE]
            for author in brand.hour_authors:
                ring.authors.learn_number(author)
