"""Real mentions of three airlines through the pure stage: none is missing and none is double."""

from __future__ import annotations

import csv
import gzip
import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from streams.engine.stage import InputRecord
from streams.enrich.watchlist import Watchlists, load_watchlist
from tests.enrich.records import stage

_DATA = Path(os.environ.get("VEILLE_DATA", "../shared/data")) / "airline_2015" / "tweets.csv.gz"


@pytest.mark.skipif(not _DATA.exists(), reason="the folder airline_2015 is not there")
def test_each_real_mention_ends_once() -> None:
    """Each row is enriched once for each brand that it names, or rejected with a reason; an id that comes twice counts once."""
    with gzip.open(_DATA, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows += rows[:155]
    log = []
    for offset, row in enumerate(rows):
        published = datetime.strptime(row["tweet_created"], "%Y-%m-%d %H:%M:%S %z").isoformat()
        value = {"id": row["tweet_id"], "network": "twitter", "text": row["text"], "published_at": published}
        log.append(InputRecord(offset, 1_500_000_000_000, row["tweet_id"].encode(), json.dumps(value).encode()))
    watchlists = Watchlists()
    watchlists.add(load_watchlist(Path("examples/airlines.yaml")))
    outputs = stage(watchlists).process(log)
    named: dict[tuple[str, str], int] = {}
    rejected: dict[str, int] = {}
    ids: set[str] = set()
    for output in outputs:
        value = json.loads(output.value or b"")
        headers = dict(output.headers)
        if headers.get("ce_type") == b"veille.enriched":
            named[value["id"], value["brand"]] = named.get((value["id"], value["brand"]), 0) + 1
            ids.add(value["id"])
        elif output.topic == "mentions.rejected":
            reason = headers["__connect.errors.exception.message"].decode()
            rejected[reason] = rejected.get(reason, 0) + 1
    distinct = len({row["tweet_id"] for row in rows})
    assert set(named.values()) == {1}
    assert len(ids) + rejected.get("no_brand", 0) == distinct
    assert rejected.get("duplicate", 0) == len(rows) - distinct
    assert len(ids) > 0.99 * distinct
