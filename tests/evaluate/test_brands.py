"""The exam of brand matching."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streams.evaluate.brands import evaluate_brands, labels

_DATA = Path(os.environ.get("VEILLE_DATA", "../shared/data"))


def test_labels_are_ids_and_decisions_alone() -> None:
    """The shipped sample holds no text, and each of its watchlists is among the examples."""
    found = labels()
    assert len(found) > 150
    assert all(len(label.identity) <= 20 for label in found)
    assert {label.watchlist for label in found} <= {path.stem for path in Path("examples").glob("*.yaml")}


@pytest.mark.skipif(not (_DATA / "free_mobile_fr").exists(), reason="the public data sets are not there")
def test_brands_are_matched_as_a_reader_would() -> None:
    """Precision and recall on the labelled sample stay above nine in ten."""
    result = evaluate_brands(_DATA)
    assert result["all"]["n"] == len(labels())
    assert result["all"]["precision"] > 0.9
    assert result["all"]["recall"] > 0.9
