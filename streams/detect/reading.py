"""Signals: what a judgement looks like on ``brand.signals``."""

from __future__ import annotations

import msgspec
import xxhash

from schemas.cloudevents import header_maker
from schemas.signal import Forecast, Signal
from streams.caveats import COLD, SILENT, beyond_budget, new_source, sampled, suspect_feed
from streams.clock import rfc3339
from streams.detect.brand import Brand
from streams.detect.chance import chance
from streams.detect.judge import Judgement
from streams.detect.settings import DetectSettings
from streams.detect.telling import tell_story
from streams.engine.stage import Output
from streams.rounding import six

_headers = header_maker("veille.signal")
_encoder = msgspec.json.Encoder()
TOPIC = "brand.signals"


def settings_hash(settings: DetectSettings) -> str:
    """Return a short hash of the settings that results depend on."""
    return xxhash.xxh3_64_hexdigest(settings.model_dump_json(exclude={"max_awake"}).encode())[:12]


def send(brand: Brand, t_ms: int, step: int, found: Judgement, settings: str) -> list[Output]:
    """Return the records that tell ``found``, numbered on from the brand's last signal."""
    return [_output(brand, _fill(brand, t_ms, step, kind, found, settings)) for kind in found.kinds]


def send_plain(brand: Brand, t_ms: int, step: int, kind: str, settings: str) -> Output:
    """Return a signal that carries no numbers: ``blind``, ``sighted``, ``rebased``, ``suspect_feed``."""
    brand.seq += 1
    signal = Signal(
        brand=brand.id, seq=brand.seq, at_ms=t_ms, kind=kind, version=brand.version, step=step, blind=dict(brand.blind),
        caveats=_suspicions(brand), suspect={source: one[0] for source, one in brand.suspect.items()},
        threshold=six(brand.budget.threshold()), alarms_per_week=brand.budget.asked, page_severity=brand.page_severity,
        timezone=brand.timezone, inputs=_inputs(brand), settings_hash=settings, state_hash=f"{brand.digest:016x}",
    )  # fmt: skip
    return _output(brand, signal)


def send_declared(brand: Brand, t_ms: int, step: int, settings: str) -> list[Output]:
    """Return a signal for each declared crisis of which there is news: its first mention, and each time that they doubled."""
    outputs = []
    for one in brand.desk.declared:
        if not one.news:
            continue
        one.told = one.mentions
        reading = one.reading(t_ms)
        brand.seq += 1
        usual, usual_authors = brand.usual_day()
        signal = Signal(
            brand=brand.id, seq=brand.seq, at_ms=t_ms, kind="declared", version=brand.version, step=step, stories=(reading,),
            threshold=six(brand.budget.threshold()), mentions=reading.mentions, authors=reading.authors,
            negative_share=reading.negative_share, onset_ms=reading.onset_ms, usual_day_authors=six(usual_authors),
            usual_day_mentions=six(usual), usual_negative_share=six(brand.negative.value()), blind=dict(brand.blind),
            alarms_per_week=brand.budget.asked, page_severity=brand.page_severity, timezone=brand.timezone, inputs=_inputs(brand),
            settings_hash=settings, state_hash=f"{brand.digest:016x}",
            samples=tuple((name, network, text) for name, network, text, _ in one.samples),
        )  # fmt: skip
        outputs.append(_output(brand, signal))
    return outputs


def _output(brand: Brand, signal: Signal) -> Output:
    headers = _headers(f"{brand.id}-{signal.seq}", brand.id, rfc3339(signal.at_ms))
    return Output(TOPIC, brand.id.encode(), _encoder.encode(signal), headers)


def _suspicions(brand: Brand) -> tuple[str, ...]:
    return tuple(suspect_feed(source, loud, brands) for source, (_, loud, brands) in sorted(brand.suspect.items()))


def _inputs(brand: Brand) -> tuple[tuple[int, int, int], ...]:
    """Return (raw partition, first, last offset) applied since the last signal, and begin anew."""
    spans = tuple((partition, span[0], span[1]) for partition, span in sorted(brand.inputs.items()))
    brand.inputs.clear()
    return spans


def _fill(brand: Brand, t_ms: int, step: int, kind: str, found: Judgement, settings: str) -> Signal:
    brand.seq += 1
    ring = brand.ring
    caveats = [*_suspicions(brand), *(new_source(source) for source, feed in sorted(brand.feeds.items()) if feed.until_ms)]
    if brand.base.cold:
        caveats.append(COLD)
    if brand.blind:
        caveats.append(SILENT)
    if brand.sampled > 1:
        caveats.append(sampled(brand.sampled))
        brand.sampled = 1
    if ring is not None and ring.beyond:
        caveats.append(beyond_budget(ring.beyond))
    usual_mentions, usual_authors = brand.usual_day()
    readings = tuple(brand.desk.tell(tell_story(story, t_ms, brand.seq), t_ms, brand.seq) for story in found.stories)
    usual_ratio, usual_angry = brand.desk.usual()
    impact, as_before = brand.desk.whole(t_ms, brand.seq)
    authors = ring.authors.distinct() if ring is not None else max((r.authors for r in readings), default=0)
    mentions = ring.mentions if ring is not None else max((r.mentions for r in readings), default=0)
    if ring is not None and ring.votes > 0.0:
        negative = ring.negative / ring.votes
    else:
        negative = readings[0].negative_share if readings else 0.0
    forecast = None
    grown = [r for r in readings if r.forecast is not None and (ring is None or r.story_id in ring.stories)]
    if grown and mentions:
        each = authors / mentions
        more = [(r.forecast.median - r.mentions, r.forecast.low - r.mentions, r.forecast.high - r.mentions) for r in grown if r.forecast]
        median, low, high = (six(authors + each * max(0.0, sum(column))) for column in zip(*more, strict=True))
        forecast = Forecast(median=median, low=low, high=high)
    onset = min((r.onset_ms for r in readings if ring is None or r.story_id in ring.stories), default=t_ms)
    samples = [sample[:3] for story in found.stories for sample in story.samples[:3]][:6]
    return Signal(
        brand=brand.id, seq=brand.seq, at_ms=t_ms, kind=kind, version=brand.version,
        score=six(found.score), threshold=six(found.threshold), over=found.over,
        chance=None if ring is None else chance(ring.peak, [row[5] for row in brand.verdicts.rows]), margin=six(found.margin), step=step,
        eased=ring is not None and ring.eased, quiet=found.quiet,
        windows=found.windows, stories=readings, contributions=found.scored.contributions(),
        mentions=mentions, authors=authors, negative_share=six(negative),
        usual_day_authors=six(usual_authors), usual_day_mentions=six(usual_mentions),
        usual_negative_share=six(brand.negative.value()), usual_own_ratio=usual_ratio, usual_own_negative=usual_angry,
        own_networks=dict(sorted(brand.desk.networks.items())), impact=impact, impact_as_before=as_before,
        forecast_authors_24h=forecast,
        onset_ms=onset if ring is None else min(ring.onset_ms, onset),
        caveats=tuple(caveats), suspect={source: one[0] for source, one in brand.suspect.items()},
        beyond_budget=ring is not None and ring.beyond > 0, blind=dict(brand.blind),
        alarms_per_week=brand.budget.asked, page_severity=brand.page_severity, timezone=brand.timezone,
        inputs=_inputs(brand), settings_hash=settings, state_hash=f"{brand.digest:016x}", samples=tuple(samples),
    )  # fmt: skip
