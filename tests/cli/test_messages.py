"""What a command says when something is wrong: what happened, and what to do, in a line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.backtest.summary import summary
from streams.cli.crisis_words import crisis_line
from streams.cli.doctor import misspelt
from streams.cli.main import app
from streams.engine.topics import require_topics
from streams.enrich.watchlist import Watchlists
from streams.errors import BadInput
from streams.settings import Settings
from streams.topology import build_specs
from tests.cli.test_commands import run_main

WATCHLIST = "brands:\n  - {id: acme, names: [Acme]}\n"
MENTION = '{"id":"1","network":"x","text":"Acme lost my bag","published_at":"2026-03-02T08:15:00Z"}\n'


@pytest.mark.parametrize(
    "words", [("simulate", "--seed", "1", "--out"), ("evaluate", "brands", ".", "--report")], ids=lambda words: words[0]
)
def test_a_place_that_cannot_be_written_is_named(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder below a file can be made by nobody: the command says so in a line, and no traceback is shown."""
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    assert run_main(monkeypatch, *words, str(tmp_path / "file" / "below")) == 4
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert said.startswith("veille: ")


def test_a_backtest_says_what_it_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing on stdout may mean calm, or a file that nobody could read: stderr says which."""
    (tmp_path / "brands.yaml").write_text(WATCHLIST)
    lines = MENTION + MENTION.replace("Acme", "Nobody").replace('"1"', '"2"') + "no json\n[]\n"
    (tmp_path / "mentions.jsonl").write_text(lines)
    monkeypatch.chdir(tmp_path)
    assert run_main(monkeypatch, "backtest", "mentions.jsonl", "--watchlist", "brands.yaml") == 0
    said = capsys.readouterr().err
    assert said == "4 mentions read: 1 of brands of the watchlist, 1 of none, 2 refused (not_json 1, not_object 1)\n"


def test_a_summary_names_only_what_there_was() -> None:
    """Counts of zero are left out; an empty file is said to be empty."""
    assert summary(0, {}) == "0 mentions read: 0 of brands of the watchlist"
    assert summary(3, {"duplicate": 1}) == "3 mentions read: 2 of brands of the watchlist, 1 double"


def test_an_unknown_field_is_named_with_those_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence ends before the list begins."""
    (tmp_path / "brands.yaml").write_text(WATCHLIST)
    (tmp_path / "m.csv").write_text("a\n1\n")
    words = ("backtest", str(tmp_path / "m.csv"), "--watchlist", str(tmp_path / "brands.yaml"), "--map", "foo=a")
    assert run_main(monkeypatch, *words) == 4
    assert "foo is no field of a mention; the fields are id, " in capsys.readouterr().err


def test_a_worker_with_an_unknown_stage_does_not_start() -> None:
    """A misspelt stage would silently not run, and nobody would be warned."""
    with pytest.raises(BadInput, match=r"there is no stage detekt; .*VEILLE_STAGES takes enrich, detect"):
        build_specs(Settings(stages="enrich,detekt"), Watchlists(), {"mentions.raw": 1})
    assert [spec.name for spec in build_specs(Settings(stages="enrich, detect,"), Watchlists(), {"mentions.raw": 1})] == [
        "enrich",
        "detect",
    ]


def test_settings_that_nothing_reads_are_pointed_out() -> None:
    """One underscore in place of two leaves the setting as it was, without a word."""
    assert misspelt(["VEILLE_ENGINE_STALL_SECONDS", "VEILLE_RUN", "VEILLE_ROLE", "VEILLE_OF_OUR_OWN", "PATH"]) == [
        ("VEILLE_ENGINE_STALL_SECONDS", "VEILLE_ENGINE__STALL_SECONDS")
    ]


def test_topics_that_are_missing_are_named_and_not_created(embedded_broker: str) -> None:
    """A broker that creates topics by itself would give them the wrong settings."""
    settings = Settings(broker=embedded_broker, run="nobody")
    for _ in range(2):
        with pytest.raises(BadInput, match=r"has no topic nobody\.watchlist: `veille topics apply --run nobody` creates"):
            asyncio.run(require_topics(settings, ["watchlist"], seconds=0))


def test_a_mention_from_the_future_is_one_mention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clocks that run ahead with it would be refused, once for each partition, and are no mentions."""
    monkeypatch.chdir(tmp_path)
    Path("brands.yaml").write_text(WATCHLIST)
    Path("new.jsonl").write_text(MENTION + MENTION.replace('"1"', '"2"').replace("2026", "2235"))
    done = CliRunner().invoke(app, ["backtest", "new.jsonl", "--watchlist", "brands.yaml"])
    assert (done.exit_code, done.stderr) == (0, "2 mentions read: 2 of brands of the watchlist\n")


@pytest.mark.parametrize(
    "words",
    [
        ("watchlist", "apply", "brands.yaml"),
        ("warm", "old.jsonl", "--watchlist", "brands.yaml"),
        ("crisis", "open", "--brand", "acme", "--headline", "Fire", "--by", "ann"),
        ("doctor",),
    ],
    ids=lambda words: words[0],
)
def test_who_has_no_topics_reads_how_his_run_gets_them(
    words: tuple[str, ...], tmp_path: Path, embedded_broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The topics of a run are its own: without its name `veille topics apply` would create others."""
    monkeypatch.chdir(tmp_path)
    Path("brands.yaml").write_text(WATCHLIST)
    hours = [f"2026-03-0{2 + n // 24}T{n % 24:02}:00:00Z" for n in range(48)]
    Path("old.jsonl").write_text("".join(MENTION.replace('"1"', f'"{at}"').replace("2026-03-02T08:15:00Z", at) for at in hours))
    done = CliRunner().invoke(app, [*words, "--broker", embedded_broker, "--run", "none-of-it"])
    assert "veille topics apply --run none-of-it" in f"{done.output} {done.exception}"


def test_a_line_says_who_noted_what_and_why_it_was_refused() -> None:
    """The headline of the crisis says nothing of a decision."""
    decision = {"command": "set-kind", "by": "ann"}
    data = {"crisis_id": "a-1", "headline": "fire", "decision": decision, "note": "kind must be one of …"}
    assert crisis_line({"type": "veille.crisis.refused", "data": data}).endswith("set-kind by ann: kind must be one of …")
    data["note"] = ""
    assert crisis_line({"type": "veille.crisis.noted", "data": data}).endswith("set-kind by ann")
