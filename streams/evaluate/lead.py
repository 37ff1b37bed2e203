"""The exam ``lead``: how early planted crises are opened, for how many false alarms, beside vendors' rules on the same data.

A folder holds ``mentions.jsonl.gz``, ``watchlist.yaml`` and ``truth.json`` (see `docs` and ``veille simulate --out``); several are pooled.
Every curve has one row for each asked rate of false alarms; what was realised stands beside it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

import msgspec

from schemas.brand import Watchlist
from schemas.cloudevents import type_of
from schemas.enriched import Enriched
from streams.backtest.run import backtest
from streams.clock import rfc3339
from streams.enrich.watchlist import load_watchlist
from streams.errors import BadInput
from streams.evaluate.vendor_rules import RULES, alarms
from streams.settings import Settings
from streams.sources.dates import parse_time
from streams.sources.files import read_mentions
from streams.sources.plan import plan

#: False alarms a brand-day for which the curve is read.
RATES: Final = (0.02, 0.05, 0.1, 0.3)
#: An alarm up to this long after the last planted mention still belongs to the crisis.
_AFTER_MS: Final = 12 * 3_600_000
_DAY_MS: Final = 86_400_000
_OPENED: Final = (b"veille.crisis.opened", b"veille.crisis.reopened")
_enriched_of = msgspec.json.Decoder(Enriched)


@dataclass(frozen=True)
class Planted:
    """One event of the truth with the times (ms) of its mentions, ascending."""

    name: str
    brand: str
    crisis: bool
    times: tuple[int, ...]


@dataclass
class Folder:
    """One folder as it was read; ``counts``: brand -> times (ms) of its mentions."""

    name: str
    rows: Sequence[tuple[int, bytes, str]]
    watchlist: Watchlist
    planted: list[Planted]
    counts: dict[str, list[int]] = field(default_factory=dict)

    @property
    def brand_days(self) -> float:
        """Days of all brands that are spoken of at all, outside planted crises."""
        span = self.rows[-1][0] - self.rows[0][0]
        crises = sum(min(event.times[-1] + _AFTER_MS, self.rows[-1][0]) - event.times[0] for event in self.planted if event.crisis)
        return max(0.1, (span * len(self.counts) - crises) / _DAY_MS)


@dataclass(frozen=True)
class Outcome:
    """What became of one crisis: when it was opened (ms) and the share of its mentions before that; None: never."""

    event: Planted
    opened_ms: int | None
    share: float | None


def read_folder(folder: Path) -> Folder:
    """Read one folder. Raises `BadInput` where a file is missing or not in the format."""
    rows = list(read_mentions([folder / "mentions.jsonl.gz"]))
    if not rows:
        raise BadInput(f"{folder} holds no mentions")
    try:
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BadInput(f"{folder} has no readable truth.json") from None
    times = {row.id: row.published_ms for row in rows}
    planted = []
    for row in truth:
        if not isinstance(row, dict) or not {"name", "brand", "onset", "mention_ids", "crisis"} <= set(row):
            raise BadInput(f"truth.json in {folder} needs name, brand, onset, mention_ids and crisis in each entry")
        mine = sorted(times[identity] for identity in row["mention_ids"] if identity in times)
        onset = parse_time(row["onset"])
        if mine and onset is not None:
            planted.append(Planted(str(row["name"]), str(row["brand"]), bool(row["crisis"]), tuple(mine)))
    return Folder(folder.name, list(rows), load_watchlist(folder / "watchlist.yaml"), planted)


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
    topics = frozenset({"crisis.events", "mentions.enriched"} if counting else {"crisis.events"})
    # Stands for the wall time of arrival: after everything in the file, so that no clock looks early.
    arrival_ms = folder.rows[-1][0] + 4 * _DAY_MS
    for topic, record in backtest(raw, watchlist, settings, timestamp_ms=arrival_ms, topics=topics):
        kind = type_of(record.headers)
        if topic == "crisis.events":
            if kind in _OPENED:
                time = next(value for name, value in record.headers if name == "ce_time").decode()
                opened.append(((record.key or b"").decode(), parse_time(time) or 0))
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
        last = event.times[-1] + _AFTER_MS
        mine = sorted(ms for brand, ms in opened if brand == event.brand and event.times[0] <= ms <= last)
        belongs.update((event.brand, ms) for ms in mine)
        first = mine[0] if mine else None
        share = None if first is None else sum(ms < first for ms in event.times) / len(event.times)
        outcomes.append(Outcome(event, first, share))
    return outcomes, sum(1 for alarm in opened if alarm not in belongs)


def curve_row(asked: float, outcomes: Sequence[Outcome], false_alarms: int, brand_days: float) -> dict[str, Any]:
    """Return one row of a curve; intervals are 90 % bootstrap over crises."""
    row: dict[str, Any] = {"asked_per_brand_day": asked, "false_alarms_per_brand_day": round(false_alarms / brand_days, 4)}
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


def evaluate_lead(
    folders: Sequence[Path], settings: Settings, *, rates: Sequence[float] = RATES, progress: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Return the object of the exam ``lead``: ``curve``, ``crises`` (at the watchlist's own budget), ``shipped`` and ``rules``."""
    read = [read_folder(folder) for folder in folders]
    if not any(event.crisis for folder in read for event in folder.planted):
        raise BadInput("no folder holds a planted crisis")

    def pooled(per_week: float | None) -> tuple[list[Outcome], int]:
        outcomes: list[Outcome] = []
        false_alarms = 0
        for folder in read:
            if progress is not None:
                progress(f"{folder.name}: {'shipped budget' if per_week is None else f'{per_week:.2g} alarms a week'}")
            mine, wrong = judge(folder, run_folder(folder, settings, per_week))
            outcomes += mine
            false_alarms += wrong
        return outcomes, false_alarms

    shipped, wrong = pooled(None)
    days = sum(folder.brand_days for folder in read)
    curve = []
    for rate in rates:
        outcomes, false_alarms = pooled(rate * 7)
        curve.append(curve_row(rate, outcomes, false_alarms, days))
    return {
        "brand_days": round(days, 2),
        "curve": curve,
        "shipped": curve_row(round(0.5 / 7, 4), shipped, wrong, days),
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
        within = [one for one in tried if one[2] / brand_days <= rate]
        factor, outcomes, wrong = within[0] if within else tried[-1]
        rows.append({**curve_row(rate, outcomes, wrong, brand_days), "factor": factor, "within": bool(within)})
    return rows
