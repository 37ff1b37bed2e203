"""Alarms asked and realised, and sampling, as metrics."""

from __future__ import annotations

from typing import Any

from schemas.brand import Brand, Watchlist
from schemas.mention import json_value
from streams.crisis.gated import Cell
from streams.crisis.settings import CrisisSettings
from streams.engine.memory import MemoryRunner
from streams.engine.stage import Output
from streams.enrich.watchlist import Watchlists
from streams.metrics import PrometheusMeter
from streams.settings import Settings
from streams.sources.plan import clock_record
from streams.tallies import CountedCrisis, EnrichTally, SamplingTally
from streams.topology import build_specs
from tests.crisis.make import HOUR, command, events, log, signal, watermark
from tests.detect.worlds import START, World
from tests.enrich.records import clock, mention, stage

DAY_MINUTES = 24 * 60


def _shown(meter: PrometheusMeter, name: str) -> dict[str, float]:
    """Return {labels: value} of one metric."""
    found = {}
    for line in meter.exposition().decode().splitlines():
        series, _, value = line.rpartition(" ")
        if series.partition("{")[0] == name:
            found[series.removeprefix(name)] = float(value)
    return found


def test_what_the_watchlist_asks_is_shown_and_follows_its_version() -> None:
    """The alarms a week of all brands together, of the version that is in force."""
    watchlists, meter = Watchlists(), PrometheusMeter()
    for version, asked in ((1, 0.5), (2, 4.0)):
        brands = (Brand(id="acme", names=("Acme",), alarms_per_week=asked), Brand(id="other", names=("Other",), alarms_per_week=1.0))
        watchlists.add(Watchlist(brands=brands, version=version))
    counts = dict.fromkeys(("mentions.raw", "mentions.enriched", "brand.signals", "crisis.commands", "crisis.events"), 1)
    specs = build_specs(Settings(stages="enrich,detect,crisis"), watchlists, counts, meter=meter)
    runner = MemoryRunner(specs, counts, timestamp_ms=START + HOUR)
    runner.send([clock_record(START, "feed")])
    runner.drain()
    assert _shown(meter, "veille_alarms_asked_per_week") == {"": 1.5}
    runner.send([Output("mentions.raw", None, json_value({"version": 2}), (("ce_type", b"veille.watchlist.marker"),), 0)])
    runner.send([clock_record(START + HOUR, "feed")])
    runner.drain()
    assert _shown(meter, "veille_alarms_asked_per_week") == {"": 5.0}


def _week(stage: CountedCrisis, meter: PrometheusMeter) -> dict[str, float]:
    stage.tell()
    shown = _shown(meter, "veille_paging_openings_last_week")
    return {outcome: shown[f'{{outcome="{outcome}",partition="0"}}'] for outcome in ("confirmed", "unconfirmed")}


def test_crises_that_paged_in_the_last_week_of_event_time_are_shown() -> None:
    """One opening that pages counts once, as confirmed after a person's word, and no longer after a week; saved states tell the same."""
    meter = PrometheusMeter()
    stage = CountedCrisis(0, CrisisSettings(), Cell(), meter)
    stage.restore({}, None)
    loud: dict[str, Any] = {"over": True, "margin": 20.0, "page_severity": 1}
    records = log(signal(1, 0, **loud), signal(2, 30, **loud), signal(1, 40, brand="calm", **{**loud, "page_severity": 5}), watermark(60))
    found = events(list(stage.process(records)))
    opened = next(card for name, card in found if name == "opened")
    assert opened.page
    assert sum(name == "opened" for name, _ in found) == 2
    assert _week(stage, meter) == {"confirmed": 0, "unconfirmed": 1}
    list(stage.process(log(command("ack", 1, crisis_id=opened.crisis_id), start=10)))
    assert _week(stage, meter) == {"confirmed": 1, "unconfirmed": 0}
    saved = stage.checkpoint(11)
    fresh_meter = PrometheusMeter()
    fresh = CountedCrisis(0, CrisisSettings(), Cell(), fresh_meter)
    fresh.restore({state.key: state.value for state in saved.states if state.value}, saved.cut)
    assert _week(fresh, fresh_meter) == {"confirmed": 1, "unconfirmed": 0}
    list(stage.process(log(watermark(8 * DAY_MINUTES), start=12)))
    assert _week(stage, meter) == {"confirmed": 0, "unconfirmed": 0}


def test_a_crisis_that_a_person_declared_is_no_alarm() -> None:
    """The budget is for what the machine rings."""
    meter = PrometheusMeter()
    stage = CountedCrisis(0, CrisisSettings(), Cell(), meter)
    stage.restore({}, None)
    found = events(list(stage.process(log(watermark(0), command("open", 1, headline="a fire", severity=5)))))
    assert [(name, card.page) for name, card in found] == [("opened", True)]
    assert _week(stage, meter) == {"confirmed": 0, "unconfirmed": 0}


def test_what_enrich_moved_and_forgot_is_counted() -> None:
    """Each mention that is moved to the clock and each id that is forgotten too soon counts once; a partition that comes back goes on."""
    meter = PrometheusMeter()
    tally = EnrichTally(meter)
    for early in (2, 1):  # the second is the partition after it came back to this worker
        enrich = stage(duplicate_capacity=1000)
        moved = [mention(1 + n, second=10**6) for n in range(early)]
        list(enrich.process([clock(0, 0), *moved, *(mention(1 + early + n) for n in range(1001 - early))]))
        tally.tell(enrich)
        tally.tell(enrich)
    assert _shown(meter, "veille_mentions_early_total") == {'{partition="0"}': 3.0}
    assert _shown(meter, "veille_ids_forgotten_total") == {'{partition="0"}': 2 * 1001.0}


def test_sampling_is_shown_while_a_brand_is_hot_and_no_longer() -> None:
    """The share that was looked at, and how many were left out."""
    world, meter = World(), PrometheusMeter()
    tally = SamplingTally(meter)
    world.watch()
    tally.tell(world.stage)
    assert _shown(meter, "veille_sampling_share") == {'{partition="0"}': 1.0}
    for i in range(1, 5_001):
        world.say(START + HOUR + i, f"a{i}")
    world.until(START + HOUR + 60_000)
    tally.tell(world.stage)
    share, left_out = _shown(meter, "veille_sampling_share"), _shown(meter, "veille_mentions_left_out_total")
    assert 0.0 < share['{partition="0"}'] <= 0.125
    votes = world.stage.brands["acme"].counts.read(START + HOUR + 60_000)[0][0][1]
    assert 2_500 < left_out['{partition="0"}'] < 5_000
    assert votes > 2_500
    tally.tell(world.stage)
    assert _shown(meter, "veille_sampling_share") == {'{partition="0"}': 1.0}
    assert _shown(meter, "veille_mentions_left_out_total") == left_out
