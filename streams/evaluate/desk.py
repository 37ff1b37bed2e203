"""The exam ``desk``: kinds and severities that the cards said, held against planted events.

Folders as in the exam ``lead``, whose ``truth.json`` also names each event's ``kind`` (``veille simulate --out`` writes it). Cards are read
at the opening, an hour later and at their last word. The true severity at a time is that of `streams.crisis.severity`, from what came:
distinct authors of the event in the next 24 h, in days of the brand outside events, moved by press and network classes seen by then.
``told`` counts what a crisis tells: its events by type, how often it eased and grew again, and the messages to a route that takes all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import log
from pathlib import Path
from random import Random
from statistics import mean, median
from typing import Any, Final, NamedTuple

import msgspec

from schemas.cloudevents import type_of
from schemas.crisis import KINDS, Crisis
from schemas.enriched import Enriched
from schemas.response import Notification
from streams.backtest.run import backtest
from streams.crisis.severity import ranked_probability_score
from streams.errors import BadInput
from streams.evaluate.folders import Say, silent
from streams.evaluate.lead_data import AFTER_MS, Folder, Planted, read_folder
from streams.gravity import BORDERS
from streams.respond.routes import Route
from streams.respond.stage import RespondPartition
from streams.settings import Settings
from streams.sources.dates import parse_time
from streams.sources.plan import plan

_DAY_MS: Final = 86_400_000
#: When a card is read: name -> ms after the opening; the last word has no time.
MOMENTS: Final[dict[str, int | None]] = {"opening": 0, "hour": 3_600_000, "last": None}
_ROUTES: Final = {"all": Route(name="all", format="log")}
_card = msgspec.json.Decoder(Crisis)
_note = msgspec.json.Decoder(Notification)
_enriched = msgspec.json.Decoder(Enriched)


class Reading(NamedTuple):
    """One card of one planted event: what it said, and what was true."""

    kind: str
    true_kind: str
    kinds: dict[str, float]
    severity: int
    severities: tuple[float, ...]
    true_severity: int


def true_severity(after: Sequence[Enriched], seen: Sequence[Enriched], usual_day: float) -> int:
    """Return the class of an event: ``after`` are its mentions of the next 24 h, ``seen`` all until then."""
    days = len({mention.author or mention.id for mention in after}) / max(usual_day, 5.0)
    level = 1 + sum(days >= border for border in BORDERS)
    classes = {mention.network_class for mention in seen}
    if any("press" in mention.author_marks for mention in seen) or len(classes) > 1:
        level += 1
    elif classes == {"professional"}:
        level -= 1
    return min(5, max(1, level))


def _usual_day(mentions: Sequence[Enriched], planted: frozenset[str]) -> float:
    """Return the median of distinct authors a day, outside planted events."""
    days: dict[int, set[str]] = defaultdict(set)
    for mention in mentions:
        if mention.id not in planted:
            days[mention.applies_ms // _DAY_MS].add(mention.author or mention.id)
    whole = sorted(days)[1:-1] or sorted(days)
    return float(median(len(days[day]) for day in whole)) if whole else 0.0


#: {brand: (event, ms, card), in order}
Cards = dict[str, list[tuple[str, int, Crisis]]]


def _run(folder: Folder, settings: Settings) -> tuple[Cards, dict[str, list[Enriched]], Counter[str]]:
    """Return the cards and {brand: mentions} of a backtest, and {message: how many}."""
    cards: Cards = defaultdict(list)
    respond, messages, offset = RespondPartition(0, settings.respond, routes=_ROUTES), Counter[str](), 0
    mentions: dict[str, list[Enriched]] = defaultdict(list)
    raw = plan(folder.rows, settings.partitions, grid_seconds=settings.detect.grid_seconds)
    arrival_ms = folder.rows[-1][0] + 4 * _DAY_MS
    topics = frozenset({"crisis.events", "mentions.enriched"})
    for _, record in backtest(raw, folder.watchlist, settings, timestamp_ms=arrival_ms, topics=topics):
        kind = type_of(record.headers)
        if kind.startswith(b"veille.crisis."):
            card = _card.decode(record.value or b"")
            cards[card.brand].append((kind.decode().rpartition(".")[2], parse_time(card.updated_at) or 0, card))
            sent = respond.process([record._replace(offset=offset)])
            notes = [_note.decode(out.value or b"").event for out in sent if out.topic == "crisis.notifications"]
            messages.update("message " + event.removeprefix("veille.").removeprefix("crisis.") for event in notes)
            offset += 1
        elif kind == b"veille.enriched":
            mention = _enriched.decode(record.value or b"")
            mentions[mention.brand].append(mention)
    return cards, mentions, messages


def read_cards(folder: Folder, settings: Settings) -> tuple[dict[str, list[Reading]], list[int], Counter[str]]:
    """Return the readings by moment, how many crises were opened for each planted one that was found, and what was told."""
    cards, mentions, messages = _run(folder, settings)
    planted = frozenset(identity for event in folder.planted for identity in event.ids)
    readings: dict[str, list[Reading]] = {moment: [] for moment in MOMENTS}
    opened: list[int] = []
    for event in folder.planted:
        said = [row for row in cards[event.brand] if event.times[0] <= row[1] <= event.times[-1] + AFTER_MS]
        names = list(dict.fromkeys(card.crisis_id for word, _, card in said if word == "opened"))
        if not event.crisis or not names:
            continue
        opened.append(len(names))
        mine = [row for row in said if row[2].crisis_id == names[0]]
        start = next(ms for word, ms, _ in mine if word == "opened")
        own = [mention for mention in mentions[event.brand] if mention.id in event.ids]
        usual = _usual_day(mentions[event.brand], planted)
        for moment, later in MOMENTS.items():
            at, card = _at(mine, start, later)
            after = [mention for mention in own if at < mention.applies_ms <= at + _DAY_MS]
            seen = [mention for mention in own if mention.applies_ms <= at + _DAY_MS]
            readings[moment].append(
                Reading(card.kind, event.kind, card.kinds, card.severity, card.severities, true_severity(after, seen, usual))
            )  # fmt: skip
    return readings, opened, told(cards) + messages


def told(cards: Cards) -> Counter[str]:
    """Return {event: how many}; ``grew again``: times that a crisis left "eased" for worse."""
    counts = Counter(word for rows in cards.values() for word, _, _ in rows)
    for rows in cards.values():
        phases: dict[str, str] = {}
        for _, _, card in rows:
            counts["grew again"] += phases.get(card.crisis_id) == "eased" and card.phase in ("open", "escalated")
            phases[card.crisis_id] = card.phase
    return counts


def _at(rows: Sequence[tuple[str, int, Crisis]], start: int, later: int | None) -> tuple[int, Crisis]:
    """Return the time and card of a moment: the latest word up to ``later`` ms after the opening, or the last while it was open."""
    alive = [row for row in rows if row[2].phase in ("open", "escalated", "eased") and (later is None or row[1] <= start + later)]
    at, card = alive[-1][1:]
    return (at, card) if later is None else (start + later, card)


def evaluate_desk(folders: Sequence[Path], settings: Settings, *, say: Say = silent) -> dict[str, Any]:
    """Return the exam's object; figures with an uncertainty carry a 90 % bootstrap interval over events.

    Of a moment that no card was read at ``n`` is 0, and there is no figure.
    """
    pooled: dict[str, list[Reading]] = {moment: [] for moment in MOMENTS}
    opened: list[int] = []
    said: Counter[str] = Counter()
    events: list[Planted] = []
    for place in folders:
        folder = read_folder(place, say)
        wrong = sorted(event.name for event in folder.planted if event.crisis and event.kind not in KINDS)
        if wrong:
            raise BadInput(f"truth.json in {place} needs a kind for {wrong[0]}: one of {', '.join(KINDS)}")
        say(f"{folder.name}: {len(folder.rows)} mentions")
        readings, counts, words = read_cards(folder, settings)
        said += words
        for moment, found in readings.items():
            pooled[moment] += found
        opened += counts
        events += [event for event in folder.planted if event.crisis]
    return {
        "events": len(events),
        "opened": len(opened),
        "crises_per_event": round(mean(opened), 4) if opened else None,
        "told": dict(sorted(said.items())),
        **{
            moment: {"n": len(found), **kind_figures(found), **severity_figures(found)} if found else {"n": 0}
            for moment, found in pooled.items()
        },
    }


def kind_figures(found: Sequence[Reading]) -> dict[str, Any]:
    """Return accuracy, log loss (natural) and the confusion table {true: {said: events}}."""
    table: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for one in found:
        table[one.true_kind][one.kind] += 1
    right = [float(one.kind == one.true_kind) for one in found]
    loss = [-_log(one.kinds.get(one.true_kind, 0.0)) for one in found]
    confusion = {kind: {said: row[said] for said in KINDS} for kind, row in table.items()}
    reliability = {
        kind: {"said": round(mean(one.kinds.get(kind, 0.0) for one in found), 4), "came": round(sum(table[kind].values()) / len(found), 4)}
        for kind in KINDS
    }
    return {
        **_interval("kind_accuracy", right),
        **_interval("kind_log_loss", loss),
        "confusion": confusion,
        "kind_reliability": reliability,
    }


def severity_figures(found: Sequence[Reading]) -> dict[str, Any]:
    """Return the ranked probability score beside that of always saying the pooled frequencies, and how often the class was right."""
    scores = [ranked_probability_score(one.severities, one.true_severity) for one in found]
    counts = Counter(one.true_severity for one in found)
    usual = tuple(counts[level] / len(found) for level in range(1, 6))
    return {
        **_interval("severity_rps", scores),
        "severity_rps_of_frequencies": round(mean(ranked_probability_score(usual, one.true_severity) for one in found), 4),
        **_interval("severity_exact", [float(one.severity == one.true_severity) for one in found]),
        **_interval("severity_within_one", [float(abs(one.severity - one.true_severity) <= 1) for one in found]),
        "severity_rps_by_class": {
            str(level): _interval("rps", [s for s, one in zip(scores, found, strict=True) if one.true_severity == level])
            for level in sorted(counts)
        },
        "severity_reliability": {
            str(level): {
                "said": round(mean(one.severities[level - 1] if one.severities else 0.0 for one in found), 4), "came": usual[level - 1]
            }
            for level in range(1, 6)
        },
        "severity_confusion": {
            str(level): dict(sorted(Counter(str(one.severity) for one in found if one.true_severity == level).items()))
            for level in sorted(counts)
        },
    }  # fmt: skip


def _log(probability: float) -> float:
    return log(max(probability, 1e-4))


def _interval(name: str, values: Sequence[float]) -> dict[str, float | None]:
    """Return the mean and its 90 % bootstrap interval (1,000 rounds, one seed); a single value has none."""
    if len(values) < 2:
        return {name: round(mean(values), 4), f"{name}_low": None, f"{name}_high": None}
    rng = Random(7)
    rounds = sorted(mean(rng.choices(values, k=len(values))) for _ in range(1000))
    return {name: round(mean(values), 4), f"{name}_low": round(rounds[50], 4), f"{name}_high": round(rounds[949], 4)}
