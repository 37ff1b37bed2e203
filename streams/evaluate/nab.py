"""Series of counts with labelled windows, and the NAB score (Lavin and Ahmad 2015, "Evaluating real-time anomaly detection")."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from streams.errors import BadInput


class Series(NamedTuple):
    """Counts per step. ``windows`` are (first, last) row numbers of labelled windows, both inclusive."""

    name: str
    times_ms: list[int]
    counts: list[float]
    windows: list[tuple[int, int]]


class Weights(NamedTuple):
    """One scoring profile."""

    hit: float
    miss: float
    false_alarm: float


def _ms(text: str) -> int:
    moment = datetime.fromisoformat(text.strip())
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def read_series(folders: Sequence[str | Path]) -> list[Series]:
    """Read every ``*.csv`` (``timestamp,value``) of the folders with their ``windows.json``, by name."""
    found: list[Series] = []
    for folder in map(Path, folders):
        try:
            labels = {Path(name).name: spans for name, spans in json.loads((folder / "windows.json").read_text()).items()}
            for path in sorted(folder.glob("*.csv")):
                with path.open(newline="") as file:
                    rows = [(_ms(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
                times = [time for time, _ in rows]
                windows = []
                for start, end in labels.get(path.name, []):
                    inside = [i for i, time in enumerate(times) if _ms(start) <= time <= _ms(end)]
                    if inside:
                        windows.append((inside[0], inside[-1]))
                found.append(Series(path.stem, times, [value for _, value in rows], windows))
        except (OSError, KeyError, ValueError) as error:
            raise BadInput(f"{folder}: no counts with windows.json to read ({type(error).__name__})") from error
    if not found:
        raise BadInput("no *.csv with counts in the folders given")
    return found


def read_profiles(folders: Sequence[str | Path]) -> dict[str, Weights]:
    """Read ``profiles.json`` of the first folder that has one; NAB's own values otherwise."""
    for folder in map(Path, folders):
        path = folder / "profiles.json"
        if path.exists():
            matrices = {name: profile["CostMatrix"] for name, profile in json.loads(path.read_text()).items()}
            return {name: Weights(m["tpWeight"], m["fnWeight"], m["fpWeight"]) for name, m in matrices.items()}
    return {
        "standard": Weights(1.0, 1.0, 0.11),
        "reward_low_FP_rate": Weights(1.0, 1.0, 0.22),
        "reward_low_FN_rate": Weights(1.0, 2.0, 0.11),
    }


def probation(series: Series) -> int:
    """Return the number of first rows that are not judged: 15 %, at most 750."""
    return min(round(0.15 * len(series.counts)), 750)


def _sigmoid(position: float) -> float:
    return -1.0 if position > 3.0 else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def raw_score(series: Series, alarms: Sequence[int], weights: Weights) -> float:
    """Return NAB's unnormalised score of alarms at these row numbers.

    The first alarm of a window counts by how early it is, a window without one costs ``miss``, an alarm outside up to
    ``false_alarm``, less just after a window.
    """
    start, total = probation(series), 0.0
    windows = [window for window in series.windows if window[1] >= start]
    alarms = [alarm for alarm in alarms if alarm >= start]
    for first, last in windows:
        inside = [alarm for alarm in alarms if first <= alarm <= last]
        if inside:
            width = last - first + 1
            total += weights.hit * _sigmoid(-(last - inside[0] + 1) / width) / _sigmoid(-1.0)
        else:
            total -= weights.miss
    for alarm in alarms:
        if any(first <= alarm <= last for first, last in windows):
            continue
        before = [window for window in windows if window[1] < alarm]
        if before:
            first, last = before[-1]
            total += weights.false_alarm * _sigmoid((alarm - last) / max(1, last - first))
        else:
            total -= weights.false_alarm
    return total


def normalised(series: Sequence[Series], alarms: Sequence[Sequence[int]], weights: Weights) -> float:
    """Return the NAB score over several series: 0 for a silent detector, 100 for a perfect one."""
    windows = sum(window[1] >= probation(one) for one in series for window in one.windows)
    raw = math.fsum(raw_score(one, rang, weights) for one, rang in zip(series, alarms, strict=True))
    worst, best = -weights.miss * windows, weights.hit * windows
    return 100.0 * (raw - worst) / (best - worst) if windows else 0.0


def false_alarms(series: Series, alarms: Sequence[int]) -> int:
    """Return how many alarms after probation lie outside every window."""
    start = probation(series)
    return sum(alarm >= start and not any(first <= alarm <= last for first, last in series.windows) for alarm in alarms)


def hits(series: Series, alarms: Sequence[int]) -> list[bool]:
    """Return for each judged window whether an alarm lies in it."""
    start = probation(series)
    return [
        any(max(first, start) <= alarm <= last for alarm in alarms) for first, last in series.windows if last >= start
    ]  # fmt: skip


def judged_days(series: Series) -> float:
    """Return the days outside windows and probation: what false alarms are counted over."""
    start = probation(series)
    step = (series.times_ms[-1] - series.times_ms[0]) / max(1, len(series.times_ms) - 1)
    inside = sum(max(0, last - max(first, start) + 1) for first, last in series.windows)
    return max(1e-9, (len(series.counts) - start - inside) * step / 86_400_000)
