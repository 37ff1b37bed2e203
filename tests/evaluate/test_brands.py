"""The exam of brand matching."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli.main import app
from streams.evaluate.brands import labels

_DATA = Path(os.environ.get("VEILLE_DATA", "../shared/data"))


def test_labels_are_ids_and_decisions_alone() -> None:
    """The shipped sample holds no text, and each of its watchlists is among the examples."""
    found = labels()
    assert len(found) > 150
    assert all(len(label.identity) <= 20 for label in found)
    assert {label.watchlist for label in found} <= {path.stem for path in Path("examples").glob("*.yaml")}


@pytest.mark.skipif(not (_DATA / "free_mobile_fr").exists(), reason="the public data sets are not there")
def test_brands_are_matched_as_a_reader_would() -> None:
    """Precision and recall on the labelled sample stay above nine in ten, as the command prints them."""
    result = json.loads(CliRunner().invoke(app, ["evaluate", "brands", str(_DATA), "--json"]).stdout)
    assert result["all"]["n"] == len(labels())
    assert result["all"]["precision"] > 0.9
    assert result["all"]["recall"] > 0.9
