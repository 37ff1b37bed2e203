"""``veille warm``: what it says, what it sends, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from schemas.cloudevents import type_of
from schemas.enriched import LearnedBaseline
from schemas.topics import load_topics
from streams.backtest.warm import learn, record
from streams.cli.definitions import apply_watchlist
from streams.cli.main import app
from streams.clock import rfc3339
from streams.detect.season import PRIOR_HOURS
from streams.engine.partitioning import partition_of
from streams.engine.topics import partition_counts
from streams.enrich.watchlist import parse_watchlist
from streams.settings import Settings
from streams.sources.files import read_mentions
from streams.sources.mapping import parse_mapping
from tests.cli.test_commands import run_main
from tests.stories.road import read_all, story_settings

HOUR = 3_600_000
START = 1_740_960_000_000
WATCHLIST = "brands:\n  - {id: acme, names: [Acme]}\n  - {id: rare, names: [Rarebrand]}\n"


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days of talk about one brand, and one mention of another near the end."""
    r, path = random.Random(4), tmp_path_factory.mktemp("export") / "old.jsonl"
    rows = []
    for hour in range(72):
        for _ in range(round(8 * PRIOR_HOURS[hour % 24])):
            at = START + hour * HOUR + r.randrange(HOUR)
            rows.append(
                {"network": "x", "text": f"At the Acme shop, queue {r.randrange(10**6)}", "when": rfc3339(at), "author": f"a{r.random()}"}
            )
    rows.append({"network": "x", "text": "Rarebrand is here", "when": rfc3339(START + 71 * HOUR), "author": "b"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (path.parent / "brands.yaml").write_text(WATCHLIST, "utf-8")
    return path


def _words(export: Path, *more: str) -> list[str]:
    return ["warm", str(export), "--map", "published_at=when", "--map", "author.id=author", *more]


def test_it_says_what_is_usual_without_a_broker(export: Path) -> None:
    """Hours learned and the usual rate of each brand; where less than a day was found it says so and would not send it."""
    words = _words(export, "--watchlist", str(export.parent / "brands.yaml"), "--dry-run")
    shown = CliRunner().invoke(app, [*words, "--json"])
    assert shown.exit_code == 0
    acme, rare = (json.loads(line) for line in shown.stdout.splitlines())
    assert acme["brand"] == "acme"
    assert 69 <= acme["hours"] <= 72
    assert 5.0 < acme["usual_per_hour"] < 10.0
    assert acme["state"] == "would be sent"
    assert acme["sent"] is False
    assert rare["hours"] == acme["hours"]
    assert rare["usual_per_hour"] < 0.1
    assert "acme: 7" in CliRunner().invoke(app, words).stdout


def test_the_same_export_teaches_the_same_whatever_the_partitions(export: Path) -> None:
    """What is learned is a function of the files, and so is the record's id."""
    found = []
    for partitions in (1, 4):
        mentions = read_mentions([export], parse_mapping(("published_at=when", "author.id=author")))
        watchlist = parse_watchlist(WATCHLIST, "w")
        found.append(learn(mentions, watchlist, Settings(partitions=partitions), timestamp_ms=START + 1000 * HOUR))
    assert found[0] == found[1]
    assert record(found[0][0], 4) == record(found[1][0], 4)


async def test_it_reaches_the_brands_own_log_and_no_other(embedded_broker: str, export: Path) -> None:
    """With the topic's newest watchlist: one record a brand, in the partition where its mentions go, that detect can read."""
    settings = story_settings(embedded_broker, "warmed")
    await partition_counts(settings, list(load_topics()))
    assert await apply_watchlist(settings, parse_watchlist(WATCHLIST, "w")) == 1
    words = _words(export, "--broker", embedded_broker, "--run", "warmed")
    shown = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert shown.exit_code == 0, shown.output
    assert "; sent" in shown.stdout
    records = [one for one in await read_all(settings, "mentions.enriched") if type_of(one.headers) == b"veille.baseline"]
    counts = await partition_counts(settings, ["mentions.enriched"])
    told = {one.key: msgspec.json.decode(one.value or b"", type=LearnedBaseline) for one in records}
    assert b"acme" in told
    assert all(one.partition == partition_of(one.key, counts["mentions.enriched"]) for one in records)
    assert 5.0 < told[b"acme"].numbers["rate"][0] / told[b"acme"].numbers["rate"][1] < 10.0
    assert not await read_all(settings, "brand.signals")


def test_too_little_sends_nothing(tmp_path: Path, export: Path) -> None:
    """A file of one hour teaches no brand enough: exit code 1."""
    short = tmp_path / "short.jsonl"
    short.write_text("".join(export.read_text("utf-8").splitlines(keepends=True)[:4]), "utf-8")
    shown = CliRunner().invoke(app, _words(short, "--watchlist", str(export.parent / "brands.yaml"), "--broker", "127.0.0.1:1"))
    assert shown.exit_code == 1
    assert "too little" in shown.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot read"),
        ("not json at all\n", "not_json"),
        ('{"network": "x", "text": "Acme", "date": "2026-01-01"}\n', "bad_time"),
    ],
)
def test_a_bad_file_exits_4_and_says_what_to_mend(
    content: str | None, said: str, tmp_path: Path, export: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing file, one that is no mention file, a column that nobody named."""
    path = tmp_path / "bad.jsonl"
    if content is not None:
        path.write_text(content, "utf-8")
    assert run_main(monkeypatch, "warm", str(path), "--watchlist", str(export.parent / "brands.yaml")) == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err


def test_rows_that_were_refused_are_counted_and_one_without_a_date_claims_no_past(tmp_path: Path, export: Path) -> None:
    """A row of 1970 would make a brand watched for half a century, which no later export could put right."""
    words = ("--watchlist", str(export.parent / "brands.yaml"), "--dry-run", "--json")
    plain = CliRunner().invoke(app, _words(export, *words))
    odd = tmp_path / "odd.jsonl"
    row = json.loads(export.read_text("utf-8").splitlines()[0])
    more = [row | {"when": "soon"}, row | {"when": "1970-01-01T00:00:00Z"}]
    odd.write_text(export.read_text("utf-8") + "".join(json.dumps(one) + "\n" for one in more), "utf-8")
    shown = CliRunner().invoke(app, _words(odd, *words))
    assert shown.stdout == plain.stdout
    assert shown.stderr.endswith(" refused (bad_time 1, too_old 1)\n")
    assert "refused" not in plain.stderr
