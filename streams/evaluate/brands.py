"""The exam ``brands``: precision and recall of brand matching on a sample labelled by hand, kept as ids and decisions.

The label says which brands of the watchlist a reader finds named in the text itself; what only the reply's addressee would tell counts
as not named. ``VEILLE_DATA``-style folders hold the texts: ``airline_2015``, ``boycott_2012_2020``, ``fashion_2021``, ``free_mobile_fr``.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from streams.enrich.brands import BrandMatcher
from streams.enrich.fold import clean, fold
from streams.enrich.stories import without_links
from streams.enrich.watchlist import load_watchlist
from streams.errors import BadInput
from streams.sources.tables import read_rows

_FILES: Final = {
    "airline_2015": "airline_2015/tweets.csv.gz",
    "boycott_2012_2020": "boycott_2012_2020/tweets.csv.gz",
    "free_mobile_fr": "free_mobile_fr/free_tweets_fr.csv",
    "fashion_2021/asos": "fashion_2021/asos.csv.gz",
    "fashion_2021/shein": "fashion_2021/shein.csv.gz",
    "fashion_2021/victoriassecret": "fashion_2021/victoriassecret.csv.gz",
}
#: Rows of these have an id of their own.
_WITH_IDS: Final = ("airline_2015", "free_mobile_fr")
_RESAMPLES: Final = 500


class Label(NamedTuple):
    """One decision: the brands of ``watchlist`` that the text ``identity`` of ``dataset`` names."""

    dataset: str
    identity: str
    watchlist: str
    brands: frozenset[str]


class Judged(NamedTuple):
    """One label beside what the matcher found: counts of right, superfluous and missed brands."""

    watchlist: str
    right: int
    superfluous: int
    missed: int


def labels() -> list[Label]:
    """Return the shipped labels."""
    text = files("streams.evaluate").joinpath("data", "brand_labels.csv").read_text(encoding="utf-8")
    return [Label(row["dataset"], row["id"], row["watchlist"], frozenset(row["brands"].split())) for row in csv.DictReader(StringIO(text))]


def identity_of(row: dict[str, str]) -> str:
    """Return a row's id: the network's own, or 16 digits of the SHA-256 of time, author and text."""
    own = row.get("tweet_id") or row.get("status_id")
    return own or hashlib.sha256("|".join((row["created_at"], row.get("author_hash", ""), row["text"])).encode()).hexdigest()[:16]


def judge(data: Path, watchlists: Path) -> list[Judged]:
    """Match every labelled text. Raises `BadInput` where a folder or a labelled row is missing."""
    wanted = labels()
    texts: dict[tuple[str, str], str] = {}
    for dataset in sorted({label.dataset for label in wanted}):
        path = data / _FILES[dataset]
        ids = {label.identity for label in wanted if label.dataset == dataset}
        needs = ("text",) if dataset in _WITH_IDS else ("created_at", "text")
        for row in read_rows(path, "; the exam needs the public data sets whose texts were labelled", needs):
            identity = identity_of(row)
            if identity in ids:
                texts[dataset, identity] = row["text"]
    matchers = {name: BrandMatcher(load_watchlist(watchlists / f"{name}.yaml")) for name in sorted({x.watchlist for x in wanted})}
    judged = []
    for label in wanted:
        if (label.dataset, label.identity) not in texts:
            raise BadInput(
                f"the labelled row {label.identity} is not in {data / _FILES[label.dataset]}: this exam is of these public rows alone"
            )
        plain, _ = without_links(clean(texts[label.dataset, label.identity]))
        found = {match.brand for match in matchers[label.watchlist].match(plain, fold(plain), "twitter")}
        counts = len(found & label.brands), len(found - label.brands), len(label.brands - found)
        judged.append(Judged(label.watchlist, *counts))
    return judged


def _figures(judged: Sequence[Judged]) -> dict[str, float]:
    right = sum(x.right for x in judged)
    superfluous = sum(x.superfluous for x in judged)
    missed = sum(x.missed for x in judged)
    return {
        "precision": right / (right + superfluous) if right + superfluous else 1.0,
        "recall": right / (right + missed) if right + missed else 1.0,
    }


def evaluate_brands(data: Path, watchlists: Path = Path("examples"), *, seed: int = 1) -> dict[str, Any]:
    """Return {"watchlists": {name: precision, recall, with 90 % bootstrap intervals, n}, "all": the same}."""
    judged = judge(data, watchlists)
    rng = Random(seed)
    groups = {name: [x for x in judged if x.watchlist == name] for name in sorted({x.watchlist for x in judged})}
    result: dict[str, Any] = {"watchlists": {name: _with_intervals(group, rng) for name, group in groups.items()}}
    result["all"] = _with_intervals(judged, rng)
    return result


def _with_intervals(judged: Sequence[Judged], rng: Random) -> dict[str, float | int]:
    figures: dict[str, float | int] = {name: round(value, 4) for name, value in _figures(judged).items()}
    drawn = [_figures(rng.choices(judged, k=len(judged))) for _ in range(_RESAMPLES)]
    for name in ("precision", "recall"):
        ordered = sorted(x[name] for x in drawn)
        figures[f"{name}_low"] = round(ordered[_RESAMPLES // 20], 4)
        figures[f"{name}_high"] = round(ordered[-_RESAMPLES // 20 - 1], 4)
    figures["n"] = len(judged)
    return figures
