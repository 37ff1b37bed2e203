"""Learn what a number means: ``python -m streams.evaluate.chance_train FOLDER... --out streams/detect/data/chance.json``.

A logistic regression of "planted crisis" against "decoy" on the greatest number of what rang, at its opening and 15 minutes, 1 and 6
hours later; both classes weigh the same, a slope below 0 becomes 0; no randomness. The figure that is printed leaves a brand out.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from schemas.cloudevents import type_of
from schemas.signal import Signal
from streams.backtest.run import backtest
from streams.detect.chance import Map
from streams.errors import BadInput
from streams.evaluate.lead_data import Folder, read_folder
from streams.evaluate.resample import auc
from streams.settings import Settings
from streams.sources.plan import plan

HOUR_MS = 3_600_000
#: When a ring is looked at, ms after its first step over the threshold; and how long nothing may be over within one ring.
MOMENTS = (0, HOUR_MS // 4, HOUR_MS, 6 * HOUR_MS)
APART_MS = 12 * HOUR_MS
ROUNDS = 40
_signal = msgspec.json.Decoder(Signal)

#: (brand, whether a crisis was planted there, greatest number so far).
Row = tuple[str, bool, float]


def rings(folder: Folder, settings: Settings) -> Iterator[tuple[str, list[tuple[int, float]]]]:
    """Yield (brand, its readings over the threshold as (ms, number)) for each time something rang."""
    raw = plan(folder.rows, settings.partitions, grid_seconds=settings.detect.grid_seconds)
    found: dict[str, list[tuple[int, float]]] = {}
    arrival_ms = folder.rows[-1][0] + 4 * 24 * HOUR_MS
    for _, record in backtest(raw, folder.watchlist, settings, timestamp_ms=arrival_ms, topics=frozenset({"brand.signals"})):
        if type_of(record.headers) != b"veille.signal":
            continue
        signal = _signal.decode(record.value or b"")
        if signal.kind != "reading" or not signal.over:
            continue
        mine = found.setdefault(signal.brand, [])
        if mine and signal.at_ms - mine[-1][0] > APART_MS:
            yield signal.brand, mine
            mine = found[signal.brand] = []
        mine.append((signal.at_ms, signal.score))
    yield from found.items()


def rows_of(folder: Folder, settings: Settings) -> list[Row]:
    """Return what is known of each ring of a folder; what rang for nothing that was planted counts as a decoy."""
    rows = []
    for brand, readings in rings(folder, settings):
        began = readings[0][0]
        crisis = any(e.crisis and e.brand == brand and e.times[0] <= began <= e.times[-1] + APART_MS for e in folder.planted)
        for moment in MOMENTS:
            rows.append((brand, crisis, max(number for at, number in readings if at <= began + moment)))
    return rows


def fit(rows: Sequence[Row]) -> Map:
    """Learn the map by Newton's method. Raises `BadInput` where only crises or only decoys rang."""
    truth = np.array([crisis for _, crisis, _ in rows], dtype=np.float64)
    if not 0.0 < truth.mean() < 1.0:
        raise BadInput("both planted crises and decoys must ring in these folders")
    weight = np.where(truth > 0.0, 0.5 / truth.mean(), 0.5 / (1.0 - truth.mean())) / len(truth)
    x = np.array([(1.0, number) for _, _, number in rows])
    beta = np.zeros(2)
    for _ in range(ROUNDS):
        p = 1.0 / (1.0 + np.exp(-x @ beta))
        curve = (x * (weight * p * (1.0 - p))[:, None]).T @ x + 1e-6 * np.eye(2)
        beta += np.linalg.solve(curve, x.T @ (weight * (truth - p)))
    if beta[1] < 0.0:
        beta = np.zeros(2)
    offset, slope = (float(f"{value:.5g}") for value in beta)
    return Map(offset, slope, len(rows) // len(MOMENTS))


def left_out(rows: Sequence[Row]) -> str:
    """Return, in words, how well brands are told that the map was not fitted on."""
    pairs = []
    for brand in sorted({name for name, _, _ in rows}):
        rest = [row for row in rows if row[0] != brand]
        if len({crisis for _, crisis, _ in rest}) == 2:
            known = fit(rest)
            pairs += [(1.0 / (1.0 + math.exp(-known.offset - known.slope * row[2])), row[1]) for row in rows if row[0] == brand]
    if len({crisis for _, crisis in pairs}) < 2:
        return "too few brands to leave one out"
    said, truth = np.array([p for p, _ in pairs]), np.array([crisis for _, crisis in pairs])
    return f"a brand left out: AUC {auc(said, truth):.2f}, said {said[truth].mean():.2f} of crises and {said[~truth].mean():.2f} of decoys"


def main(arguments: Sequence[str] | None = None) -> int:
    """Learn, say what the map is worth, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", help="folders of veille simulate --into")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    given = parser.parse_args(arguments)
    settings = Settings()
    rows = [row for folder in given.folders for row in rows_of(read_folder(folder), settings)]
    made = fit(rows)
    print(left_out(rows))
    given.out.write_text(json.dumps(msgspec.to_builtins(made)) + "\n", encoding="utf-8")
    print(f"{given.out}: log-odds {made.offset:g} + {made.slope:g} x number, from {made.rings} rings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
