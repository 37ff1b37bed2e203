"""The exam ``rumour``: is a claim in doubt, judged from its first reactions in the order of time.

There are two classes: *in doubt* (unverified, or turned out false: nobody can know that from reactions, so both are one) and
*not in doubt* (confirmed, or no rumour at all). The size of a cascade is not looked at: in some data sets it leaks the class.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from streams.claims import in_doubt
from streams.enrich.features import TextReader
from streams.enrich.fold import clean, fold
from streams.errors import BadInput
from streams.evaluate.cascades_data import read_cascades
from streams.evaluate.resample import Ints, auc, bootstrap
from streams.evaluate.sentiment import calibration_error, macro_f1

REACTIONS: Final = (1, 5, 20)
#: RumourEval 2017: 0 true, 1 false, 2 unverified.
_THREAD_LABELS: Final = {"0": False, "1": True, "2": True}
_CASCADE_LABELS: Final = {
    "rumor": True, "nonrumor": False, "true": False, "false": True, "unverified": True, "non-rumor": False,
}  # fmt: skip


class Claim(NamedTuple):
    """One claim: its texts (the root's first, then reactions by time), their language where it is known, and the truth."""

    name: str
    folder: str
    texts: tuple[str, ...]
    language: str | None
    doubted: bool


def read_claims(folders: Sequence[str | Path]) -> list[Claim]:
    """Read threads (``posts.json``, ``structures.json``, ``thread_id.txt``, ``thread_label.txt``) or cascades with texts."""
    found: list[Claim] = []
    for folder in map(Path, folders):
        if (folder / "posts.json").exists():
            found += _threads(folder)
        elif (folder / "reposts.csv.gz").exists():
            for cascade in read_cascades([folder], texts=True):
                if cascade.label not in _CASCADE_LABELS:
                    raise BadInput(f"{folder}: the label {cascade.label!r} of {cascade.name} is not known")
                texts = (cascade.text, *cascade.texts)
                found.append(Claim(cascade.name, folder.name, texts, "zh", _CASCADE_LABELS[cascade.label]))
        else:
            raise BadInput(f"{folder}: neither posts.json (threads) nor reposts.csv.gz (cascades with texts) is there")
    if not found:
        raise BadInput("no claim in the folders given")
    return found


def _threads(folder: Path) -> Iterator[Claim]:
    try:
        posts = json.loads((folder / "posts.json").read_text(encoding="utf-8"))
        structures = json.loads((folder / "structures.json").read_text(encoding="utf-8"))
        names = (folder / "thread_id.txt").read_text(encoding="utf-8").split()
        labels = (folder / "thread_label.txt").read_text(encoding="utf-8").split()
        for name, label in zip(names, labels, strict=True):
            inner = [post for post in _below(structures[name]) if post != name and post in posts]
            inner.sort(key=lambda post: (float(posts[post]["time"]), post))
            texts = tuple(str(posts[post]["text"]) for post in (name, *inner))
            yield Claim(name, folder.name, texts, None, _THREAD_LABELS[label])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{folder}: not in the format of threads ({type(error).__name__}: {error})") from None


def _below(tree: Any) -> Iterator[str]:
    for name, inner in tree.items() if isinstance(tree, dict) else ():
        yield str(name)
        yield from _below(inner)


def heard(claim: Claim, reader: TextReader, counts: Sequence[int] = REACTIONS) -> dict[int, Counter[str]]:
    """Return the cues counted over the root and the first reactions, for each of ``counts`` that the claim has."""
    total: Counter[str] = Counter()
    found: dict[int, Counter[str]] = {}
    for place, text in enumerate(claim.texts[: max(counts) + 1]):
        plain = clean(text)
        total.update(reader.read(plain, fold(plain), claim.language, ())[2])
        if place in counts:
            found[place] = total.copy()
    return found


def evaluate_rumour(folders: Sequence[str | Path]) -> dict[str, Any]:
    """Return the object ``rumour``; figures are 90 % bootstrap over claims. ``base`` is the share that is in doubt."""
    claims = read_claims(folders)
    reader = TextReader()
    rows: dict[int, list[tuple[float, bool]]] = {count: [] for count in REACTIONS}
    for claim in claims:
        for count, cues in heard(claim, reader).items():
            rows[count].append((in_doubt(cues, count + 1), claim.doubted))
    return {"claims": len(claims), "reactions": {str(count): _figures(rows[count]) for count in REACTIONS if rows[count]}}


def _figures(rows: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    chance = np.array([row[0] for row in rows])
    truth = np.array([row[1] for row in rows])
    labels = truth.astype(np.int64)
    guesses = (chance >= 0.5).astype(np.int64)
    both = np.stack([1.0 - chance, chance], axis=1)

    def f1(draw: Ints) -> float:
        return macro_f1(labels[draw], guesses[draw])

    def gap(draw: Ints) -> float:
        return calibration_error(labels[draw], both[draw])

    everything = np.arange(len(rows))
    result: dict[str, Any] = {"n": len(rows), "base": round(float(truth.mean()), 4), "auc": round(auc(chance, truth), 4)}
    for name, figure in (("macro_f1", f1), ("calibration_error", gap)):
        low, high = bootstrap(len(rows), figure)
        result |= {name: round(figure(everything), 4), f"{name}_low": round(low, 4), f"{name}_high": round(high, 4)}
    return result
