"""A story as it is told in a signal."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import xxhash

from schemas.signal import RECENT, Originator, StoryReading
from streams.detect.forecast import forecast, kind_of
from streams.detect.stories import HOUR, Story
from streams.rounding import six

_pack = msgspec.msgpack.Encoder()


def read_story(story: Story, t_ms: int) -> StoryReading:
    """Return the story as it stands at ``t_ms``."""
    story.sum_up()
    growth = story.growth.at(float(t_ms))
    top = sorted(story.relays.items(), key=lambda item: (-item[1][0], item[0]))[:3]
    shape, rate = growth.posterior(t_ms)
    authors = story.authors.distinct()
    foreseen, quantile = forecast(
        growth, t_ms, float(story.mentions), float(authors), float(story.indirect), kind_of(story.by, story.network)
    )
    classes: dict[str, int] = {}
    for network, count in story.networks.items():
        name = story.classes[network]
        classes[name] = classes.get(name, 0) + count
    return StoryReading(
        story_id=story.id, by=story.by, score=six(story.score), terms=story.terms,
        mentions=story.mentions, authors=authors, effective_authors=six(story.authors.effective()),
        organic_pm=round(1000 * story.organic), negative_share=six(story.negative / story.votes if story.votes > 0 else 0.0),
        growth=growth.interval(t_ms), growth_quantile=quantile,
        p_growing=six(growth.p_growing(t_ms)), doubling_minutes=growth.doubling_minutes(t_ms),
        forecast=foreseen,
        onset_ms=story.onset_ms, last_ms=story.last_ms,
        originator=Originator(
            mention_id=story.mention_id, network=story.network, published_ms=story.onset_ms, author=story.author,
            sources=tuple(story.sources),
        ),
        networks=dict(story.networks), network_classes=classes, reach=story.reach,
        press=story.press, press_first=story.press_first, own_post=story.own_post,
        replies=story.replies, reshares=story.reshares,
        cues=dict(story.cues), crisis_words=dict(story.crisis_words),
        relays=tuple((parent, six(entry[0] / story.mentions)) for parent, entry in top),
        relay_growth=tuple(
            (parent, six(max(2.0, shape - entry[1] * math.exp(-max(0.0, t_ms - entry[2]) / HOUR)) / rate)) for parent, entry in top
        ),
        merged=story.merged, samples=tuple(sample[0] for sample in story.samples),
    )  # fmt: skip


def tell_story(story: Story, t_ms: int, seq: int) -> StoryReading:
    """Return the story for the brand's signal number ``seq``, without what a recent one told and what has not changed since."""
    reading = read_story(story, t_ms)
    head = xxhash.xxh3_64_intdigest(_pack.encode((reading.terms, reading.originator, reading.merged, reading.samples))) & 0xFFFF_FFFF
    before, before_head, before_mentions = story.shown
    story.shown = (seq, head, story.mentions)
    if not 0 <= seq - before <= RECENT:
        return reading
    left_out: dict[str, Any] = {}
    if head == before_head:
        left_out |= {"terms": (), "originator": None, "merged": (), "samples": (), "head_as_before": True}
    if story.mentions == before_mentions:
        left_out |= {"networks": {}, "network_classes": {}, "cues": {}, "crisis_words": {}, "relays": (), "counts_as_before": True}
    return msgspec.structs.replace(reading, **left_out) if left_out else reading
