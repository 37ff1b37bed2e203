"""The exam ``lead``: how early planted crises are opened, for how many false alarms, beside vendors' rules on the same data.

A folder holds ``mentions.jsonl.gz``, ``watchlist.yaml`` and ``truth.json`` (see `docs` and ``veille simulate --out``); several are pooled.
Every curve has one row for each asked rate of false alarms; what was realised stands beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

import msgspec

from schemas.cloudevents import type_of
from schemas.enriched import Enriched
from streams.backtest.run import backtest
from streams.backtest.summary import refused_for, summary
from streams.clock import rfc3339
from streams.errors import BadInput
from streams.evaluate.folders import Say, silent
from streams.evaluate.lead_data import AFTER_MS, DAY_MS, Folder, Planted, read_folder
from streams.evaluate.resample import poisson_interval
from streams.evaluate.vendor_rules import RULES, alarms
from streams.settings import Settings
from streams.sources.dates import parse_time
from streams.sources.plan import plan

#: False alarms a brand-day for which the curve is read.
RATES: Final = (0.02, 0.05, 0.1, 0.3)
_OPENED: Final = (b"veille.crisis.opened", b"veille.crisis.reopened")
_enriched_of = msgspec.json.Decoder(Enriched)


@dataclass(frozen=True)
class Outcome:
    """What became of one crisis: when it was opened (ms) and the share of its mentions before that; None: never."""

    event: Planted
    opened_ms: int | None
    share: float | None


def run_folder(folder: Folder, settings: Settings, per_week: float | None) -> list[tuple[str, int]]:
    """Run the stages over a folder and return (brand, ms) of every opening; fills ``folder.counts``.

    ``per_week`` replaces the alarm budget of every brand; None keeps the watchlist's.
    """
    watchlist = folder.watchlist
    if per_week is not None:
        brands = tuple(msgspec.structs.replace(brand, alarms_per_week=per_week) for brand in watchlist.brands)
        watchlist = msgspec.structs.replace(watchlist, brands=brands, alarms_per_week=0.0)
    counting = not folder.counts
    counts: dict[str, list[int]] = defaultdict(list)
    opened = []
    raw = plan(folder.rows, settings.partitions, grid_seconds=settings.detect.grid_seconds)
    topics = frozenset({"crisis.events", "mentions.enriched", "mentions.rejected"} if counting else {"crisis.events"})
    # Stands for the wall time of arrival: after everything in the file, so that no clock looks early.
    arrival_ms = folder.rows[-1][0] + 4 * DAY_MS
    for topic, record in backtest(raw, watchlist, settings, timestamp_ms=arrival_ms, topics=topics):
        kind = type_of(record.headers)
        if topic == "crisis.events":
            if kind in _OPENED:
                time = next(value for name, value in record.headers if name == "ce_time").decode()
                opened.append(((record.key or b"").decode(), parse_time(time) or 0))
        elif topic == "mentions.rejected":
            folder.refused[refused_for(record)] += 1
        elif kind == b"veille.enriched" and record.value is not None:
            mention = _enriched_of.decode(record.value)
            if not mention.update:
                counts[mention.brand].append(mention.applies_ms)
    if counting:
        folder.counts.update({brand: sorted(times) for brand, times in sorted(counts.items())})
    return opened


def judge(folder: Folder, opened: Sequence[tuple[str, int]]) -> tuple[list[Outcome], int]:
    """Return what became of each crisis, and how many alarms belonged to none: decoys' alarms are false."""
    outcomes = []
    belongs: set[tuple[str, int]] = set()
    for event in folder.planted:
        if not event.crisis:
            continue
        last = event.times[-1] + AFTER_MS
        mine = sorted(ms for brand, ms in opened if brand == event.brand and event.times[0] <= ms <= last)
        belongs.update((event.brand, ms) for ms in mine)
        first = mine[0] if mine else None
        share = None if first is None else sum(ms < first for ms in event.times) / len(event.times)
        outcomes.append(Outcome(event, first, share))
    return outcomes, sum(1 for alarm in opened if alarm not in belongs)


def curve_row(asked: float, outcomes: Sequence[Outcome], false_alarms: int, brand_days: float) -> dict[str, Any]:
    """Return one row of a curve; intervals are 90 % bootstrap over crises, and Poisson for false alarms. None is what cannot be told."""
    row: dict[str, Any] = {"asked_per_brand_day": asked, "false_alarms": false_alarms}
    low, high = poisson_interval(false_alarms)
    for name, count in (("", false_alarms), ("_low", low), ("_high", high)):
        row[f"false_alarms_per_brand_day{name}"] = round(count / brand_days, 4) if brand_days else None
    figures: dict[str, Callable[[Sequence[Outcome]], float | None]] = {
        "opened_share": lambda some: sum(one.opened_ms is not None for one in some) / len(some),
        "median_minutes": _median_minutes,
        "opened_before_tenth_share": lambda some: sum(one.share is not None and one.share < 0.1 for one in some) / len(some),
        "opened_before_half_share": lambda some: sum(one.share is not None and one.share < 0.5 for one in some) / len(some),
    }
    for name, figure in figures.items():
        row[name] = _round(figure(outcomes)) if outcomes else None
        row[f"{name}_low"], row[f"{name}_high"] = _bootstrap(outcomes, figure)
    return row


