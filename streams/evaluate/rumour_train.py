"""Learn the weights of doubt: ``python -m streams.evaluate.rumour_train --data DIR --out streams/claims.json``.

A logistic regression on shares of cues at 1, 5 and 20 reactions, each set and each class of the same weight, with a ridge penalty;
no randomness. The figures that are printed come from leaving a set out: weights of one set, judged on the other.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from streams.claims import CUES, Doubt, shares
from streams.enrich.features import TextReader
from streams.evaluate.resample import Flags, Floats, auc
from streams.evaluate.rumour import REACTIONS, heard, read_claims
from streams.evaluate.sentiment import macro_f1

SETS = ("rumoureval2017", "weibo_cascades")
PENALTY = 0.001
ROUNDS = 30


def rows_of(folder: Path) -> tuple[Floats, Flags, Floats]:
    """Return shares of cues, truth and reactions: a row for each claim and count of reactions."""
    reader = TextReader()
    found = [
        (shares(cues, count + 1), claim.doubted, count)
        for claim in read_claims([folder])
        for count, cues in heard(claim, reader, REACTIONS).items()
    ]
    return np.array([row[0] for row in found]), np.array([row[1] for row in found]), np.array([float(row[2]) for row in found])


def fit(sets: Sequence[tuple[Floats, Flags, Floats]], names: Sequence[str]) -> Doubt:
    """Learn the weights from rows of several sets, by Newton's method. No cue counts against doubt: a negative weight becomes 0."""
    x = np.vstack([np.hstack([np.ones((len(one), 1)), one]) for one, _, _ in sets])
    y = np.concatenate([truth for _, truth, _ in sets]).astype(np.float64)
    weight = np.concatenate([np.where(truth, 0.5 / truth.mean(), 0.5 / (1 - truth.mean())) / len(truth) for _, truth, _ in sets])
    weight /= weight.sum()
    free = np.ones(x.shape[1], dtype=bool)
    while True:
        beta = np.zeros(x.shape[1])
        for _ in range(ROUNDS):
            p = 1.0 / (1.0 + np.exp(-x @ beta))
            part = x[:, free]
            penalty = PENALTY * np.eye(int(free.sum()))
            penalty[0, 0] = 0.0
            slope = part.T @ (weight * (y - p)) - penalty @ beta[free]
            beta[free] += np.linalg.solve((part * (weight * p * (1 - p))[:, None]).T @ part + penalty, slope)
        wrong = free & (beta < 0.0)
        wrong[0] = False
        if not wrong.any():
            break
        free &= ~wrong
    rounded = [float(f"{value:.5g}") for value in beta]
    return Doubt(1, list(names), rounded[0], rounded[1:])


def judge(known: Doubt, rows: tuple[Floats, Flags, Floats]) -> str:
    """Return AUC and macro-F1 by count of reactions, in words."""
    x, truth, counts = rows
    score = known.intercept + x @ np.array(known.weights)
    words = []
    for count in REACTIONS:
        mine = counts == count
        f1 = macro_f1(truth[mine].astype(np.int64), (score[mine] >= 0.0).astype(np.int64))
        words.append(f"{count}: AUC {auc(score[mine], truth[mine]):.3f}, macro-F1 {f1:.1f}")
    return "; ".join(words)


def main(arguments: Sequence[str] | None = None) -> int:
    """Learn, say what the weights are worth on the set left out, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help=f"folder with {' and '.join(SETS)}")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    given = parser.parse_args(arguments)
    rows = [rows_of(given.data / name) for name in SETS]
    for place, name in enumerate(SETS):
        rest = [other for other in range(len(SETS)) if other != place]
        known = fit([rows[other] for other in rest], [SETS[other] for other in rest])
        print(f"{name}, left out: {judge(known, rows[place])}")
    made = fit(rows, SETS)
    given.out.write_text(json.dumps(msgspec.to_builtins(made), indent=1) + "\n", encoding="utf-8")
    print(f"{given.out}: {', '.join(f'{cue} {value:g}' for cue, value in zip(CUES, made.weights, strict=True))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
