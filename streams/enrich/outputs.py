"""What leaves enrichment for one mention: one encoded record for each brand that it names."""

from __future__ import annotations

import msgspec

from schemas.cloudevents import header_maker
from schemas.enriched import Enriched
from schemas.mention import Engagement, Mention
from streams.engine.stage import Output
from streams.enrich.brands import BrandMatcher, Match
from streams.enrich.features import Features
from streams.enrich.times import header_time

TOPIC = "mentions.enriched"
_MAX_NUMBER = 2**53
_NO_ENGAGEMENT = Engagement()

_encode = msgspec.json.Encoder().encode
_enriched_headers = header_maker("veille.enriched")


class Job(msgspec.Struct, frozen=True, gc=False):
    """A mention that counts, waiting for its polarity. ``slot`` is its place among the outputs."""

    slot: int
    offset: int
    mention: Mention
    published_ms: int
    applies_ms: int
    early: bool
    update: bool
    matcher: BrandMatcher
    matches: list[Match]
    plain: str
    folded: str
    handle: str
    traceparent: bytes | None


def outputs_of(job: Job, features: Features, score: tuple[int, int, str], partition: int, cut: int) -> list[Output]:
    """Return the records of one mention; ``score`` is (negative, positive in thousandths, label), ``cut`` the longest text."""
    negative, positive, polarity = score
    mention, engagement = job.mention, job.mention.engagement or _NO_ENGAGEMENT
    outputs: list[Output] = []
    time = header_time(job.published_ms)
    kind, author_marks, all_terms = features.kind, features.author_marks, features.terms
    for index, brand, matched in job.matches:
        own = job.matcher.own_words(index)
        terms = all_terms if own.isdisjoint(all_terms) else tuple([term for term in all_terms if term not in own])
        record = Enriched(
            brand=brand,
            id=mention.id,
            network=mention.network,
            partition=partition,
            offset=job.offset,
            applies_ms=job.applies_ms,
            published_ms=job.published_ms,
            version=job.matcher.version,
            kind=kind,
            network_class=features.network_class,
            source=mention.source or "",
            lang=features.lang,
            text=mention.text[:cut],
            matched=matched,
            addressed=matched == "handle" and kind != "reshare",
            negative_pm=negative,
            positive_pm=positive,
            polarity=polarity,
            crisis_words=features.crisis_words,
            cues=features.cues,
            author=features.author,
            followers=features.followers,
            organic_pm=features.organic_pm,
            organic_reasons=features.organic_reasons,
            author_marks=(*author_marks, "owned") if matched == "owned" else author_marks,
            root_id=mention.root_id or "",
            parent_id=mention.parent_id or "",
            link=features.link,
            url=features.url,
            copy_key=features.copy_key,
            hashtags=features.hashtags,
            terms=terms,
            replies=_count(engagement.replies),
            reshares=_count(engagement.reshares) + _count(engagement.quotes),
            likes=_count(engagement.likes),
            country=mention.country or "",
            early=job.early,
            update=job.update,
        )
        headers = _enriched_headers(f"{partition}-{job.offset}-{brand}", brand, time)
        if job.traceparent is not None:
            headers.append(("traceparent", job.traceparent))
        outputs.append(Output(TOPIC, brand.encode(), _encode(record), headers))
    return outputs


def _count(value: int | None) -> int:
    return 0 if value is None or value < 0 else min(value, _MAX_NUMBER)
