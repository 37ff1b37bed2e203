"""One brand at one moment: its number, its threshold, and whether there is something to say."""

from __future__ import annotations

import math
from typing import NamedTuple

from schemas.signal import WindowReading
from streams.detect.brand import Brand, Ring
from streams.detect.calm import calm_down
from streams.detect.formulas import clip, count_tail, six
from streams.detect.score import Part, Scored, combine, score_story, tone_parts
from streams.detect.settings import DetectSettings
from streams.detect.stories import Story
from streams.detect.windows import CRISIS, DOUBT, HOUR_MS, NEGATIVE, RAW, TROUBLE, VOTES, WINDOWS

#: After a change every step is reported for so many steps: the crisis stage opens at 2 of 3.
_EACH_STEP = 5
_NEAR_MISS = 0.3
_NEAR_MISS_GAP_MS = 56 * HOUR_MS
_SHADOW_MS = 48 * HOUR_MS


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


def judge(brand: Brand, t_ms: int, step: int, settings: DetectSettings, *, inside: bool) -> Judgement | None:
    """Judge ``brand`` at ``t_ms``; return what there is to say, or None.

    ``inside``: at a mention inside step number ``step``, else at the grid line that ends it. Changes the brand.
    """
    brand.advance(t_ms)
    usual = brand.usual()
    windows, own = _judge_whole(brand, t_ms)
    best, best_story = own, None
    ringing = brand.ring.stories if brand.ring is not None else []
    scored: list[tuple[Story, Scored]] = []
    largest = 0.0
    for story_id in dict.fromkeys([*brand.book.touched, *ringing]):
        story = brand.book.stories.get(story_id)
        if story is None:
            continue
        found = score_story(story, t_ms, usual)
        story.score = found.total
        scored.append((story, found))
        if not story.rings_ms:
            largest = max(largest, story.decayed(t_ms)[0])
        if found.total > best.total:
            best, best_story = found, story
    if not inside:
        brand.book.touched.clear()
    brand.hour_score = max(brand.hour_score, best.total)
    brand.hour_story = max(brand.hour_story, largest)
    number, threshold = brand.tail.score_one(best.total), brand.budget.threshold()
    over = number >= threshold
    kinds: list[str] = []
    ring = brand.ring
    margin = math.pow(10.0, min(number - threshold, 9.0))
    if over:
        if ring is None:
            ring = brand.ring = Ring(since_ms=t_ms, onset_ms=t_ms, flipped_step=step)
            brand.budget.alarm(t_ms)
            kinds.append("reading")
        elif margin >= 10.0 > ring.last_margin:
            kinds.append("reading")
        _join(brand, ring, t_ms, [s for s, f in scored if brand.tail.score_one(f.total) >= threshold], best_story is None)
    elif ring is None and not inside and number >= threshold - _NEAR_MISS and t_ms - brand.near_ms >= _NEAR_MISS_GAP_MS:
        brand.near_ms = t_ms
        kinds.append("near_miss")
    quiet = False
    if ring is not None:
        changed = over != ring.over
        if changed and (over or not inside):
            ring.over, ring.flipped_step = over, step
            kinds.append("reading")
        if not inside:
            changed = calm_down(brand, ring, t_ms, settings, over)
            quiet = ring.eased and ring.activity >= 6.0 and ring.morning
            due = t_ms - ring.last_reading_ms >= settings.reading_seconds * 1000
            early = over and step - ring.flipped_step < _EACH_STEP
            if changed or quiet or due or early or ring.mentions >= 2 * max(ring.last_mentions, 4):
                kinds.append("reading")
            if t_ms - ring.since_ms >= _SHADOW_MS and not ring.rebased:
                brand.base.rebase()
                ring.rebased = True
                kinds.append("rebased")
        if "reading" in kinds:
            ring.last_reading_ms, ring.last_mentions, ring.last_margin = t_ms, ring.mentions, margin
    if not kinds:
        return None
    shown = sorted((s for s, _ in scored), key=lambda s: (s.rings_ms == 0, -s.score, s.id))
    return Judgement(tuple(dict.fromkeys(kinds)), number, threshold, over, quiet, best, windows, tuple(shown[:5]))


