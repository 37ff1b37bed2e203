"""What every command promises: help with an example, documented exit codes, data on stdout."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from streams.cli import output
from streams.cli.crisis_words import crisis_line
from streams.cli.main import app, main
from streams.cli.options import language_of
from streams.settings import Settings

RUNNER = CliRunner()
COMMANDS = [
    ["demo"], ["worker"], ["replay"], ["collect"], ["warm"], ["crises"], ["backtest"], ["simulate"], ["doctor"], ["broker"],
    ["brief"], ["topics", "apply"], ["topics", "list"], ["watchlist", "check"], ["watchlist", "apply"], ["watchlist", "teach"], ["explain"],
    ["evidence", "list"], ["evidence", "show"], ["evidence", "export"], ["evidence", "verify"],
    ["evidence", "page"],
]  # fmt: skip


def run_main(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run `main` as the shell would; return the exit code."""
    monkeypatch.setattr("sys.argv", ["veille", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_has_an_example_and_exit_codes(words: list[str]) -> None:
    """Each command's help shows an example and says what its exit codes mean."""
    result = RUNNER.invoke(app, [*words, "--help"])
    assert result.exit_code == 0
    assert f"Example: veille {' '.join(words)}" in result.stdout
    assert "Exit codes: " in result.stdout


def test_every_command_is_tested_here() -> None:
    """A command that is added must promise the same."""
    names = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    assert {words[0] for words in COMMANDS} <= names


def test_wrong_usage_exits_2(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown option is wrong usage."""
    assert run_main(monkeypatch, "crises", "--nonsense") == 2


def test_an_unreachable_broker_exits_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a broker the command says where it looked and how to mend it."""
    assert run_main(monkeypatch, "crises", "--broker", "127.0.0.1:1") == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "127.0.0.1:1" in shown.err
    assert "VEILLE_BROKER" in shown.err


def test_bad_settings_exit_4_and_name_the_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A setting out of range is named as the environment variable that it is."""
    monkeypatch.setenv("VEILLE_HTTP__PORT", "99999")
    assert run_main(monkeypatch, "doctor") == 4
    assert "VEILLE_HTTP__PORT" in capsys.readouterr().err


def test_a_bad_watchlist_exits_4_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The complaint names the file, the line and the nearest known key."""
    file = tmp_path / "brands.yaml"
    file.write_text("brands:\n  - id: a\n    nams: [A]\n", "utf-8")
    assert run_main(monkeypatch, "watchlist", "check", str(file)) == 4
    assert "line 3" in capsys.readouterr().err


def test_a_good_watchlist_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """`watchlist check` says how many brands a usable file has."""
    file = tmp_path / "brands.yaml"
    file.write_text("brands:\n  - {id: a, names: [A]}\n", "utf-8")
    assert run_main(monkeypatch, "watchlist", "check", str(file)) == 0
    assert b"1 brand, version 1" in capfdbinary.readouterr().out


def test_the_speed_of_a_replay_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A speed that is no number above 0 is bad input."""
    file = tmp_path / "mentions.jsonl"
    file.touch()
    assert run_main(monkeypatch, "replay", str(file), "--speed", "fast") == 4
    assert "--speed" in capsys.readouterr().err


def test_the_language_is_the_one_asked_for_or_the_settings(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`--language` goes before VEILLE_LANGUAGE; what is neither English nor French is bad input, before anything is looked for."""
    french = Settings(language="fr")
    assert [language_of(given, french) for given in ("", "en", "fr")] == ["fr", "en", "fr"]
    for words in (["brief", "acme-1"], ["explain", "acme-1"], ["drill", "rumour", "--simulate", "1"]):
        assert run_main(monkeypatch, *words, "--language", "de") == 4
        assert "--language is en or fr" in capsys.readouterr().err


def test_topics_list_is_json_lines(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """`topics list --json` prints one object a line."""
    assert run_main(monkeypatch, "topics", "list", "--json") == 0
    rows = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert {"mentions.raw", "crisis.events"} <= {row["topic"] for row in rows}


def test_a_reader_that_goes_away_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`veille ... | head -1` ends quietly with 0."""

    class Gone(io.BytesIO):
        def write(self, data: object) -> int:
            raise BrokenPipeError

    with (tmp_path / "pipe").open("wb") as stream:
        monkeypatch.setattr("sys.stdout", type("Out", (), {"buffer": Gone(), "fileno": lambda self: stream.fileno()})())
        with pytest.raises(typer.Exit) as ended:
            output.emit("line")
    assert ended.value.exit_code == 0


def test_a_line_for_people_cannot_steer_the_terminal() -> None:
    """Control characters of a mention's words do not reach the terminal."""
    data = {
        "brand": "a",
        "severity": 3,
        "kind": "rumour",
        "contributions": [{"name": "n", "log_odds": 1.0, "text": "bad \x1b[2J\u202e words"}],
    }
    line = crisis_line({"type": "veille.crisis.opened", "time": "2026-03-02T08:00:00Z", "data": data})
    assert line.isprintable()
    assert "2026-03-02 08:00" in line


def test_a_line_for_people_names_the_crisis_and_why_it_rang() -> None:
    """The id is what `veille brief` and `veille crisis` take; what speaks against it is not given as its reason."""
    reasons = [{"name": "growth.rate", "text": "hardly any now", "log_odds": -3.0}, {"name": "x", "text": "many", "log_odds": 1.0}]
    data = {"brand": "a", "crisis_id": "a-20260302T080000-1", "severity": 3, "kind": "rumour", "contributions": reasons}
    line = crisis_line({"type": "veille.crisis.opened", "time": "2026-03-02T08:00:00Z", "data": data})
    assert line.split()[:5] == ["2026-03-02", "08:00", "UTC", "opened", "a-20260302T080000-1"]
    assert line.endswith("rumour     many")
    assert crisis_line({"data": {"headline": "fire", "contributions": []}}).endswith("fire")


def test_a_record_becomes_cloudevents_json() -> None:
    """Headers of the binary mode and the value make the structured CloudEvents object of another library."""
    from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
    from cloudevents.core.formats.json import JSONFormat

    from schemas.cloudevents import header_maker

    headers = header_maker("veille.crisis.opened")("a-1", "crisis", "2026-03-02T08:00:00Z")
    event = output.cloudevent(headers, b'{"brand":"a"}')
    theirs = from_binary_event(KafkaMessage(headers=dict(headers), key=b"a", value=b'{"brand":"a"}'), JSONFormat())
    assert event["id"] == theirs.get_id() == "a-1"
    assert event["type"] == theirs.get_type() == "veille.crisis.opened"
    assert event["data"] == theirs.get_data() == {"brand": "a"}
    assert json.loads(output.event_line(event))["specversion"] == "1.0"


@pytest.mark.parametrize("target", ["/dev/full", "closed"])
@pytest.mark.parametrize("words", [["--version"], ["simulate", "--seed", "1", "--days", "2"]])
def test_a_stdout_that_takes_nothing_is_named(words: list[str], target: str) -> None:
    """A full disk, or no stdout at all: one sentence and exit code 4, no traceback."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "streams.cli.main", *words], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False,
            preexec_fn=(lambda: os.close(1)) if target == "closed" else None,
        )  # fmt: skip
    assert done.returncode == 4
    said = done.stderr.decode()
    assert "stdout" in said
    assert "Traceback" not in said
    assert "Exception ignored" not in said
