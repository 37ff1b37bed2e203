"""``veille evaluate``."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli.evaluate import BelowRequired, figures
from streams.cli.main import app
from streams.errors import BadInput


def test_figures_have_dotted_names() -> None:
    """Every number of an exam's object can be named."""
    assert dict(figures({"a": {"b": 1.5}, "c": [{"d": 2}]})) == {"a.b": 1.5, "c.0.d": 2}


def test_an_unknown_exam_is_named(tmp_path: Path) -> None:
    """An exam that is not there ends with the list of those that are."""
    result = CliRunner().invoke(app, ["evaluate", "luck", str(tmp_path)])
    assert isinstance(result.exception, BadInput)
    assert "lead" in str(result.exception)


def test_a_figure_below_the_required_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--require`` turns a weak figure into exit code 1, after it was printed."""
    monkeypatch.setattr("streams.cli.evaluate._run", lambda exam, folders: {"shipped": {"opened_share": 0.5}})
    result = CliRunner().invoke(app, ["evaluate", "lead", str(tmp_path), "--json", "--require", "shipped.opened_share=0.8"])
    assert isinstance(result.exception, BelowRequired)
    assert result.exception.exit_code == 1
    assert '"opened_share":0.5' in result.stdout
    result = CliRunner().invoke(app, ["evaluate", "lead", str(tmp_path), "--require", "shipped.opened_share=0.5"])
    assert result.exception is None


def outcome(*words: str) -> tuple[int, str]:
    """Return the exit code and what is said of an error."""
    result = CliRunner().invoke(app, ["evaluate", *words])
    return getattr(result.exception, "exit_code", result.exit_code), str(result.exception)


def test_what_cannot_be_told_is_null_and_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure that is no number is null in JSON, "none" for people, and holds against no ``--require``."""
    monkeypatch.setattr("streams.cli.evaluate._run", lambda exam, folders: {"a": float("nan"), "b": [float("inf"), 1.0], "c": {"d": "x"}})
    result = CliRunner().invoke(app, ["evaluate", "volume", str(tmp_path), "--json"])
    assert result.stdout == '{"a":null,"b":[null,1.0],"c":{"d":"x"}}\n'
    assert "none" in CliRunner().invoke(app, ["evaluate", "volume", str(tmp_path)]).stdout.splitlines()[0]
    assert outcome("volume", str(tmp_path), "--require", "a=0") == (
        4,
        "a cannot be told from these folders, so it cannot be held against 0",
    )
    assert outcome("volume", str(tmp_path), "--require", "c.d=0")[0] == 4
    assert outcome("volume", str(tmp_path), "--require", "b.1=nan")[0] == 4
    assert outcome("volume", str(tmp_path), "--require", "b.1=1")[0] == 0


def test_folders_that_cannot_be_judged_are_told_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing, no folder, named twice, or a report that cannot be written ends before the exam is run."""

    def never(exam: str, folders: object) -> dict[str, object]:
        raise AssertionError("it ran")

    monkeypatch.setattr("streams.cli.evaluate._run", never)
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").write_text("x")
    assert outcome("volume", str(tmp_path / "gone"))[1].endswith("gone is missing; an exam takes folders")
    assert outcome("volume", str(tmp_path / "file"))[1].endswith("file is no folder; an exam takes folders")
    assert "are the same folder" in outcome("volume", str(tmp_path), str(tmp_path / "link"))[1]
    assert outcome("volume", str(tmp_path), "--report", str(tmp_path / "no" / "out.html"))[0] == 4


@pytest.mark.parametrize("exam", ["lead", "volume", "budget", "cascades", "rumour", "sentiment", "brands", "desk"])
def test_an_empty_folder_is_a_sentence_for_each_exam(tmp_path: Path, exam: str) -> None:
    """Each exam says of a folder with nothing in it what is missing, with exit code 4."""
    code, words = outcome(exam, str(tmp_path))
    assert code == 4
    assert str(tmp_path) in words or "no folder holds" in words


def test_an_interrupt_ends_with_130(tmp_path: Path) -> None:
    """Who breaks an exam off gets 130, no traceback, and nothing on stdout."""
    place = tmp_path / "made"
    place.mkdir()
    (place / "windows.json").write_text("{}")
    lines = [f"2015-03-{1 + row // 288:02} {row // 12 % 24:02}:{row % 12 * 5:02}:00,{row % 9}" for row in range(30 * 288)]
    for number in range(40):
        (place / f"{number}.csv").write_text("timestamp,value\n" + "\n".join(lines))
    command = [sys.executable, "-m", "streams.cli.main", "evaluate", "volume", str(place), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert b"windows.json does not name it" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in errors
