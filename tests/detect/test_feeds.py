"""A feed that is at fault rings nobody, says so, and hides no brand's own crisis."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec
import pytest

from schemas.cloudevents import header_maker
from schemas.enriched import BrandSettings, Enriched, Watermarks
from schemas.signal import Signal
from streams.caveats import caveat_in
from streams.detect import feeds
from streams.detect.season import PRIOR_HOURS
from streams.detect.settings import DetectSettings
from streams.detect.stage import DetectPartition
from streams.engine.stage import InputRecord, Output
from tests.crisis.make import events, fresh
from tests.crisis.make import log as numbered
from tests.detect.worlds import HOUR, START

MINUTE = 60_000
BRANDS = [f"b{i:02d}" for i in range(30)]
#: A day and a half of calm talk, then two hours of what the test is about.
CALM_HOURS, HOURS = 36, 38
FAULT = START + CALM_HOURS * HOUR
_TYPES = {Enriched: "veille.enriched", BrandSettings: "veille.brand", Watermarks: "veille.watermarks"}


class _Log:
    """The input log of one partition with thirty brands of like size on one feed."""

    def __init__(self, times: float, brands: Sequence[str] = BRANDS, seed: int = 5, hours: int = HOURS) -> None:
        self.records: list[InputRecord] = []
        r = random.Random(seed)
        for brand in brands:
            self.add(BrandSettings(brand=brand, version=1, partition=0, offset=-1, applies_ms=START, match_hash="m"))
        for hour in range(hours):
            many = 12.0 * PRIOR_HOURS[hour % 24] * (times if hour >= CALM_HOURS else 1.0)
            said = []
            for brand in brands:
                count = max(0, round(r.gauss(many, many**0.5)))
                said += [(START + hour * HOUR + r.randrange(HOUR), brand) for _ in range(count)]
            for at, brand in sorted(said):
                self.say(at, brand, f"a{r.randrange(100_000)}", r.choice(["negative", *["neutral"] * 4]))
            self.until(START + (hour + 1) * HOUR)

    def add(self, value: Enriched | BrandSettings | Watermarks) -> None:
        headers = header_maker(_TYPES[type(value)])("id", "subject", "time")
        self.records.append(InputRecord(len(self.records), 0, None, msgspec.json.encode(value), headers))

    def say(self, at: int, brand: str, author: str, polarity: str) -> None:
        place = len(self.records)
        if at // (10 * MINUTE) > (self._last() // (10 * MINUTE)):
            self.until(at // (10 * MINUTE) * 10 * MINUTE)
            place += 1
        self.add(
            Enriched(
                brand, f"m{place}", "x", 0, place, at, at, source="vendor", text=f"text {place}", polarity=polarity, author=author,
                negative_pm=700 if polarity == "negative" else 100,
            )
        )  # fmt: skip

    def _last(self) -> int:
        return getattr(self, "_mark", START)

    def until(self, at: int) -> None:
        self._mark = at
        self.add(Watermarks(watermarks={0: at}))

    def run(self, chunk: int = 1000) -> list[Output]:
        stage = DetectPartition(0, DetectSettings(), 1)
        stage.restore({}, None)
        return [out for i in range(0, len(self.records), chunk) for out in stage.process(self.records[i : i + chunk])]


def _signals(outputs: Sequence[Output]) -> list[Signal]:
    return [msgspec.json.decode(out.value or b"", type=Signal) for out in outputs]


@pytest.fixture(scope="module")
def tripled() -> _Log:
    """A vendor delivers everything four times as often from one moment on."""
    return _Log(4.0)


@pytest.fixture(scope="module")
def told(tripled: _Log) -> list[Output]:
    """What comes out of it."""
    return tripled.run()


def test_a_vendor_feed_that_multiplies_for_all_brands_opens_nothing_once_found_and_says_so(told: list[Output]) -> None:
    """Brands that are loud on it say which feed, since when and compared with whom, in both languages; before that one of thirty rings."""
    signals = _signals(told)
    suspects = [signal for signal in signals if signal.kind == "suspect_feed" and signal.suspect]
    assert len({signal.brand for signal in suspects}) > 25
    first = suspects[0]
    rang = [signal for signal in signals if signal.over]
    assert len({signal.brand for signal in rang}) <= 1
    assert all(signal.at_ms < first.at_ms for signal in rang)
    assert FAULT < first.at_ms < FAULT + 30 * MINUTE
    assert list(first.suspect) == ["vendor"]
    (caveat,) = first.caveats
    assert caveat.startswith("suspect feed vendor: ")
    assert caveat.endswith("of 30 comparable brands are loud on it at once, so its volume opens nothing")
    assert caveat_in(caveat, "fr").startswith("flux suspect vendor : ")
    assert min(signal.at_ms for signal in suspects) > FAULT


def test_without_the_comparison_it_would_have_rung(tripled: _Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above does not hold by itself: where no brand can be compared the same log rings."""
    monkeypatch.setattr(feeds, "LEAST", 1000)
    signals = _signals(tripled.run())
    assert len({signal.brand for signal in signals if signal.over}) >= 3
    assert not any(signal.suspect for signal in signals)


