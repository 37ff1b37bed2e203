"""What leaves enrichment for one mention: one encoded record for each brand that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from schemas.cloudevents import header_maker
from schemas.enriched import BrandSettings, Enriched
from schemas.mention import Engagement, Mention
from streams.engine.stage import Output
from streams.enrich.authors import without_author
from streams.enrich.brands import BrandMatcher
from streams.enrich.features import Said, SpeakerReader
from streams.enrich.patterns import Match, match_hash
from streams.enrich.polarity import Polarity
from streams.enrich.polarity_brands import Score, learned_scores
from streams.enrich.settings import EnrichSettings
from streams.enrich.stories import canonical_url, hashtags_in, is_reshare
from streams.enrich.times import header_time
from streams.enrich.watchlist import calendar_ms
from streams.networks import class_of

TOPIC = "mentions.enriched"
_MAX_NUMBER = 2**53

_encode = msgspec.json.Encoder().encode
#: Headers of an enriched record; the second to the fourth (id, subject, time) differ.
_TYPE, _, _, _, *_CONSTANT = header_maker("veille.enriched")("", "", "")
_brand_headers = header_maker("veille.brand")
_REMEMBERED = 10_000
_tuple = tuple.__new__
_SECONDS = [b"%02dZ" % second for second in range(60)]


class Job(msgspec.Struct, frozen=True, gc=False):
    """A mention that counts, waiting for its polarity. ``slot`` is its place among the outputs.

    ``plain`` is the clean text without URLs, ``folded`` the same folded, both as far as they are read; ``links`` are canonical, ``handle``
    is the author's folded one.
    """

    slot: int
    offset: int
    mention: Mention
    published_ms: int
    applies_ms: int
    early: bool
    update: bool
    matcher: BrandMatcher
    matches: Sequence[Match]
    plain: str
    folded: str
    links: Sequence[str]
    handle: str
    traceparent: bytes | None


class RecordMaker:
    """Makes the records of one raw partition."""

    def __init__(self, partition: int, settings: EnrichSettings) -> None:
        self._partition = partition
        self._cut = settings.text_limit
        self._speakers = SpeakerReader(settings.author_key)
        self._place = b"%d-" % partition
        #: What headers say of a brand and of a minute, made once: {brand: (key, subject)}, {minutes since 1970: time up to it}.
        self._subjects: dict[str, tuple[bytes, tuple[str, bytes]]] = {}
        self._minutes: dict[int, bytes] = {}

    def outputs(self, job: Job, said: Said, copy_key: str, score: Score, taught: Mapping[str, Score]) -> list[Output]:
        """Return the records of one mention; ``score`` is its polarity, ``taught`` that of brands whose people taught another."""
        mention, partition, offset, plain = job.mention, self._partition, job.offset, job.plain
        lang, crisis_words, cues, all_terms, _ = said
        negative, positive, polarity = score
        network, kind, url, links = mention.network, mention.kind, mention.url, job.links
        network_class = class_of(network)
        author, followers, organic_pm, organic_reasons, marks = self._speakers.read(mention.author, job.handle, network, job.published_ms)
        url = hidden = canonical_url(url) if url else ""
        link = links[0] if links else ""
        article = ""
        if kind == "article":
            article, link = url, url or link
        else:
            if url and author and mention.author is not None:
                # The address of a post names who posted it; that of an article is what others link to.
                hidden = without_author(url, mention.author, author)
            if kind == "post" and is_reshare(plain):
                kind = "reshare"
        if self._speakers.is_press(network_class, job.handle, article, job.matcher.press):
            marks = ("press", *marks)
        replies = reshares = likes = 0
        if mention.engagement is not None:
            replies, reshares, likes = _counts(mention.engagement)
        hashtags = hashtags_in(plain) if "#" in plain else ()
        text = mention.text if len(mention.text) <= self._cut else mention.text[: self._cut]
        minute, rest = divmod(job.published_ms, 60_000)
        time = ("ce_time", (self._minutes.get(minute) or self._minute(minute)) + _SECONDS[rest // 1000])
        matcher, subjects = job.matcher, self._subjects
        outputs: list[Output] = []
        for index, brand, matched in job.matches:
            own = matcher.own_words(index)
            key, subject = subjects.get(brand) or self._subject(brand)
            if taught:
                negative, positive, polarity = taught.get(brand, score)
            # By place, in the order of the schema: by name it would cost four times as much.
            record = Enriched(
                brand,
                mention.id,
                network,
                partition,
                offset,
                job.applies_ms,
                job.published_ms,
                matcher.version,
                kind,
                network_class,
                mention.source or "",
                lang,
                text,
                matched,
                matched == "handle" and kind != "reshare",
                negative,
                positive,
                polarity,
                crisis_words,
                cues,
                author,
                followers,
                organic_pm,
                organic_reasons,
                marks if matched != "owned" else (*marks, "owned"),
                mention.root_id or "",
                mention.parent_id or "",
                link,
                hidden if matched != "owned" else url,
                copy_key,
                hashtags,
                all_terms if own.isdisjoint(all_terms) else tuple([term for term in all_terms if term not in own]),
                replies,
                reshares,
                likes,
                mention.country or "",
                job.early,
                job.update,
            )
            headers = [_TYPE, ("ce_id", b"%b%d-%b" % (self._place, offset, key)), subject, time, *_CONSTANT]
            if job.traceparent is not None:
                headers.append(("traceparent", job.traceparent))
            # As `Output(...)` makes it, in half the time.
            outputs.append(_tuple(Output, (TOPIC, key, _encode(record), headers, None)))
        return outputs

    def _minute(self, minute: int) -> bytes:
        if len(self._minutes) >= _REMEMBERED:
            self._minutes.clear()
        text = self._minutes[minute] = header_time(minute * 60_000).encode()[:-3]
        return text

    def _subject(self, brand: str) -> tuple[bytes, tuple[str, bytes]]:
        if len(self._subjects) >= _REMEMBERED:
            self._subjects.clear()
        key = brand.encode()
        found = self._subjects[brand] = (key, ("ce_subject", key))
        return found


def brand_settings(matcher: BrandMatcher, version: int, partition: int, offset: int, applies_ms: int) -> list[Output]:
    """Return what detect must know of each brand of a watchlist, as it is in force from ``offset`` on."""
    outputs, time = [], header_time(applies_ms)
    for brand in matcher.brands:
        value = BrandSettings(
            brand=brand.id,
            version=version,
            partition=partition,
            offset=offset,
            applies_ms=applies_ms,
            alarms_per_week=brand.alarms_per_week,
            timezone=brand.timezone,
            page_severity=brand.thresholds.severity,
            match_hash=match_hash(brand),
            calendar=calendar_ms(brand) if brand.calendar else (),
            share_per_week=matcher.watchlist.share_per_week,
        )
        headers = _brand_headers(f"{partition}-{offset}-{brand.id}-settings", brand.id, time)
        outputs.append(Output(TOPIC, brand.id.encode(), _encode(value), headers))
    return outputs


def taught_scores(polarity: Polarity, jobs: Sequence[Job], texts: Sequence[str], langs: Sequence[str]) -> dict[int, dict[str, Score]]:
    """Return {place of a job: {brand: score}} where people taught the polarity of a brand that the mention names."""
    wanted: dict[tuple[int, str], list[int]] = {}
    taught = [matcher for matcher in {job.matcher for job in jobs} if matcher.watchlist.learned]
    for place, job in enumerate(jobs) if taught else ():
        if learned := job.matcher.watchlist.learned:
            for match in job.matches:
                if match.brand in learned:
                    wanted.setdefault((job.matcher.version, match.brand), []).append(place)
    found: dict[int, dict[str, Score]] = {}
    for (_, brand), places in wanted.items():
        own = jobs[places[0]].matcher.watchlist.learned[brand]
        scores = learned_scores(polarity, own, [texts[place] for place in places], [langs[place] for place in places])
        for place, score in zip(places, scores, strict=True):
            found.setdefault(place, {})[brand] = score
    return found


def _counts(engagement: Engagement) -> tuple[int, int, int]:
    """Return replies, reshares with quotes, and likes."""
    numbers = (engagement.replies, engagement.reshares, engagement.quotes, engagement.likes)
    replies, reshares, quotes, likes = (0 if number is None or number < 0 else min(number, _MAX_NUMBER) for number in numbers)
    return replies, reshares + quotes, likes
