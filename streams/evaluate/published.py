"""Scores that other detectors published for the same series (``published_anomaly_scores/NAME/NAME_SERIES.csv.gz``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from streams.errors import BadInput
from streams.evaluate.nab import Series, Weights, normalised
from streams.evaluate.resample import Ints, bootstrap
from streams.sources.tables import read_rows


def published_alarms(folders: Sequence[str | Path], series: Sequence[Series]) -> dict[str, list[list[int]]]:
    """Return each detector's alarms (row numbers) on every series, at the threshold that was published as its best; chosen with the labels.

    Detectors that lack a series are left out.
    """
    found: dict[str, dict[str, list[int]]] = {}
    for folder in (Path(folder) / "published_anomaly_scores" for folder in folders):
        if not (folder / "thresholds.json").exists():
            continue
        try:
            thresholds = json.loads((folder / "thresholds.json").read_text(encoding="utf-8"))
            for name in sorted(thresholds):
                least = float(thresholds[name]["standard"]["threshold"])
                for path in sorted((folder / name).glob("*.csv.gz")):
                    rows = [row for row, line in enumerate(read_rows(path)) if float(line["anomaly_score"]) >= least]
                    found.setdefault(name, {})[path.name.removeprefix(f"{name}_").removesuffix(".csv.gz")] = rows
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"{folder}: published scores cannot be read ({type(error).__name__}: {error})") from None
    return {name: [mine[one.name] for one in series] for name, mine in found.items() if all(one.name in mine for one in series)}


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
