"""Real mentions of three airlines go through broker, worker and topics; none is missing and none is double."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from streams.sources.files import FileMention, read_mentions
from streams.sources.mapping import parse_mapping
from streams.sources.plan import plan
from tests.stories.road import finished, once, read_all, send, story_settings, worker

DATA = Path(os.environ.get("VEILLE_DATA", "../shared/data")) / "airline_2015" / "tweets.csv.gz"
MAPS = ["id=tweet_id", "text=text", "published_at=tweet_created", "author.handle=name"]


@pytest.mark.skipif(not DATA.exists(), reason="the folder airline_2015 is not there")
async def test_every_real_mention_ends_once(embedded_broker: str, tmp_path: Path) -> None:
    """Each of 7,239 rows ends in mentions.enriched once per brand it names, or in mentions.rejected; 155 that come again count once."""
    settings = story_settings(embedded_broker, "airlines")
    mentions = list(read_mentions([DATA], parse_mapping(MAPS, ["network=x"])))
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as file:
        ids = [row["tweet_id"] for row in csv.DictReader(file)]
    assert len(mentions) == len(ids) == 7239
    # However often the file itself repeats an id, this many more come a second time a moment later.
    again = [FileMention(ms + 1000, value, identity) for ms, value, identity in mentions[:155]]
    doubles = len(ids) + len(again) - len(set(ids))
    mentions = sorted([*mentions, *again])
    with worker(settings, Path("examples/airlines.yaml").resolve(), tmp_path / "worker.log") as process:
        await send(settings, plan(mentions, settings.partitions))
        await finished(settings, mentions[-1][0] + 48 * 3_600_000, process)

    enriched = [json.loads(value or b"") for key, _, value in once(await read_all(settings, "mentions.enriched")) if key is not None]
    enriched = [record for record in enriched if "text" in record]
    rejected = {
        (headers["__connect.errors.partition"], headers["__connect.errors.offset"]): headers["__connect.errors.exception.message"]
        for headers in (dict(record.headers) for record in await read_all(settings, "mentions.rejected"))
    }
    reasons = Counter(rejected.values())
    pairs = Counter((record["id"], record["brand"]) for record in enriched)
    assert set(pairs.values()) == {1}, "a mention counts twice for one brand"
    assert reasons[b"duplicate"] == doubles
    named = {record["id"] for record in enriched}
    assert len(named) + reasons[b"no_brand"] == len(set(ids)), "a mention is missing, or counted on both sides"
    assert sum(reasons.values()) == reasons[b"duplicate"] + reasons[b"no_brand"]