def _median_minutes(outcomes: Sequence[Outcome]) -> float | None:
    """Return the median delay of those that opened, in minutes after the onset."""
    minutes = [(one.opened_ms - one.event.times[0]) / 60_000 for one in outcomes if one.opened_ms is not None]
    return median(minutes) if minutes else None


def _bootstrap(outcomes: Sequence[Outcome], figure: Callable[[Sequence[Outcome]], float | None]) -> tuple[float | None, float | None]:
    rng = Random(1)
    drawn = []
    for _ in range(400 if len(outcomes) > 1 else 0):
        value = figure([outcomes[int(rng.random() * len(outcomes))] for _ in outcomes])
        if value is not None:
            drawn.append(value)
    if not drawn:
        return None, None
    drawn.sort()
    return _round(drawn[int(0.05 * len(drawn))]), _round(drawn[min(len(drawn) - 1, int(0.95 * len(drawn)))])


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def evaluate_lead(folders: Sequence[Path], settings: Settings, *, rates: Sequence[float] = RATES, say: Say = silent) -> dict[str, Any]:
    """Return the object of the exam ``lead``: ``curve``, ``crises`` (at the watchlist's own budget), ``shipped`` and ``rules``.

    Without any planted crisis the curve tells false alarms alone.
    """
    read = [read_folder(folder, say) for folder in folders]
    if not any(event.crisis for folder in read for event in folder.planted):
        say("no folder holds a planted crisis: false alarms are counted, and nothing can be said of openings")

    def pooled(per_week: float | None) -> tuple[list[Outcome], int]:
        outcomes: list[Outcome] = []
        false_alarms = 0
        for folder in read:
            say(f"{folder.name}: {'shipped budget' if per_week is None else f'{per_week:.2g} alarms a week'}")
            mine, wrong = judge(folder, run_folder(folder, settings, per_week))
            outcomes += mine
            false_alarms += wrong
        return outcomes, false_alarms

    shipped, wrong = pooled(None)
    silent_folders = [folder.name for folder in read if not folder.counts]
    if silent_folders:
        raise BadInput(f"no mention in {silent_folders[0]} names a brand of its watchlist.yaml")
    days = sum(folder.brand_days for folder in read)
    for folder in read:
        say(f"{folder.name}: {summary(len(folder.rows), folder.refused)}")
    spoken = sum(len(folder.counts) for folder in read)
    asked = sum(folder.asked_per_day * len(folder.counts) for folder in read) / spoken
    curve = []
    for rate in rates:
        outcomes, false_alarms = pooled(rate * 7)
        curve.append(curve_row(rate, outcomes, false_alarms, days))
    return {
        "brand_days": round(days, 2),
        "curve": curve,
        "shipped": curve_row(round(asked, 4), shipped, wrong, days),
        "crises": [
            {
                "brand": one.event.brand,
                "name": one.event.name,
                "onset": rfc3339(one.event.times[0]),
                "opened_at": None if one.opened_ms is None else rfc3339(one.opened_ms),
                "minutes": None if one.opened_ms is None else round((one.opened_ms - one.event.times[0]) / 60_000, 1),
                "mentions": len(one.event.times),
                "share_before_open": _round(one.share),
            }
            for one in shipped
        ],
        "rules": {name: _rule_curve(name, read, days) for name in RULES},
    }


def _rule_curve(name: str, folders: Sequence[Folder], brand_days: float) -> list[dict[str, Any]]:
    """Return a vendor rule's curve: for each rate the most sensitive setting whose realised false alarms stay within it.

    That choice is made with the truth at hand, so it flatters the rules.
    """
    tried = []
    for factor in RULES[name].factors:
        outcomes: list[Outcome] = []
        wrong = 0
        for folder in folders:
            found = [(brand, ms) for brand, times in folder.counts.items() for ms in alarms(name, times, factor)]
            mine, false_alarms = judge(folder, found)
            outcomes += mine
            wrong += false_alarms
        tried.append((factor, outcomes, wrong))
    rows = []
    for rate in RATES:
        within = [one for one in tried if one[2] <= rate * brand_days]
        factor, outcomes, wrong = within[0] if within else tried[-1]
        rows.append({**curve_row(rate, outcomes, wrong, brand_days), "factor": factor, "within": bool(within)})
    return rows
