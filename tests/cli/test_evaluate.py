"""``veille evaluate``."""

from __future__ import annotations

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
