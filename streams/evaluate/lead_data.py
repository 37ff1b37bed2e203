"""Reads folders of mentions with planted events: ``mentions.jsonl.gz``, ``watchlist.yaml`` and ``truth.json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from schemas.brand import Watchlist
from streams.clock import rfc3339
from streams.enrich.watchlist import load_watchlist
from streams.errors import BadInput
from streams.evaluate.folders import Say, read_json, silent
from streams.sources.dates import parse_time
from streams.sources.files import read_mentions

#: An alarm up to this long after the last planted mention still belongs to the crisis.
AFTER_MS: Final = 12 * 3_600_000
DAY_MS: Final = 86_400_000
_NEEDS: Final = ("name", "brand", "onset", "mention_ids", "crisis")
#: An onset further from the first planted mention than this is pointed out.
_NEAR_MS: Final = 60_000
#: Each minute between the first mention and the last is looked at: a broken date would make centuries of them.
_MOST_GAP_MS: Final = 366 * DAY_MS


@dataclass(frozen=True)
class Planted:
    """One event of the truth with the times (ms) of its mentions, ascending, their ids, and its kind where the truth says one."""

    name: str
    brand: str
    crisis: bool
    times: tuple[int, ...]
    ids: frozenset[str] = frozenset()
    kind: str = ""


@dataclass
class Folder:
    """One folder as it was read; ``counts``: brand -> times (ms) of its mentions; ``refused``: reason -> rows that count for no brand."""

    name: str
    rows: Sequence[tuple[int, bytes, str]]
    watchlist: Watchlist
    planted: list[Planted]
    counts: dict[str, list[int]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def brand_days(self) -> float:
        """Days of all brands that are spoken of at all, outside planted crises."""
        begin, end = self.rows[0][0], self.rows[-1][0]
        total = 0
        for brand in self.counts:
            free = begin
            for event in sorted((one for one in self.planted if one.crisis and one.brand == brand), key=lambda one: one.times[0]):
                total += max(0, event.times[0] - free)
                free = max(free, event.times[-1] + AFTER_MS)
            total += max(0, end - free)
        return total / DAY_MS

    @property
    def asked_per_day(self) -> float:
        """False alarms a brand-day that the watchlist itself allows, on average over the brands that are spoken of."""
        asked = [self.watchlist.asked_per_week(brand) for brand in self.watchlist.brands if brand.id in self.counts]
        return sum(asked) / max(1, len(asked)) / 7


def read_folder(folder: Path, say: Say = silent) -> Folder:
    """Read one folder. Raises `BadInput` where a file is missing or not in the format; ``say`` is told what differs."""
    paths = [path for name in ("mentions.jsonl.gz", "mentions.jsonl") if (path := folder / name).exists()]
    if len(paths) > 1:
        raise BadInput(f"{folder} holds mentions.jsonl.gz and mentions.jsonl; leave one of them")
    rows = list(read_mentions(paths or [folder / "mentions.jsonl.gz"]))
    if not rows:
        raise BadInput(f"{folder} holds no mentions")
    for earlier, later in pairwise(rows):
        if later.published_ms - earlier.published_ms > _MOST_GAP_MS:
            dates = f"{rfc3339(earlier.published_ms)} and {rfc3339(later.published_ms)}"
            raise BadInput(f"{folder}: more than a year lies between two mentions, of {dates}; leave out what is dated wrongly")
    times: dict[str, int] = {}
    for row in rows:
        times.setdefault(row.id, row.published_ms)
    watchlist = load_watchlist(folder / "watchlist.yaml")
    path = folder / "truth.json"
    truth = read_json(path)
    if not isinstance(truth, list):
        raise BadInput(f"{path} must be a list of events; [] where nothing was planted")
    brands = {brand.id for brand in watchlist.brands}
    planted = [_planted(row, f"{path}, entry {number}", brands, times, say) for number, row in enumerate(truth, 1)]
    return Folder(folder.resolve().name, list(rows), watchlist, planted)


def _planted(row: Any, where: str, brands: set[str], times: dict[str, int], say: Say) -> Planted:
    if not isinstance(row, dict) or not set(_NEEDS) <= set(row):
        raise BadInput(f"{where}: an event needs {', '.join(_NEEDS[:-1])} and {_NEEDS[-1]}")
    ids = row["mention_ids"]
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise BadInput(f"{where}: mention_ids must be a list of ids")
    if not isinstance(row["crisis"], bool):
        raise BadInput(f"{where}: crisis must be true or, for a decoy, false")
    if row["brand"] not in brands:
        raise BadInput(f"{where}: watchlist.yaml has no such brand")
    onset = parse_time(row["onset"])
    if onset is None:
        raise BadInput(f"{where}: onset is no date")
    mine = sorted(times[one] for one in set(ids) if one in times)
    if not mine:
        raise BadInput(f"{where}: none of its {len(ids)} mention_ids is in the mentions")
    if len(mine) < len(set(ids)):
        say(f"{where}: {len(set(ids)) - len(mine)} of its {len(set(ids))} mention_ids are not in the mentions")
    if abs(onset - mine[0]) > _NEAR_MS:
        say(f"{where}: its onset is not its first mention, from which minutes are counted")
    return Planted(str(row["name"]), str(row["brand"]), row["crisis"], tuple(mine), frozenset(ids), str(row.get("kind", "")))