def test_the_crisis_of_one_brand_among_calm_ones_still_opens() -> None:
    """Many angry people about one brand, each in words of their own: nobody else is loud, so it is no fault of the feed."""
    log = _Log(1.0)
    last = log.records.pop()
    at = START + HOURS * HOUR
    for i in range(150):
        log.say(at + i * 12_000, BRANDS[7], f"angry{i}", "negative")
    log.until(at + HOUR)
    assert last.value
    signals = _signals(log.run())
    over = [signal for signal in signals if signal.over]
    assert {signal.brand for signal in over} == {BRANDS[7]}
    assert over[0].at_ms < at + 20 * MINUTE
    assert not any(signal.suspect for signal in signals)


def test_batches_crashes_and_brands_that_are_ahead_change_nothing(tripled: _Log, told: list[Output]) -> None:
    """Cut otherwise, and after a crash that left half of the brands, and what was decided, further than the rest: the same bytes."""
    expected = {bytes(out.headers[1][1]): out.value for out in told}
    assert {bytes(out.headers[1][1]): out.value for out in tripled.run(37)} == expected
    records, place = (
        tripled.records,
        next(i for i, one in enumerate(tripled.records) if b'"applies_ms":' in (one.value or b"") and _at(one) > FAULT),
    )
    stage = DetectPartition(0, DetectSettings(), 1)
    stage.restore({}, None)
    list(stage.process(records[:place]))
    early = stage.checkpoint(place, full=True)
    list(stage.process(records[place : place + 1200]))
    late = stage.checkpoint(place + 1200, full=True)
    assert late.states[0].key == feeds.FEEDS
    ahead = {state.key: state.value for state in late.states if state.key == feeds.FEEDS or int(state.key[1:]) % 2}
    states = {state.key: state.value for state in early.states} | ahead
    back = DetectPartition(0, DetectSettings(), 1)
    back.restore({key: value for key, value in states.items() if value}, early.cut)
    found = {bytes(out.headers[1][1]): out.value for out in back.process(records[early.commit :])}
    assert any(b"suspect_feed" in (value or b"") for value in found.values())
    assert found.items() <= expected.items()
    assert {key for key in found if int(key[1:3]) % 2 == 0} == {
        key for key, value in expected.items() if int(key[1:3]) % 2 == 0 and msgspec.json.decode(value or b"")["at_ms"] >= FAULT
    }


def test_what_lasts_for_a_day_is_the_new_level() -> None:
    """A larger contract with the vendor: suspect for a day, then usual; on the way no more rings than 21 brands ask for in any 70 hours."""
    log = _Log(4.0, BRANDS[:21], hours=CALM_HOURS + 34)
    stage = DetectPartition(0, DetectSettings(), 1)
    stage.restore({}, None)
    signals = _signals([out for i in range(0, len(log.records), 1000) for out in stage.process(log.records[i : i + 1000])])
    assert len({signal.brand for signal in signals if signal.over}) <= 21 * 0.5 * 70 / 168
    rebased = [signal for signal in signals if signal.kind == "rebased"]
    assert len({signal.brand for signal in rebased}) == 21
    assert FAULT + 24 * HOUR < min(signal.at_ms for signal in rebased) < FAULT + 26 * HOUR
    assert stage.suspects == 0
    assert not any(brand.suspect for brand in stage.brands.values())
    assert all(30.0 < brand.base.rate < 60.0 for brand in stage.brands.values())


def _at(record: InputRecord) -> int:
    return int(msgspec.json.decode(record.value or b"").get("applies_ms", 0))


def test_an_open_crisis_says_that_a_feed_is_suspect() -> None:
    """Its card carries the caveat at once."""
    caveat = "suspect feed vendor: 12 of 30 comparable brands are loud on it at once, so its volume opens nothing"
    at = START
    records = []
    for seq, kind in ((1, "reading"), (2, "suspect_feed")):
        signal = Signal(
            brand="acme", seq=seq, at_ms=at + seq * MINUTE, kind=kind, over=kind == "reading", margin=20.0, step=seq,
            caveats=(caveat,) if kind == "suspect_feed" else (), suspect={"vendor": at} if kind == "suspect_feed" else {},
        )  # fmt: skip
        records.append(InputRecord(-1, 0, b"acme", msgspec.json.encode(signal), header_maker("veille.signal")("x", "acme", "")))
    found = events(list(fresh().process(numbered(*records))))
    assert found[-1][0] == "updated"
    assert found[-1][1].caveats == (caveat,)
    assert found[-1][1].note == "suspect_feed"
