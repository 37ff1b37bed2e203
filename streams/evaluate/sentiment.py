"""The sentiment exam: the shipped polarity model on labelled folders, one folder a language."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.enrich.features import TextReader
from streams.enrich.fold import clean, fold
from streams.enrich.polarity import Polarity
from streams.errors import BadInput
from streams.evaluate.folders import Say, silent
from streams.evaluate.polarity_data import FOLDERS, Example, fingerprints, read_split
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
#: Texts that tell the language of a folder whose name does not.
_LOOKED_AT = 500
#: From this share of texts on that the model learned from, the figures are said to be no test.
_SEEN = 0.05
_CODE = re.compile(r"[a-z]{2}([-_][a-z]{2})?")
_LETTERS = re.compile(r"[a-z]+")


def _by_class(labels: Ints, guesses: Ints) -> tuple[Floats, Floats]:
    """Return F1 (0 to 1) of each class that occurs among labels or guesses, and recall of each that occurs among the labels."""
    table = np.bincount(labels * 3 + guesses, minlength=9).reshape(3, 3)
    hits, real, said = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    return (2 * hits / np.maximum(real + said, 1))[real + said > 0], (hits / np.maximum(real, 1))[real > 0]


def macro_f1(labels: Ints, guesses: Ints) -> float:
    """Return the mean F1 of the classes that occur or are guessed, as scikit-learn reckons it, 0 to 100; 0 for no texts."""
    return 100 * float(_by_class(labels, guesses)[0].mean()) if len(labels) else 0.0


def macro_recall(labels: Ints, guesses: Ints) -> float:
    """Return the mean recall of the classes that occur (scikit-learn's balanced accuracy), 0 to 100; 0 for no texts."""
    return 100 * float(_by_class(labels, guesses)[1].mean()) if len(labels) else 0.0


def calibration_error(labels: Ints, probabilities: Floats) -> float:
    """Return the expected calibration error of the best label (0 to 1), over ten equal bins of its probability."""
    best = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((best * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, weights=best - right, minlength=_BINS)
    return float(np.abs(gaps).sum() / max(len(labels), 1))


def measure(model: Polarity, texts: list[str], labels: Ints, lang: str) -> dict[str, float | None]:
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
    found: dict[str, float | None] = {}
    for place, (name, value) in enumerate(figures.items()):
        found[name] = six(value)
        # One text cannot tell how far a figure may be off.
        bounds = (six(float(low[place])), six(float(high[place]))) if len(labels) > 1 else (None, None)
        found[f"{name}_low"], found[f"{name}_high"] = bounds
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


def _language(folder: Path, texts: Sequence[str], say: Say) -> str:
    """Return the language of a folder: what its name says, or else what most of its texts are in."""
    name = folder.resolve().name.lower()
    if name in FOLDERS or _CODE.fullmatch(name):
        return FOLDERS.get(name, name[:2])
    said = {FOLDERS[word] for word in _LETTERS.findall(name) if word in FOLDERS}
    if len(said) == 1:
        return said.pop()
    reader = TextReader()
    plain = [clean(text) for text in texts[:_LOOKED_AT]]
    found = Counter(reader.read(text, fold(text), None, ())[0] for text in plain)
    language = max(sorted(found), key=found.__getitem__)
    say(f"{folder}: no language in its name; most of its texts are in {language or 'no known language'}")
    return language


def evaluate_sentiment(dirs: Sequence[Path], *, say: Say = silent) -> dict[str, Any]:
    """Return the ``sentiment`` object of the contract: ``languages``, folder name to figures, and the model's ``version``.

    Each of ``dirs`` is a folder of one language or of such folders; folders of one name are pooled. ``test`` is measured where it
    is there, else ``val``. The language is the folder's name (English name or ISO 639-1 code), a language's name within it, or else what
    most texts are in. ``skipped`` names folders of languages that the model does not know: it abstains on all their texts. Raises
    BadInput where nothing can be measured.
    """
    model = Polarity.load()
    pooled: dict[str, list[tuple[list[Example], str, str]]] = {}
    skipped: dict[str, str] = {}
    missing = [folder.name for folder in dirs if not folder.is_dir()]
    if missing:
        raise BadInput(f"{missing[0]} is not a folder")
    for inner in (inner for folder in dirs for inner in _language_folders(folder)):
        split = "test" if (inner / "test_text.txt").is_file() else "val"
        name, examples = inner.resolve().name, read_split(inner, split)
        if not examples:
            say(f"{inner}/{split}_text.txt is empty and left out")
            continue
        lang = _language(inner, [example.text for example in examples], say)
        if lang not in model.languages:
            say(f"{inner} is left out: the model knows {', '.join(sorted(model.languages))} only, and abstains on all else")
            skipped[name] = lang
            continue
        pooled.setdefault(name, []).append((examples, lang, split))
    if not pooled:
        raise BadInput(
            "no folder holds val_text.txt or test_text.txt, with texts in it, of a language that the model knows: "
            + ", ".join(sorted(model.languages))
        )
    languages: dict[str, Any] = {}
    for name, parts in sorted(pooled.items()):
        if len({(lang, split) for _, lang, split in parts}) > 1:
            raise BadInput(f"folders called {name} are of several languages, or of test and val; score them one by one")
        lang, split = parts[0][1:]
        examples = [example for part in parts for example in part[0]]
        labels = np.array([example.label for example in examples], dtype=np.int64)
        say(f"{name}: {len(examples)} texts of {split}, language {lang}")
        figures = measure(model, [example.text for example in examples], labels, lang)
        if (seen := figures["seen_share"] or 0.0) > _SEEN:
            say(f"{name}: the model learned from {seen:.0%} of these texts, so the figures are no test")
        languages[name] = {**figures, "split": split, "language": lang}
    return {"languages": languages, "version": model.version, "skipped": skipped}
