"""Scores that other detectors published for the same series (``published_anomaly_scores/NAME/NAME_SERIES.csv.gz``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from streams.errors import BadInput
from streams.evaluate.folders import Say, read_json, silent
from streams.evaluate.nab import Series, Weights, normalised
from streams.evaluate.resample import Ints, bootstrap
from streams.sources.dates import parse_time
from streams.sources.tables import Table


def published_alarms(folders: Sequence[str | Path], series: Sequence[Series], say: Say = silent) -> dict[str, list[list[int]]]:
    """Return each detector's alarms (row numbers) on every series, at the threshold that was published as its best; chosen with the labels.

    Detectors that lack a series, or whose scores are of other rows, are left out; ``say`` is told.
    """
    found: dict[str, list[list[int]]] = {}
    for name in sorted({name for one in series for name in _thresholds(one.folder)}):
        mine = [_alarms(name, one) for one in series]
        if any(rows is None for rows in mine):
            lacking = next(one.name for one, rows in zip(series, mine, strict=True) if rows is None)
            say(f"{name} is left out: it has no published scores for the rows of {lacking}")
            continue
        found[name] = [rows for rows in mine if rows is not None]
    return found


def _thresholds(folder: str) -> dict[str, float]:
    path = Path(folder) / "published_anomaly_scores" / "thresholds.json"
    if not path.exists():
        return {}
    try:
        return {str(name): float(row["standard"]["threshold"]) for name, row in read_json(path).items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadInput(f"{path} needs {{detector: {{standard: {{threshold: number}}}}}}") from None


def _alarms(name: str, series: Series) -> list[int] | None:
    """Return the rows of a series at which a detector's score reaches its threshold; None where it has no score of these rows."""
    least = _thresholds(series.folder).get(name)
    base = Path(series.folder) / "published_anomaly_scores" / name / f"{name}_{series.name}.csv"
    path = next((path for path in (base.with_name(f"{base.name}.gz"), base) if path.exists()), None)
    if least is None or path is None:
        return None
    table = Table(path, ("timestamp", "anomaly_score"))
    scored = sorted((parse_time(row["timestamp"]) or 0, table.number(row, "anomaly_score")) for row in table)
    if [ms for ms, _ in scored] != series.times_ms:
        return None
    return [row for row, (_, score) in enumerate(scored) if score >= least]


def compare(series: Sequence[Series], alarms: Sequence[list[int]], others: dict[str, list[list[int]]], weights: Weights) -> dict[str, Any]:
    """Return each detector's score and how far ours lies above it, with a 90 % interval over series drawn in pairs."""
    ours = normalised(series, alarms, weights)
    result: dict[str, Any] = {}
    for name, theirs in others.items():

        def difference(draw: Ints, theirs: list[list[int]] = theirs) -> float:
            picked = [series[i] for i in draw]
            return normalised(picked, [alarms[i] for i in draw], weights) - normalised(picked, [theirs[i] for i in draw], weights)

        low, high = bootstrap(len(series), difference)
        score = normalised(series, theirs, weights)
        row = {"standard": score, "difference": ours - score, "difference_low": low, "difference_high": high}
        result[name] = {key: float(np.round(value, 2)) for key, value in row.items()}
    return result