class Surprises(NamedTuple):
    """How surprising the brand's counts are: (-log10 p before recalibration, -number of the window), of mentions and of negatives."""

    loud: tuple[float, int]
    angry: tuple[float, int]
    readings: tuple[WindowReading, ...]
    hour: list[float]
    hour_mean: float


def surprises(brand: Brand, t_ms: int) -> Surprises:
    """Compare the counts of the four windows that end at ``t_ms`` with what is expected; remember the hour's greatest."""
    base, now = brand.base, t_ms / HOUR_MS
    negative, live = brand.negative.value(), brand.live
    raw_per_vote = 1.0 / max(brand.votes.value(), 0.05)
    spread = 1.0 / (brand.negative.yes + 1.0)
    readings: list[WindowReading] = []
    loud, angry = (0.0, 0), (0.0, 0)
    for place, (sums, start) in enumerate(brand.counts.read(t_ms)):
        mean = base.expected(max(start, float(brand.born_hour - 1)), now, brand.timezone, live)
        mean_negative = mean * negative
        by_count = base.score_one(sums[VOTES], mean, place)
        by_negative = count_tail(
            sums[NEGATIVE], mean_negative, base.variance(mean_negative, place) + mean_negative * mean_negative * spread
        )
        loud, angry = max(loud, (by_count, -place)), max(angry, (by_negative, -place))
        name, hours = WINDOWS[place]
        readings.append(
            WindowReading(
                name=name, seconds=round(min(now - start, hours) * 3600), count=round(sums[RAW]),
                expected=six(mean * raw_per_vote), negatives=round(sums[NEGATIVE]), expected_negatives=six(mean_negative),
                surprise=six(brand.surprise.score_one(max(by_count, by_negative))),
            )
        )  # fmt: skip
        if place == 1:
            hour, hour_mean = sums, mean
    brand.hour_surprise = max(brand.hour_surprise, loud[0], angry[0])
    return Surprises(loud, angry, tuple(readings), hour, hour_mean)


def _judge_whole(brand: Brand, t_ms: int) -> tuple[tuple[WindowReading, ...], Scored]:
    """Score the brand as a whole: counts of mentions and of negative ones in four windows, tone and authors of the last hour."""
    loud, angry, readings, hour, hour_mean = surprises(brand, t_ms)
    base, trouble = brand.base, brand.trouble.value()
    parts: list[Part] = []
    if base.cold:
        parts.append(Part("volume.cold", -2.0, {}))
    else:
        for name, (raw, place), weight, start_at, most in (
            ("volume.mentions", loud, 1.2, 2.0, 2.5), ("volume.negative", angry, 1.5, 1.5, 4.0),
        ):  # fmt: skip
            reading = readings[-place]
            count, expected = reading.count, reading.expected
            if name == "volume.negative":
                count, expected = reading.negatives, reading.expected_negatives
            odds = clip(weight * (brand.surprise.score_one(raw) - start_at), -4.0, most)
            parts.append(Part(name, odds, {"count": count, "window": reading.name, "expected": round(expected, 1)}))
    expected_trouble = hour_mean * trouble
    parts.append(
        Part(
            "growth.rate", clip(0.9 * math.log((hour[TROUBLE] + 0.3) / (expected_trouble + 1.5)), -2.0, 4.0),
            {"rate": round(hour[TROUBLE], 1)},
        )
    )  # fmt: skip
    usual = brand.usual()
    parts += tone_parts(hour[VOTES], hour[NEGATIVE], hour[CRISIS], hour[DOUBT], usual)
    authors = hour[VOTES]
    parts.append(
        Part(
            "spread.authors", clip(1.3 * math.log((authors + 0.5) / (6.0 + usual.hour_authors)), -2.5, 3.0),
            {"authors": round(hour[RAW]), "effective": round(authors, 1)},
        )
    )  # fmt: skip
    if hour[RAW] >= 5.0 and authors < 0.6 * hour[RAW]:
        organic = authors / hour[RAW]
        parts.append(Part("spread.organic", -4.0 * clip((0.6 - organic) / 0.3, 0.0, 1.0), {"organic": round(100 * organic)}))
    return readings, combine(parts)


def _join(brand: Brand, ring: Ring, t_ms: int, stories: list[Story], whole: bool) -> None:
    """Let stories, or the brand as a whole, ring."""
    for story in stories:
        if story.id in ring.stories:
            continue
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
                ring.authors.learn_one(author)
