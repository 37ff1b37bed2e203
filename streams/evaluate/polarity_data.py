"""What the polarity model is trained on: labelled texts of a data folder, and open lexicons out of installed packages."""

from __future__ import annotations

import csv
import importlib.util
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xxhash
from numpy.typing import NDArray

from streams.errors import BadInput

#: Folder names of UMSAB and the languages they mean (ISO 639-1).
FOLDERS = {
    "arabic": "ar", "english": "en", "french": "fr", "german": "de", "hindi": "hi", "italian": "it", "portuguese": "pt", "spanish": "es",
}  # fmt: skip

#: What a label may be called, in lower case.
LABEL_NAMES = {"0": 0, "1": 1, "2": 2, "negative": 0, "neutral": 1, "positive": 2}

#: Weight of a text of each further English source beside one of UMSAB, small enough that cross-validation stays as it is without them.
SOURCE_WEIGHTS = {"tweeteval": 1.0, "sanders": 0.1, "sentiment140": 0.5}

_NOT_LETTERS = re.compile(r"\\u[0-9a-fA-F]{4}|http\S*|@\S+|\W+")


@dataclass(frozen=True)
class Example:
    """A text with its label (0 negative, 1 neutral, 2 positive) and what it counts in training."""

    text: str
    label: int
    weight: float = 1.0


def sameness(text: str) -> str:
    """Return what two copies of a text share, whatever was escaped or replaced in either."""
    return _NOT_LETTERS.sub("", text).lower()[:80]


def fingerprints(texts: Iterable[str]) -> NDArray[np.uint32]:
    """Return 32 bits of each text that copies of it share."""
    return np.array([xxhash.xxh3_64_intdigest(sameness(text).encode("utf-8", "replace")) & 0xFFFFFFFF for text in texts], dtype=np.uint32)


def read_split(folder: Path, split: str) -> list[Example]:
    """Read ``<split>_text.txt`` and ``<split>_labels.txt`` of a folder: a text and a label a line.

    A label is 0, 1 or 2, or negative, neutral or positive in any case. Raises BadInput, with file and line, where they cannot be read.
    """
    texts, rows = _lines(folder, f"{split}_text.txt")
    name = f"{split}_labels.txt"
    lines, _ = _lines(folder, name)
    labels = []
    for number, line in enumerate(lines, 1):
        label = LABEL_NAMES.get(line.strip().lower())
        if label is None:
            raise BadInput(f"{folder.name}/{name}, line {number}: a label is 0, 1 or 2, or negative, neutral or positive")
        labels.append(label)
    # Either file may end in empty lines: a text may be empty, a label may not.
    if any(texts[len(labels) :]) or rows < len(labels):
        raise BadInput(f"{folder.name}/{name} ends at line {len(labels)}, {split}_text.txt at line {len(texts)}")
    texts += [""] * (len(labels) - len(texts))
    return [Example(text, label) for text, label in zip(texts, labels, strict=False)]


def _lines(folder: Path, name: str) -> tuple[list[str], int]:
    """Return the lines of a file without the empty ones at its end, and how many there are with them; it must be UTF-8."""
    try:
        data = (folder / name).read_bytes()
    except FileNotFoundError:
        raise BadInput(f"{folder.name}/{name} is missing") from None
    except OSError as failure:
        raise BadInput(f"{folder.name}/{name} cannot be read: {failure.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + 1
        raise BadInput(f"{folder.name}/{name}, line {line}: not UTF-8") from None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    rows = len(lines)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines, rows


def umsab(data: Path) -> dict[str, list[Example]]:
    """Return train and val of each language of UMSAB."""
    root = data / "sentiment_umsab"
    return {FOLDERS[name]: read_split(root / name, "train") + read_split(root / name, "val") for name in sorted(FOLDERS)}


def further_english(data: Path, known: list[Example]) -> list[Example]:
    """Return the labelled English texts of the other sources that are not among ``known``, each once."""
    rows = [(example.text, example.label, "tweeteval") for example in read_split(data / "sentiment_tweeteval_val", "val")]
    with (data / "sentiment_brands" / "sanders_full-corpus.csv").open(encoding="utf-8", newline="") as file:
        rows += [
            (row["TweetText"], LABEL_NAMES[row["Sentiment"]], "sanders") for row in csv.DictReader(file) if row["Sentiment"] in LABEL_NAMES
        ]
    path = data / "sentiment_brands" / "sentiment140_testdata.manual.2009.06.14.csv"
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows += [(row["text"], int(row["polarity"]) // 2, "sentiment140") for row in csv.DictReader(file)]
    seen = {sameness(example.text) for example in known}
    found = []
    for text, label, source in rows:
        key = sameness(text)
        if key not in seen and SOURCE_WEIGHTS[source] > 0:
            seen.add(key)
            found.append(Example(text, label, SOURCE_WEIGHTS[source]))
    return found


def _package_file(package: str, name: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BadInput(f"training needs the lexicon of the package {package}")
    return Path(next(iter(spec.submodule_search_locations))) / name


def _entries(path: Path, mark: str) -> dict[str, float]:
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        parts = line.rsplit(mark, 1) if mark == "->" else line.split(mark)
        try:
            found[parts[0].strip().lower()] = float(parts[1])
        except (IndexError, ValueError):
            continue
    return found


def lexicons() -> dict[str, dict[str, float]]:
    """Return word to valence (-4 to 4) for each language.

    VADER for English and for Hindi, whose texts are half English; its French version; emoji and emoticons for every language.
    Raises BadInput where one of the two packages is not installed.
    """
    english = _entries(_package_file("vaderSentiment", "vader_lexicon.txt"), "\t")
    french = _entries(_package_file("vaderSentiment_fr", "fr_lexicon.txt"), "->")
    signs = {word: value for word, value in english.items() if not any(char.isalnum() for char in word)}
    for line in _package_file("vaderSentiment", "emoji_utf8_lexicon.txt").read_text(encoding="utf-8").splitlines():
        emoji, _, told = line.partition("\t")
        value = sum(english.get(word, 0.0) for word in told.lower().split())
        if value:
            signs[emoji] = max(-4.0, min(4.0, value))
    found = {lang: dict(signs) for lang in sorted(FOLDERS.values())}
    found["en"].update(english)
    found["hi"].update(english)
    found["fr"].update(french)
    return found
