"""The pure part of enrichment for one partition of ``mentions.raw``: raw records in, enriched and rejected records out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import msgspec

from schemas.cloudevents import header_maker, trace_of
from schemas.enriched import SourceState
from schemas.mention import Clock
from streams.engine.stage import ALL_PARTITIONS, Checkpoint, Output, Record, StateRecord
from streams.enrich.ahead import Ahead, read_ahead
from streams.enrich.brands import BrandMatcher
from streams.enrich.controls import CLOCK, CONTROL, MARKER, read_marker, sent_at, type_in
from streams.enrich.decode import EARLIEST_MS, LATEST_MS, UNFORESEEN, UNREADABLE
from streams.enrich.duplicates import NEW, UPDATE, SeenIds
from streams.enrich.features import TextReader
from streams.enrich.outputs import TOPIC, Job, RecordMaker, brand_settings, taught_scores
from streams.enrich.rejected import rejected
from streams.enrich.settings import EnrichSettings
from streams.enrich.sources import PartitionClock
from streams.enrich.stories import copy_keys
from streams.enrich.times import header_time
from streams.enrich.watchlist import Watchlists
from streams.errors import NotYet, Rejected
from streams.reading import reader

if TYPE_CHECKING:
    from streams.enrich.polarity import Polarity

STATE_KEY = b"p"
#: Outputs in their order, those of one record in a list of their own.
Slots = list[list[Output]]
#: Stands among the outputs where those of a mention will be.
_PENDING: list[Output] = []
#: Mentions that are finished together: enough for numpy to pay, few enough to stay in the processor's cache.
AT_ONCE = 512

_clock = reader(Clock)
_encode = msgspec.json.Encoder().encode
_source_headers = header_maker("veille.source")


class _State(msgspec.Struct):
    """What a checkpoint keeps beside the seen ids."""

    next_offset: int
    version: int
    started: bool
    greatest_clock: int | None
    sources: dict[str, tuple[int, bool]]


class EnrichPartition:
    """Implements `streams.engine.stage.PartitionStage` for raw partition ``partition``.

    Before any marker the watchlist ``version`` is in force. Its outputs are a function of the partition's log alone; where the log is
    cut into batches, and what was read before a restart, changes nothing.
    """

    def __init__(
        self, partition: int, settings: EnrichSettings, watchlists: Watchlists, version: int = 1, polarity: Polarity | None = None
    ) -> None:
        if polarity is None:
            from streams.enrich.polarity import shipped

            polarity = shipped()
        self.partition = partition
        self._settings = settings
        self._watchlists = watchlists
        self._polarity = polarity
        self._texts = TextReader()
        self._records = RecordMaker(partition, settings)
        self._analysed = settings.analysed_characters
        self._early_ms = settings.early_limit_seconds * 1000
        self._past_ms = settings.past_limit_days * 86_400_000
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
        if not records:
            return []
        fresh = records if records[0].offset >= self.next_offset else [one for one in records if one.offset >= self.next_offset]
        if not fresh:
            return []
        types = [type_in(record) if record.headers else None for record in fresh]
        self._require_versions(fresh, types)
        slots: Slots = []
        jobs: list[Job] = []
        # A run is read with one watchlist, so that a marker is one of its own.
        markers = [place for place, kind in enumerate(types) if kind == MARKER] if MARKER in types else ()
        edges = {*range(0, len(fresh), AT_ONCE), len(fresh), *markers, *(place + 1 for place in markers)}
        for begin, end in pairwise(sorted(edges)):
            self._apply(fresh[begin:end], types[begin:end], slots, jobs)
            if len(jobs) >= AT_ONCE // 2:
                self._finish(jobs, slots)
                jobs = []
        if jobs:
            self._finish(jobs, slots)
        return list(chain.from_iterable(slots))

    def _apply(self, records: Sequence[Record], types: Sequence[bytes | None], slots: Slots, jobs: list[Job]) -> None:
        """Take the records of a run in their order."""
        places = [place for place, kind in enumerate(types) if kind in CONTROL] if not CONTROL.isdisjoint(types) else []
        mentions = [record for record, kind in zip(records, types, strict=True) if kind not in CONTROL] if places else records
        ahead = read_ahead(mentions, self._current)
        begin = 0
        for number, place in enumerate(places):
            # Before this control record stand as many mentions as records without the controls before it.
            if begin < place - number:
                self._on_mentions(mentions[begin : place - number], ahead[begin : place - number], slots, jobs)
                begin = place - number
            record = records[place]
            try:
                slots.append(self._on_clock(record) if types[place] == CLOCK else self._on_marker(record))
            except Rejected as error:
                slots.append([rejected(self.partition, record, error.reason)])
            except UNFORESEEN:
                slots.append([rejected(self.partition, record, UNREADABLE)])
        self._on_mentions(mentions[begin:], ahead[begin:], slots, jobs)
        if records:
            self.next_offset = records[-1].offset + 1

    def _require_versions(self, records: Sequence[Record], types: Sequence[bytes | None]) -> None:
        """Raise `NotYet` unless the version in force and those of all markers of a batch are known."""
        for record, kind in zip(records, types, strict=True) if MARKER in types else ():
            if kind == MARKER:
                marker = read_marker(record)
                if marker is not None and self._watchlists.get(marker) is None:
                    raise NotYet(f"watchlist version {marker} has not arrived")
        self._current = self._matcher()

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
        return brand_settings(self._matcher(), self.version, self.partition, offset, applies_ms)

    def _on_clock(self, record: Record) -> list[Output]:
        try:
            clock = _clock(record.value)
        except msgspec.DecodeError:
            raise Rejected("bad_clock") from None
        limit = self._settings.clock_ahead_limit_seconds * 1000
        if clock.time_ms > record.timestamp + limit:
            raise Rejected("clock_ahead")
        if not EARLIEST_MS <= clock.time_ms <= LATEST_MS or len(clock.source_id) > 256:
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
        version = read_marker(record)
        if version is None:
            raise Rejected("bad_marker")
        watermark = self._clock.watermark
        applies_ms = watermark if watermark is not None else sent_at(record)
        self.version = version
        self._current = self._matcher()
        self._started = True
        return self._brand_settings(record.offset, applies_ms)

    def _on_mentions(self, records: Sequence[Record], ahead: Sequence[Ahead | str], slots: Slots, jobs: list[Job]) -> None:
        """Take mentions between which the clock and the watchlist stay as they are."""
        watermark, matcher, judge, analysed = self._clock.watermark, self._current, self._seen.judge, self._analysed
        for record, said in zip(records, ahead, strict=True):
            if isinstance(said, str):
                slots.append([rejected(self.partition, record, said)])
                continue
            mention, published, plain, folded, links, handle, matches = said
            now = sent_at(record) if watermark is None else watermark
            if watermark is not None and published < watermark - self._past_ms:
                slots.append([rejected(self.partition, record, "too_old")])
                continue
            early = published > now + self._early_ms
            if early:
                self.early += 1
                published = now
            applies = published if watermark is None or published > watermark else watermark
            if not self._started:
                slots.append(self._start(applies))
            if not matches:
                slots.append([rejected(self.partition, record, "no_brand")])
                continue
            offset = record.offset
            try:
                verdict = judge(mention.network, mention.id, offset, applies, mention.engagement)
            except UNFORESEEN:
                verdict = UNREADABLE
            if verdict is not NEW and verdict is not UPDATE:
                slots.append([rejected(self.partition, record, verdict)])
                continue
            if len(folded) > analysed:
                plain, folded = plain[:analysed], folded[:analysed]
            trace = trace_of(record.headers) if record.headers else ()
            update = verdict is UPDATE
            jobs.append(
                Job(len(slots), offset, mention, published, applies, early, update, matcher, matches, plain, folded, links, handle, trace)
            )
            slots.append(_PENDING)

    def _finish(self, jobs: list[Job], slots: Slots) -> None:
        limit = self._analysed
        said = self._texts.read_all(
            [job.plain for job in jobs], [job.folded for job in jobs], [job.mention.lang for job in jobs], [job.links for job in jobs]
        )
        texts = [text if len(text := job.mention.text) <= limit else text[:limit] for job in jobs]
        langs = [one[0] for one in said]
        scores = self._polarity.score(texts, langs)
        keys = copy_keys([one[4] for one in said])
        taught = taught_scores(self._polarity, jobs, texts, langs)
        for job, outputs in zip(jobs, self._records.outputs(jobs, said, keys, scores, taught), strict=True):
            slots[job.slot] = outputs
