"""The pure part of enrichment for one partition of ``mentions.raw``: raw records in, enriched and rejected records out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from schemas.cloudevents import header_maker
from schemas.enriched import BrandSettings, SourceState
from schemas.mention import Clock, WatchlistMarker
from streams.engine.stage import ALL_PARTITIONS, Checkpoint, Output, Record, StateRecord
from streams.enrich.brands import BrandMatcher, match_hash
from streams.enrich.decode import decode
from streams.enrich.duplicates import DUPLICATE, UPDATE, SeenIds
from streams.enrich.features import FeatureFinder
from streams.enrich.fold import fold
from streams.enrich.outputs import TOPIC, Job, outputs_of
from streams.enrich.rejected import rejected
from streams.enrich.settings import EnrichSettings
from streams.enrich.sources import PartitionClock
from streams.enrich.stories import URL
from streams.enrich.times import header_time
from streams.enrich.watchlist import Watchlists, calendar_ms
from streams.errors import NotYet, Rejected

if TYPE_CHECKING:
    from streams.enrich.polarity import Polarity

STATE_KEY = b"p"
_CLOCK, _MARKER = b"veille.clock", b"veille.watchlist.marker"
#: Names and handles are looked for in this many characters of a text, everything else in `EnrichSettings`' limits.
_SEARCHED = 8192

_clock = msgspec.json.Decoder(Clock).decode
_marker = msgspec.json.Decoder(WatchlistMarker).decode
_encode = msgspec.json.Encoder().encode
_source_headers = header_maker("veille.source")
_brand_headers = header_maker("veille.brand")


class _State(msgspec.Struct):
    """What a checkpoint keeps beside the seen ids."""

    next_offset: int
    version: int
    started: bool
    greatest_clock: int | None
    sources: dict[str, tuple[int, bool]]


def _type_of(record: Record) -> bytes:
    for name, value in record.headers:
        if name == "ce_type":
            return value
    return b""


class EnrichPartition:
    """Implements `streams.engine.stage.PartitionStage` for raw partition ``partition``.

    Before any marker the watchlist ``version`` is in force. Its outputs are a function of the partition's log alone; where the log is
    cut into batches, and what was read before a restart, changes nothing.
    """

    def __init__(
        self, partition: int, settings: EnrichSettings, watchlists: Watchlists, version: int = 1, polarity: Polarity | None = None
    ) -> None:
        if polarity is None:
            from streams.enrich.polarity import Polarity as Model

            polarity = Model.load()
        self.partition = partition
        self._settings = settings
        self._watchlists = watchlists
        self._polarity = polarity
        self._features = FeatureFinder(settings.author_key, settings.analysed_characters)
        self._initial_version = version
        self._reset()

    def _reset(self) -> None:
        settings = self._settings
        self._clock = PartitionClock(settings.allowed_disorder_seconds * 1000, settings.source_silent_seconds * 1000)
        self._seen = SeenIds(settings.duplicate_window_hours * 3_600_000, settings.duplicate_capacity)
        self.version = self._initial_version
        self.next_offset = 0
        self._started = False
        #: Mentions moved to the clock since the start of this object, for metrics.
        self.early = 0

    @property
    def watermark(self) -> int | None:
        """W_p in ms; None before the first accepted clock."""
        return self._clock.watermark

    @property
    def forgotten_ids(self) -> int:
        """Ids forgotten before their window ended, because the capacity was reached."""
        return self._seen.forgotten

    def restore(self, states: Mapping[bytes, bytes], cut: bytes | None) -> None:
        """Take over a saved partition; without states it begins anew."""
        self._reset()
        saved = states.get(STATE_KEY)
        if saved is not None:
            state = msgspec.msgpack.decode(saved, type=_State)
            self.next_offset, self.version, self._started = state.next_offset, state.version, state.started
            self._clock.load(state.greatest_clock, state.sources)
        self._seen.load(states)
        if self._clock.watermark is not None:
            self._seen.advance(self._clock.watermark)

    def checkpoint(self, next_offset: int, *, full: bool = False) -> Checkpoint:
        """Return what was learned since the last call; the offset to commit is simply the next."""
        self.next_offset = max(self.next_offset, next_offset)
        greatest, sources = self._clock.dump()
        state = _State(self.next_offset, self.version, self._started, greatest, sources)
        states = [*self._seen.save(self.next_offset, full=full), StateRecord(STATE_KEY, self.next_offset, msgspec.msgpack.encode(state))]
        return Checkpoint(states, b"", next_offset)

    def process(self, records: Sequence[Record]) -> list[Output]:
        """Enrich a batch. Raises `NotYet`, before anything changed, when a marker names a version that has not arrived."""
        fresh = [record for record in records if record.offset >= self.next_offset] if records else []
        if not fresh:
            return []
        types = [_type_of(record) if record.headers else b"" for record in fresh]
        self._require_versions(fresh, types)
        slots: list[Output | list[Output]] = []
        jobs: list[Job] = []
        for record, kind in zip(fresh, types, strict=True):
            try:
                if kind == _CLOCK:
                    slots += self._on_clock(record)
                elif kind == _MARKER:
                    slots += self._on_marker(record)
                else:
                    self._on_mention(record, slots, jobs)
            except Rejected as error:
                slots.append(rejected(self.partition, record, error.reason))
            except (ValueError, OverflowError, RecursionError):
                # What no rule foresaw is still a result: the record goes on to the rejected topic, whole.
                slots.append(rejected(self.partition, record, "unreadable"))
            self.next_offset = record.offset + 1
        if jobs:
            self._finish(jobs, slots)
        outputs: list[Output] = []
        for slot in slots:
            if isinstance(slot, list):
                outputs += slot
            else:
                outputs.append(slot)
        return outputs

    def _require_versions(self, records: Sequence[Record], types: Sequence[bytes]) -> None:
        for record, kind in zip(records, types, strict=True):
            if kind == _MARKER:
                marker = _read_marker(record)
                if marker is not None and self._watchlists.get(marker) is None:
                    raise NotYet(f"watchlist version {marker} has not arrived")
        self._matcher()

    def _matcher(self) -> BrandMatcher:
        matcher = self._watchlists.get(self.version)
        if matcher is None:
            raise NotYet(f"watchlist version {self.version} has not arrived")
        return matcher

    def _start(self, applies_ms: int) -> list[Output]:
        """Send the settings of the first version, once in the life of the log."""
        if self._started:
            return []
        self._started = True
        return self._brand_settings(-1, applies_ms)

    def _brand_settings(self, offset: int, applies_ms: int) -> list[Output]:
        outputs = []
        for brand in self._matcher().brands:
            value = BrandSettings(
                brand=brand.id,
                version=self.version,
                partition=self.partition,
                offset=offset,
                applies_ms=applies_ms,
                alarms_per_week=brand.alarms_per_week,
                timezone=brand.timezone,
                page_severity=brand.thresholds.severity,
                match_hash=match_hash(brand),
                calendar=calendar_ms(brand),
            )
            identity = f"{self.partition}-{offset}-{brand.id}-settings"
            headers = _brand_headers(identity, brand.id, header_time(applies_ms))
            outputs.append(Output(TOPIC, brand.id.encode(), _encode(value), headers))
        return outputs

    def _on_clock(self, record: Record) -> list[Output]:
        try:
            clock = _clock(record.value or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise Rejected("bad_clock") from None
        limit = self._settings.clock_ahead_limit_seconds * 1000
        if clock.time_ms > record.timestamp + limit:
            raise Rejected("clock_ahead")
        if clock.time_ms < -62_135_596_800_000 or len(clock.source_id) > 256:
            raise Rejected("bad_clock")
        before = self._clock.watermark
        changes = self._clock.tell(clock.source_id, clock.time_ms)
        watermark = self._clock.watermark
        assert watermark is not None
        if watermark != before:
            self._seen.advance(watermark)
        outputs = self._start(watermark)
        for change in changes:
            state = SourceState(
                source_id=change.source_id,
                up=change.up,
                partition=self.partition,
                offset=record.offset,
                applies_ms=watermark,
                last_ms=change.last_ms,
            )
            identity = f"{self.partition}-{record.offset}-{change.source_id}"
            headers = _source_headers(identity, change.source_id, header_time(watermark))
            outputs.append(Output(TOPIC, None, _encode(state), headers, ALL_PARTITIONS))
        return outputs

    def _on_marker(self, record: Record) -> list[Output]:
        version = _read_marker(record)
        if version is None:
            raise Rejected("bad_marker")
        watermark = self._clock.watermark
        applies_ms = watermark if watermark is not None else record.timestamp
        self.version = version
        self._started = True
        return self._brand_settings(record.offset, applies_ms)

    def _on_mention(self, record: Record, slots: list[Output | list[Output]], jobs: list[Job]) -> None:
        settings = self._settings
        mention, published = decode(record.value)
        watermark = self._clock.watermark
        now = record.timestamp if watermark is None else watermark
        if watermark is not None and published < watermark - settings.past_limit_days * 86_400_000:
            raise Rejected("too_old")
        early = published > now + settings.early_limit_seconds * 1000
        if early:
            self.early += 1
            published = now
        applies = published if watermark is None or published > watermark else watermark
        if not self._started:
            slots.append(self._start(applies))
        text = mention.text if len(mention.text) <= _SEARCHED else mention.text[:_SEARCHED]
        plain = URL.sub(" ", text) if "://" in text or "www." in text else text
        folded = fold(plain)
        author = mention.author
        handle = fold(author.handle).lstrip("@") if author is not None and author.handle else ""
        matcher = self._matcher()
        matches = matcher.match(plain, folded, mention.network, handle, author.id or "" if author is not None else "")
        if not matches:
            raise Rejected("no_brand")
        verdict = self._seen.judge(mention.network, mention.id, record.offset, applies, mention.engagement)
        if verdict == DUPLICATE:
            raise Rejected("duplicate")
        trace = next((value for name, value in record.headers if name == "traceparent"), None) if record.headers else None
        jobs.append(
            Job(
                len(slots),
                record.offset,
                mention,
                published,
                applies,
                early,
                verdict == UPDATE,
                matcher,
                matches,
                plain,
                folded,
                handle,
                trace,
            )
        )
        slots.append([])

    def _finish(self, jobs: list[Job], slots: list[Output | list[Output]]) -> None:
        limit = self._settings.analysed_characters
        found = [self._features.find(job.mention, job.plain, job.folded, job.published_ms, job.handle, job.matcher.press) for job in jobs]
        scores = self._polarity.score(
            [job.mention.text if len(job.mention.text) <= limit else job.mention.text[:limit] for job in jobs],
            [features.lang for features in found],
        )
        for job, features, score in zip(jobs, found, scores, strict=True):
            slots[job.slot] = outputs_of(job, features, score, self.partition, self._settings.text_limit)


def _read_marker(record: Record) -> int | None:
    try:
        return _marker(record.value or b"").version
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
