"""The sentiment exam: the shipped polarity model on labelled folders, one folder a language."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.enrich.polarity import Polarity
from streams.errors import BadInput
from streams.evaluate.polarity_data import FOLDERS, fingerprints, read_split
from streams.rounding import six

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 400
SEED = 7
#: Texts a batch when time is measured: about what a worker gets at once.
BATCH = 512
#: Batches that are timed, at least.
_TIMED = 9
_BINS = 10


def _by_class(labels: Ints, guesses: Ints) -> tuple[Floats, Floats]:
    """Return F1 and recall (0 to 1) of each class that occurs among the labels."""
    table = np.bincount(labels * 3 + guesses, minlength=9).reshape(3, 3)
    hits, real, said = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    present = real > 0
    return (2 * hits / np.maximum(real + said, 1))[present], (hits / np.maximum(real, 1))[present]


def macro_f1(labels: Ints, guesses: Ints) -> float:
    """Return the mean F1 of the classes that occur, 0 to 100; 0 for no texts."""
    return 100 * float(_by_class(labels, guesses)[0].mean()) if len(labels) else 0.0


def macro_recall(labels: Ints, guesses: Ints) -> float:
    """Return the mean recall of the classes that occur, 0 to 100; 0 for no texts."""
    return 100 * float(_by_class(labels, guesses)[1].mean()) if len(labels) else 0.0


def calibration_error(labels: Ints, probabilities: Floats) -> float:
    """Return the expected calibration error of the best label (0 to 1), over ten equal bins of its probability."""
    best = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((best * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, weights=best - right, minlength=_BINS)
    return float(np.abs(gaps).sum() / max(len(labels), 1))


def measure(model: Polarity, texts: list[str], labels: Ints, lang: str) -> dict[str, float]:
    """Return the figures of one language.

    F1, recall and calibration judge every text by its likeliest label, those too on which the model abstains; the share of these
    stands beside them as ``abstained``. ``seen_share`` is the share of the texts that the model learned from: where it is not near 0 the
    figures are no test. ``us_per_text`` is the median over batches of the CPU time of ``score``.
    """
    langs = [lang] * len(texts)
    probabilities, doubtful = model.probabilities(texts, langs)
    guesses = probabilities.argmax(axis=1).astype(np.int64)
    random = np.random.default_rng(SEED)
    figures = {
        "macro_f1": macro_f1(labels, guesses),
        "macro_recall": macro_recall(labels, guesses),
        "calibration_error": calibration_error(labels, probabilities),
        "abstained": float(doubtful.mean()),
    }
    draws = []
    for _ in range(DRAWS):
        chosen = random.integers(0, len(labels), len(labels))
        draws.append(
            (
                macro_f1(labels[chosen], guesses[chosen]),
                macro_recall(labels[chosen], guesses[chosen]),
                calibration_error(labels[chosen], probabilities[chosen]),
                float(doubtful[chosen].mean()),
            )
        )
    low, high = np.quantile(np.array(draws), [0.05, 0.95], axis=0)
    found: dict[str, float] = {}
    for place, (name, value) in enumerate(figures.items()):
        found[name] = six(value)
        found[f"{name}_low"], found[f"{name}_high"] = six(float(low[place])), six(float(high[place]))
    seen = float(np.isin(fingerprints(texts), model.trained_on).mean())
    return {**found, "n": len(labels), "seen_share": six(seen), "us_per_text": six(_microseconds(model, texts, lang))}


def _microseconds(model: Polarity, texts: list[str], lang: str) -> float:
    """Return the median CPU time of ``score`` for one text, so that other work on the machine counts for nothing."""
    times = []
    filled = texts * max(1, -(-BATCH // len(texts)))
    starts = range(0, len(filled) - BATCH + 1, BATCH)
    for _ in range(-(-_TIMED // len(starts))):
        for start in starts:
            part = filled[start : start + BATCH]
            before = time.thread_time_ns()
            model.score(part, [lang] * BATCH)
            times.append((time.thread_time_ns() - before) / BATCH / 1000)
    return float(np.median(times))


def _language_folders(folder: Path) -> list[Path]:
    if any((folder / f"{split}_text.txt").is_file() for split in ("val", "test")):
        return [folder]
    return sorted(inner for inner in folder.iterdir() if any((inner / f"{split}_text.txt").is_file() for split in ("val", "test")))


def evaluate_sentiment(dirs: list[Path]) -> dict[str, Any]:
    """Return the ``sentiment`` object of the contract: ``languages``, folder name to figures, and the model's ``version``.

    Each of ``dirs`` is a folder of one language or of such folders. ``test`` is measured where it is there, else ``val``. Folder names
    are English names of languages or their ISO 639-1 codes. Raises BadInput where nothing can be measured.
    """
    model = Polarity.load()
    languages: dict[str, dict[str, Any]] = {}
    for folder in dirs:
        if not folder.is_dir():
            raise BadInput(f"{folder.name} is not a folder")
        for inner in _language_folders(folder):
            lang = FOLDERS.get(inner.name.lower(), inner.name.lower())
            if lang not in model.languages:
                continue
            split = "test" if (inner / "test_text.txt").is_file() else "val"
            examples = read_split(inner, split)
            if examples:
                labels = np.array([example.label for example in examples], dtype=np.int64)
                languages[inner.name] = {**measure(model, [example.text for example in examples], labels, lang), "split": split}
    if not languages:
        raise BadInput("no folder holds val_text.txt or test_text.txt of a language that the model knows")
    return {"languages": dict(sorted(languages.items())), "version": model.version}
