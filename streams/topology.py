"""The only file that joins stages to topics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import cast

import msgspec
import xxhash

from schemas.brand import Brand
from schemas.cloudevents import header_maker
from schemas.enriched import Watermarks
from schemas.mention import Clock
from schemas.rights import OWN_GROUPS
from schemas.signal import SignalWatermark
from streams.clock import WallClock, rfc3339
from streams.crisis.forward import ForwardPartition
from streams.crisis.gated import Cell
from streams.crisis.stage import CrisisPartition
from streams.detect.stage import DetectPartition
from streams.engine.stage import ALL_PARTITIONS, Output, PartitionStage, StageSpec
from streams.enrich.stage import EnrichPartition
from streams.enrich.watchlist import Watchlists
from streams.errors import BadInput
from streams.evidence.stage import EvidencePartition
from streams.metrics import PrometheusMeter
from streams.respond.playbook import Playbook, load, people, plan_of
from streams.respond.routes import load_routes
from streams.respond.stage import RespondPartition
from streams.settings import Settings
from streams.tallies import CountedCrisis, EnrichTally, SamplingTally, asked_per_week

#: Topics that stages read, in the order of the road. All but the first must have equal partition counts.
INPUTS = ("mentions.raw", "mentions.enriched", "brand.signals", "crisis.commands", "crisis.events")

#: Source id of wall-clock records; its silence says nothing about any feed.
WORKER_SOURCE = "veille.worker"

_clock_headers = header_maker("veille.clock")
_watermarks_headers = header_maker("veille.watermarks")
_watermark_headers = header_maker("veille.watermark")


class _Alignment:
    """Stops reading a raw partition that runs ahead while detect holds too many waiting mentions.

    Waiting for another partition is no fault: the slowest partition is always read.
    """

    def __init__(self, settings: Settings) -> None:
        self._max_skew_ms = settings.engine.max_skew_seconds * 1000
        self._max_waiting = settings.detect.max_waiting
        self.enrich: Mapping[int, PartitionStage] = {}
        self.detect: Mapping[int, PartitionStage] = {}

    def admit(self, partition: int) -> bool:
        stage = cast(EnrichPartition | None, self.enrich.get(partition))
        if stage is None or stage.watermark is None or not self.detect:
            return True
        owned = [cast(DetectPartition, detect) for detect in self.detect.values()]
        waiting = sum(detect.waiting for detect in owned)
        if waiting < self._max_waiting // 10:
            return True
        known = [detect.watermark for detect in owned]
        slowest = min((w for w in known if w is not None), default=None)
        ahead = stage.watermark - slowest if slowest is not None else self._max_skew_ms + 1
        return ahead <= 0 or (ahead <= self._max_skew_ms and waiting < self._max_waiting)


def worker_clock(partition: int, now_ms: int) -> Output:
    """Return the wall-clock record that a worker publishes into a raw partition that it owns."""
    headers = _clock_headers(f"{WORKER_SOURCE}-{partition}-{now_ms}", WORKER_SOURCE, rfc3339(now_ms))
    value = msgspec.json.encode(Clock(source_id=WORKER_SOURCE, time_ms=now_ms))
    return Output("mentions.raw", None, value, headers, partition)


def _enrich_spec(
    settings: Settings,
    watchlists: Watchlists,
    version: int,
    alignment: _Alignment,
    wall_clock: WallClock | None,
    meter: PrometheusMeter | None,
) -> StageSpec:
    sent: dict[int, int] = {}
    told: dict[int, float] = {}
    tally = EnrichTally(meter) if meter is not None else None

    def make(partition: int) -> PartitionStage:
        sent.pop(partition, None)
        return EnrichPartition(partition, settings.enrich, watchlists, version)

    def pulse(stages: Mapping[int, PartitionStage]) -> Iterable[Output]:
        alignment.enrich = stages
        # For publishers that know nothing of Veille: whoever reads a raw partition also tells it the time.
        clocks = [worker_clock(p, wall_clock()) for p in sorted(stages)] if wall_clock is not None else []
        marks = {p: w for p, stage in sorted(stages.items()) if (w := cast(EnrichPartition, stage).watermark) is not None}
        if all(sent.get(p) == w for p, w in marks.items()):
            return clocks
        sent.update(marks)
        if meter is not None and tally is not None:
            for p, mark in marks.items():
                tally.tell(cast(EnrichPartition, stages[p]))
                meter.put("veille_watermark_timestamp_seconds", mark / 1000, "enrich", str(p))
            versions = {cast(EnrichPartition, stage).version for stage in stages.values()}
            if (newest := watchlists.get(max(versions))) is not None and newest.version not in told:
                told[newest.version] = asked_per_week(newest.watchlist)
                meter.put("veille_alarms_asked_per_week", told[newest.version])
        value = msgspec.json.encode(Watermarks(watermarks=marks))
        headers = _watermarks_headers(xxhash.xxh3_64_hexdigest(value), "", rfc3339(max(marks.values())))
        return [*clocks, Output("mentions.enriched", None, value, headers, ALL_PARTITIONS)]

    return StageSpec("enrich", "mentions.raw", make, pulse, settings.engine.watermark_ms / 1000, alignment.admit)


def _detect_spec(settings: Settings, raw_partitions: int, alignment: _Alignment, meter: PrometheusMeter | None) -> StageSpec:
    sent: dict[int, int] = {}
    tally = SamplingTally(meter) if meter is not None else None

    def make(partition: int) -> PartitionStage:
        sent.pop(partition, None)
        return DetectPartition(partition, settings.detect, raw_partitions)

    def pulse(stages: Mapping[int, PartitionStage]) -> Iterable[Output]:
        alignment.detect = stages
        news = []
        for partition, stage in sorted(stages.items()):
            detect = cast(DetectPartition, stage)
            watermark = detect.watermark
            if meter is not None and tally is not None:
                meter.put("veille_waiting_mentions", detect.waiting, str(partition))
                meter.put("veille_suspect_feeds", detect.suspects, str(partition))
                tally.tell(detect)
            if watermark is None or sent.get(partition) == watermark:
                continue
            sent[partition] = watermark
            if meter is not None:
                meter.put("veille_watermark_timestamp_seconds", watermark / 1000, "detect", str(partition))
            news.append(_watermark_record("brand.signals", partition, watermark))
        return news

    return StageSpec("detect", "mentions.enriched", make, pulse, settings.engine.watermark_ms / 1000)


def _crisis_spec(settings: Settings, plans: Sequence[Playbook], watched: Sequence[Brand], meter: PrometheusMeter | None) -> StageSpec:
    own = {brand.id: (brand.timezone, brand.thresholds.severity) for brand in watched}
    cell = Cell(people(plans), partial(plan_of, plans), settings.respond.language, own)
    sent: dict[int, int] = {}

    def make(partition: int) -> PartitionStage:
        sent.pop(partition, None)
        if meter is None:
            return CrisisPartition(partition, settings.crisis, cell)
        return CountedCrisis(partition, settings.crisis, cell, meter)

    def pulse(stages: Mapping[int, PartitionStage]) -> Iterable[Output]:
        """Pass event time on, a minute at a time, to partitions that have crises: deadlines of their tasks pass on quiet days too."""
        news = []
        for partition, stage in sorted(stages.items()):
            crisis = cast(CrisisPartition, stage)
            if isinstance(crisis, CountedCrisis):
                crisis.tell()
            watermark = crisis.watermark
            minute = watermark // 60_000 * 60_000 if watermark is not None and crisis.busy else 0
            if minute > sent.get(partition, 0):
                sent[partition] = minute
                news.append(_watermark_record("crisis.events", partition, minute))
        return news

    return StageSpec("crisis", "brand.signals", make, pulse, settings.engine.watermark_ms / 1000)


def _watermark_record(topic: str, partition: int, time_ms: int) -> Output:
    headers = _watermark_headers(f"{partition}-{time_ms}", "", rfc3339(time_ms))
    return Output(topic, None, msgspec.json.encode(SignalWatermark(time_ms=time_ms)), headers, partition)


def build_specs(
    settings: Settings,
    watchlists: Watchlists,
    partitions: Mapping[str, int],
    *,
    version: int = 1,
    wall_clock: WallClock | None = None,
    meter: PrometheusMeter | None = None,
    brand_plans: Sequence[Playbook] = (),
) -> list[StageSpec]:
    """Return the stages that ``settings.stages`` names, joined to their topics.

    ``partitions`` holds the partition count of ``mentions.raw``; ``version`` is the watchlist in force before any marker.
    ``brand_plans`` are playbooks of single brands, beside those of the settings.
    With ``wall_clock`` and ``settings.worker_clock`` clock records go into every raw partition that is read.
    """
    clock = wall_clock if settings.worker_clock else None
    alignment = _Alignment(settings)
    plans = (*brand_plans, *load(settings.respond.playbooks, settings.respond.language))
    matcher = watchlists.get(version)
    wanted = [name.strip() for name in settings.stages.split(",")]
    # Read here, so that a wrong file ends the start, and only where somebody is told.
    routes = load_routes(settings.respond) if "respond" in wanted else {}
    specs = {
        "enrich": _enrich_spec(settings, watchlists, version, alignment, clock, meter),
        "detect": _detect_spec(settings, partitions["mentions.raw"], alignment, meter),
        "commands": StageSpec("commands", "crisis.commands", ForwardPartition),
        "crisis": _crisis_spec(settings, plans, matcher.watchlist.brands if matcher is not None else (), meter),
        "evidence": StageSpec("evidence", "crisis.events", EvidencePartition, group=OWN_GROUPS["evidence"]),
        "respond": StageSpec("respond", "crisis.events", lambda p: RespondPartition(p, settings.respond, plans=plans, routes=routes)),
    }
    if unknown := sorted(set(wanted) - set(specs) - {""}):
        raise BadInput(f"there is no stage {', '.join(unknown)}; --stages / VEILLE_STAGES takes {', '.join(specs)}")
    return [specs[name] for name in specs if name in wanted]
