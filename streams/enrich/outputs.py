"""What leaves enrichment for one mention: one encoded record for each brand that it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from schemas.cloudevents import header_maker
from schemas.enriched import BrandSettings, Enriched
from schemas.mention import Engagement, Mention
from streams.engine.stage import Output
from streams.enrich.authors import without_authors
from streams.enrich.brands import BrandMatcher
from streams.enrich.features import Said, Speaker, SpeakerReader
from streams.enrich.patterns import Match, match_hash
from streams.enrich.polarity import Polarity
from streams.enrich.polarity_brands import Score, learned_scores
from streams.enrich.settings import EnrichSettings
from streams.enrich.stories import canonical_urls, hashtags_in, is_reshare
from streams.enrich.times import header_time
from streams.enrich.watchlist import calendar_ms
from streams.networks import classes_of

TOPIC = "mentions.enriched"
_MAX_NUMBER = 2**53
#: Longer than any source, id or country is; a record that carried it could be too large to be sent.
_MOST_SOURCE, _MOST_ID, _MOST_COUNTRY = 256, 512, 64

_encode = msgspec.json.Encoder().encode
#: Headers of an enriched record; the second to the fourth (id, subject, time) differ.
_TYPE, _, _, _, _SOURCE, _SPEC, _SCHEMA, _CONTENT = header_maker("veille.enriched")("", "", "")
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
    #: The headers that are carried along: ``traceparent``, or none.
    trace: Sequence[tuple[str, bytes]]


#: Replies, reshares and likes.
_Counts = tuple[int, int, int]
_NO_COUNTS: _Counts = (0, 0, 0)
#: A mention with what was found of it: what it says, its near-copy signature, polarity, polarity as brands taught it, author, address,
#: address without the author, class of network, kind, link, whether the press speaks, reactions, hashtags.
_Column = tuple[
    Job, Mention, Said, str, Score, Mapping[str, Score] | None, Speaker, str, str, str, str, str, bool, _Counts, tuple[str, ...]
]


class RecordMaker:
    """Makes the records of one raw partition."""

    def __init__(self, partition: int, settings: EnrichSettings) -> None:
        self._partition = partition
        self._cut = settings.text_limit
        self._speakers = SpeakerReader(settings.author_key)
        #: What headers say of a brand and of a minute, made once: {brand: (key, subject)}, {minutes since 1970: time up to it}.
        self._subjects: dict[str, tuple[bytes, tuple[str, bytes]]] = {}
        self._minutes: dict[int, bytes] = {}

    def outputs(
        self,
        jobs: Sequence[Job],
        said: Sequence[Said],
        copy_keys: Sequence[str],
        scores: Sequence[Score],
        taught: Mapping[int, Mapping[str, Score]],
    ) -> list[list[Output]]:
        """Return the records of each mention.

        ``scores`` are the mentions' polarity, ``taught`` is that of brands whose people taught another, by place of the mention. One
        step for all mentions after the other, as in `ahead`.
        """
        mentions = [job.mention for job in jobs]
        speakers = self._speakers.read(mentions, [job.published_ms for job in jobs])
        plains = [job.plain for job in jobs]
        urls = canonical_urls([mention.url for mention in mentions])
        hidden = self._hidden(mentions, urls, speakers)
        classes = classes_of([mention.network for mention in mentions])
        kinds = [
            kind if (kind := mention.kind) != "post" or not is_reshare(plain) else "reshare"
            for mention, plain in zip(mentions, plains, strict=True)
        ]
        first = [job.links[0] if job.links else "" for job in jobs]
        links = [url or link if kind == "article" else link for kind, url, link in zip(kinds, urls, first, strict=True)]
        articles = [url if kind == "article" else "" for kind, url in zip(kinds, urls, strict=True)]
        press = self._speakers.are_press(classes, [job.handle for job in jobs], articles, [job.matcher.press for job in jobs])
        counts = [_counts(mention.engagement) if mention.engagement is not None else _NO_COUNTS for mention in mentions]
        tags = [hashtags_in(plain) if "#" in plain else () for plain in plains]
        own_scores = list(map(taught.get, range(len(jobs)))) if taught else [None] * len(jobs)
        columns = zip(
            *(jobs, mentions, said, copy_keys, scores, own_scores, speakers, urls, hidden, classes, kinds, links, press, counts, tags),
            strict=True,
        )
        values = iter(list(map(_encode, self._enriched(columns))))
        return self._headed(jobs, values)

    @staticmethod
    def _hidden(mentions: Sequence[Mention], urls: Sequence[str], speakers: Sequence[Speaker]) -> list[str]:
        """Return the addresses without who posted there; that of an article is what others link to."""
        authors = [mention.author if mention.kind != "article" else None for mention in mentions]
        return without_authors(urls, authors, [speaker[0] for speaker in speakers])

    def _enriched(self, columns: Iterable[_Column]) -> list[Enriched]:
        """Return the records of mentions, one for each brand that one names."""
        partition, cut = self._partition, self._cut
        records: list[Enriched] = []
        # Unpacked at once, so that one tuple serves for all mentions.
        for job, mention, said, copy_key, score, own_scores, speaker, url, hidden, group, kind, link, press, counts, tags in columns:
            lang, crisis_words, cues, all_terms, _ = said
            author, followers, organic_pm, organic_reasons, marks = speaker
            negative, positive, polarity = score
            replies, reshares, likes = counts
            if press:
                marks = ("press", *marks)
            text, matcher = mention.text, job.matcher
            if len(text) > cut:
                text = text[:cut]
            if not (source := mention.source) or len(source) > _MOST_SOURCE:
                source = ""
            if not (root := mention.root_id) or len(root) > _MOST_ID:
                root = ""
            if not (parent := mention.parent_id) or len(parent) > _MOST_ID:
                parent = ""
            if not (country := mention.country) or len(country) > _MOST_COUNTRY:
                country = ""
            for match in job.matches:
                brand, matched, own = match.brand, match.matched, matcher.own_words[match.place]
                if own.isdisjoint(all_terms):
                    terms = all_terms
                else:
                    rest = []  # no comprehension, which would cost a call
                    for term in all_terms:
                        if term not in own:
                            rest.append(term)
                    terms = tuple(rest)
                if own_scores:
                    negative, positive, polarity = own_scores.get(brand, score)
                # By place, in the order of the schema: by name it would cost four times as much.
                record = Enriched(
                    brand,
                    mention.id,
                    mention.network,
                    partition,
                    job.offset,
                    job.applies_ms,
                    job.published_ms,
                    matcher.version,
                    kind,
                    group,
                    source,
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
                    root,
                    parent,
                    link,
                    hidden if matched != "owned" else url,
                    copy_key,
                    tags,
                    terms,
                    replies,
                    reshares,
                    likes,
                    country,
                    job.early,
                    job.update,
                )
                records.append(record)
        return records

    def _headed(self, jobs: Sequence[Job], values: Iterator[bytes]) -> list[list[Output]]:
        """Return the records of each mention, whose values come next, with their headers."""
        subjects, minutes, before = self._subjects, self._minutes, f"{self._partition}-"
        found: list[list[Output]] = []
        for job in jobs:
            minute, rest = divmod(job.published_ms, 60_000)
            time = ("ce_time", (minutes.get(minute) or self._minute(minute)) + _SECONDS[rest // 1000])
            identity = f"{before}{job.offset}-"
            outputs: list[Output] = []
            for match in job.matches:
                brand = match.brand
                key, subject = subjects.get(brand) or self._subject(brand)
                headers = [_TYPE, ("ce_id", f"{identity}{brand}".encode()), subject, time, _SOURCE, _SPEC, _SCHEMA, _CONTENT]
                if job.trace:
                    headers += job.trace
                # As `Output(...)` makes it, in half the time.
                outputs.append(_tuple(Output, (TOPIC, key, next(values), headers, None)))
            found.append(outputs)
        return found

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
