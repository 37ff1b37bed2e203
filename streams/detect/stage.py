"""The pure part of detect for one partition of ``mentions.enriched``."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from schemas.command import ForwardedCommand
from schemas.enriched import BrandSettings, Enriched, SourceState, Watermarks
from streams.detect.brand import Brand
from streams.detect.feed import silent_since
from streams.detect.feeds import FEEDS, FeedWatch, look
from streams.detect.hearing import hear
from streams.detect.judge import judge
from streams.detect.order import MOST_SEEN, Cut, Entry, WaitingRoom
from streams.detect.packing import load, save
from streams.detect.reading import send, send_declared, send_plain, settings_hash
from streams.detect.settings import DetectSettings
from streams.detect.shelf import Shelf
from streams.detect.warming import read_baseline, take_baseline
from streams.engine.deadletters import rejected_headers, set_aside
from streams.engine.stage import Checkpoint, Output, Record, StateRecord

Waiting = Enriched | SourceState | BrandSettings

_enriched = msgspec.json.Decoder(Enriched)
_watermarks = msgspec.json.Decoder(Watermarks)
_source = msgspec.json.Decoder(SourceState)
_settings = msgspec.json.Decoder(BrandSettings)
_forwarded = msgspec.json.Decoder(ForwardedCommand)
_pack = msgspec.msgpack.Encoder()
_cut = msgspec.msgpack.Decoder(Cut)


class DetectPartition:
    """Applies mentions in the order of event time below W, judges brands at grid lines, sends their signals.

    ``partition`` is that of ``mentions.enriched``, ``raw_partitions`` the number of partitions of ``mentions.raw``.
    Only brands that were touched since the last line or that ring have a timer; a quiet brand costs nothing.
    """

    def __init__(self, partition: int, settings: DetectSettings, raw_partitions: int) -> None:
        self.partition = partition
        self._settings = settings
        self._hash = settings_hash(settings)
        self._grid = settings.grid_seconds * 1000
        self._room: WaitingRoom[Waiting] = WaitingRoom(raw_partitions)
        self._brands = Shelf(settings.max_awake)
        self._awake = self._brands.awake
        self._timers: list[tuple[int, str]] = []
        self._dirty: dict[str, None] = {}
        #: {brand: [(mention, how many it stands for, how many were left out before it)]} of the running step.
        self._pending: dict[str, list[tuple[Enriched, int, int]]] = {}
        self._silent: dict[str, dict[int, int]] = {}
        self._first_ms = 0
        #: {source: when it was first seen}.
        self._seen: dict[str, int] = {}
        self._feeds = FeedWatch(self._grid)
        #: For metrics: mentions left out of a sample so far; the strongest sampling since somebody set this to 1.
        self.left_out, self.hottest = 0, 1

    @property
    def watermark(self) -> int | None:
        """W in ms: every signal before it was returned; None while a raw partition has told no time."""
        return self._room.watermark

    @property
    def waiting(self) -> int:
        """Records that wait for the watermark."""
        return len(self._room)

    @property
    def suspects(self) -> int:
        """Sources that look faulty, since many comparable brands are loud on them at once."""
        return self._feeds.suspects

    @property
    def brands(self) -> Mapping[str, Brand]:
        """The brands' states, to look at: those that sleep are copies."""
        return self._brands

    def restore(self, states: Mapping[bytes, bytes], cut: bytes | None) -> None:
        """Take over {brand id: state} and the cut."""
        self._feeds = FeedWatch(self._grid, states.get(FEEDS))
        for key, value in sorted(states.items()):
            if key == FEEDS:
                continue
            name = key.decode()
            packed = self._brands.asleep[name] = load(value)
            if packed.compared:
                self._feeds.take(name, packed.marks)
            if packed.timer:
                self._brands.wake(name)
                self._timers.append((packed.timer, name))
        heapq.heapify(self._timers)
        if cut:
            saved = _cut.decode(cut)
            self._room.marks = saved.marks
            self._silent, self._first_ms, self._seen = saved.silent, saved.first_ms, saved.seen

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        """Take records of ``mentions.enriched``; return signals for everything that lies below the watermark."""
        outputs: list[Output] = []
        for record in records:
            if record.value is None or not record.headers:
                continue
            try:
                self._take(record, record.value, outputs)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # as `streams.reading` has it, without its call a mention
                headers = rejected_headers("mentions.enriched", self.partition, record.offset, "detect", "unreadable")
                outputs.append(set_aside("mentions.rejected", record, headers))
        return outputs

    def _take(self, record: Record, value: bytes, outputs: list[Output]) -> None:
        """Let one record wait for its turn, or move the watermark. Raises before anything changed, where nobody can read it."""
        kind = record.headers[0][1]
        offset = record.offset
        if kind == b"veille.enriched":
            m = _enriched.decode(value)
            self._room.offer((m.applies_ms, m.id, m.partition, m.offset, m.brand, offset, m))
        elif kind == b"veille.watermarks":
            if self._room.mark(_watermarks.decode(value).watermarks):
                self._run(outputs)
        elif kind == b"veille.source":
            source = _source.decode(value)
            name = "source:" + source.source_id
            self._room.offer((source.applies_ms, "", source.partition, source.offset, name, offset, source))
        elif kind == b"veille.command.forwarded":
            self._told(_forwarded.decode(value))
        elif kind == b"veille.baseline":
            told = read_baseline(value)
            self._catch_up(known := self._touch(told.brand))
            take_baseline(known, told, self._room.watermark or told.until_ms)
        elif kind == b"veille.brand" and not self._brands.knows(brand := _settings.decode(value)):
            self._room.offer((brand.applies_ms, "", brand.partition, brand.offset, brand.brand, offset, brand))

    def _run(self, outputs: list[Output]) -> None:
        """Apply and judge everything below W: a line before the mentions at its time, lines in the order (line, brand)."""
        limit = self._room.watermark
        if limit is None:
            return
        timers, apply = self._timers, self._apply
        while entries := self._room.take():
            for entry in entries:
                at_ms, payload = entry[0], entry[6]
                if timers and timers[0][0] <= at_ms:
                    self._judge_until(at_ms, outputs)
                if isinstance(payload, Enriched):
                    apply(payload, at_ms, outputs)
                elif isinstance(payload, BrandSettings):
                    self._settle(payload, outputs)
                else:
                    self._see(entry, payload, outputs)
            self._brands.make_room(self._dirty)
        self._judge_until(limit, outputs)

    def _judge_until(self, limit_ms: int, outputs: list[Output]) -> None:
        """Judge at all lines up to and including ``limit_ms``: first all feeds are looked at, then the brands are judged."""
        timers, feeds = self._timers, self._feeds
        while timers and timers[0][0] <= limit_ms:
            line, due = timers[0][0], []
            while timers and timers[0][0] == line:
                brand = self._awake.get(heapq.heappop(timers)[1])
                if brand is not None and brand.timer == line:
                    self._catch_up(brand)
                    brand.advance(line)
                    look(brand, line)
                    feeds.take(brand.id, brand.marks)
                    due.append(brand)
            feeds.decide(line)
            for brand in due:
                if brand.timer == line:
                    self._judge(brand, line, outputs)

    def _touch(self, brand_id: str) -> Brand:
        self._dirty[brand_id] = None
        return self._brands.wake(brand_id) or self._brands.add(brand_id)

    def _apply(self, mention: Enriched, t_ms: int, outputs: list[Output]) -> None:
        """Let a mention wait for the end of its step; what is troubled enough is judged at once."""
        brand_id = mention.brand
        brand = self._awake.get(brand_id)
        if brand is None:
            brand = self._touch(brand_id)
        if mention.source not in self._seen and len(self._seen) < MOST_SEEN:
            self._seen[mention.source] = t_ms
        if t_ms < brand.w:
            return  # this state is ahead of the cut and has it
        if not self._first_ms:
            self._first_ms = t_ms
        times = brand.arrive(mention, self._settings.max_step)
        if times:
            skipped = 0
            if times > 1:
                skipped, brand.skipped = brand.skipped, 0
                self.hottest = max(self.hottest, times)
            pending = self._pending.get(brand_id)
            if pending is None:
                self._pending[brand_id] = [(mention, times, skipped)]
            else:
                pending.append((mention, times, skipped))
        else:
            self.left_out += 1
        timer = brand.timer
        if timer == 0 or timer - t_ms > self._grid:
            self._set_timer(brand, (t_ms // self._grid + 1) * self._grid)
        if brand.step_trouble >= brand.trip:
            brand.trip *= 2.0
            self._catch_up(brand)
            step = t_ms // self._grid + 1
            found = judge(brand, t_ms, step, self._settings, inside=True, volume=not self._feeds.comparable(brand, t_ms))
            if found is not None:
                outputs += send(brand, t_ms, step, found, self._hash)

    def _catch_up(self, brand: Brand) -> None:
        """Apply what waits of a brand. When that is done changes nothing: one after the other costs more than a step at once."""
        pending = self._pending.pop(brand.id, None)
        self._dirty[brand.id] = None
        if pending is None:
            return
        if brand.next_hour < 0:
            brand.begin(max(self._first_ms, brand.watched_ms) if brand.version else pending[0][0].applies_ms)
        apply, most = brand.apply, self._settings.max_stories
        for mention, times, skipped in pending:
            apply(mention, times, skipped, most, self._seen)

    def _judge(self, brand: Brand, line: int, outputs: list[Output]) -> None:
        step = line // self._grid
        outputs += [send_plain(brand, line, step, kind, self._hash) for kind in self._feeds.hold(brand, line)]
        found = judge(brand, line, step, self._settings, inside=False, volume=not brand.suspect)
        if found is not None:
            outputs += send(brand, line, step, found, self._hash)
            if found.quiet:
                brand.fall_silent()
        outputs += send_declared(brand, line, step, self._hash)
        brand.end_step(line)
        brand.timer = 0
        if brand.ring is not None:
            self._set_timer(brand, brand.ring.next_line(line, step, self._grid, self._settings.reading_seconds * 1000))

    def _told(self, forwarded: ForwardedCommand) -> None:
        """Take what people declared or said of an alarm: at W, since everything before it is applied."""
        command = forwarded.command
        brand = self._brands.wake(command.brand)
        t_ms = command.at_ms if self._room.watermark is None else self._room.watermark
        if brand is None:
            if command.command != "open":
                return  # nothing of it is known that this could be about
            brand = self._touch(command.brand)  # declared before anybody spoke of it
        self._catch_up(brand)
        if not brand.desk.told(forwarded, t_ms):
            return
        self._dirty[brand.id] = None
        hear(brand, command, t_ms)

    def _set_timer(self, brand: Brand, line: int) -> None:
        brand.timer = line
        heapq.heappush(self._timers, (line, brand.id))

    def _settle(self, settings: BrandSettings, outputs: list[Output]) -> None:
        if self._brands.knows(settings):
            return
        if self._brands.tell(settings):
            self._dirty[settings.brand] = None
            return
        brand = self._touch(settings.brand)
        self._catch_up(brand)
        if brand.settle(settings):
            brand.rebase(settings.applies_ms)
            step = settings.applies_ms // self._grid + 1
            outputs.append(send_plain(brand, settings.applies_ms, step, "rebased", self._hash))

    def _see(self, place: Entry[Waiting], source: SourceState, outputs: list[Output]) -> None:
        """A source fell silent or came back: every brand that it feeds says so."""
        since = silent_since(self._silent, source)
        for brand_id in self._brands.fed_by(source.source_id, place[0], silent=not since):
            brand = self._touch(brand_id)
            self._catch_up(brand)
            brand.advance(place[0])
            kind = brand.see(source.source_id, since)
            outputs.append(send_plain(brand, place[0], place[0] // self._grid + 1, kind, self._hash))

    def checkpoint(self, next_offset: int, *, full: bool = False) -> Checkpoint:
        """Return changed brands with the W that they are computed up to, all watermarks, and where to read on."""
        watermark = self._room.watermark
        progress = -1 if watermark is None else watermark
        for brand_id in list(self._pending):
            self._catch_up(self._awake[brand_id])
        # Before any brand: a brand may be computed further than others, what was decided about feeds may not be behind it.
        states = [StateRecord(FEEDS, progress, _pack.encode(self._feeds.save()))] if self._feeds.needed else []
        for brand_id, packed in self._brands.save(sorted(self._brands if full else self._dirty), progress):
            states.append(StateRecord(brand_id.encode(), packed.w, save(packed)))
        self._dirty.clear()
        cut = _pack.encode(Cut(self._room.marks, self._silent, self._first_ms, self._seen))
        return Checkpoint(states, cut, self._room.commit(next_offset))
