"""The exam ``rumour``: is a claim in doubt, judged from its first reactions in the order of time.

There are two classes: *in doubt* (unverified, or turned out false: nobody can know that from reactions, so both are one) and
*not in doubt* (confirmed, or no rumour at all). The size of a cascade is not looked at: in some data sets it leaks the class.
"""

from __future__ import annotations

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
from streams.evaluate.folders import Say, read_json, read_text, silent
from streams.evaluate.resample import Ints, auc, bootstrap
from streams.evaluate.sentiment import calibration_error, macro_f1
from streams.sources.dates import parse_time

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


def read_claims(folders: Sequence[str | Path], say: Say = silent) -> list[Claim]:
    """Read threads (``posts.json``, ``structures.json``, ``thread_id.txt``, ``thread_label.txt``) or cascades with texts.

    Raises `BadInput` where something cannot be used; ``say`` is told what is left out.
    """
    found: list[Claim] = []
    for folder in map(Path, folders):
        if (folder / "posts.json").exists():
            found += _threads(folder, say)
        elif any((folder / name).exists() for name in ("reposts.csv", "reposts.csv.gz")):
            for cascade in read_cascades([folder], texts=True, say=say):
                if cascade.label not in _CASCADE_LABELS:
                    raise BadInput(f"{folder}: the label {cascade.label!r} of {cascade.name} is none of {', '.join(_CASCADE_LABELS)}")
                texts = (cascade.text, *cascade.texts)
                found.append(Claim(cascade.name, folder.name, texts, "zh", _CASCADE_LABELS[cascade.label]))
        else:
            raise BadInput(f"{folder}: neither posts.json (threads) nor reposts.csv (cascades with texts) is there")
    if not found:
        raise BadInput("no claim in the folders given")
    return found


def _threads(folder: Path, say: Say) -> Iterator[Claim]:
    posts, structures = read_json(folder / "posts.json"), read_json(folder / "structures.json")
    if not isinstance(posts, dict) or not isinstance(structures, dict):
        raise BadInput(f"{folder}: posts.json and structures.json must be objects by id")
    names, labels = read_text(folder / "thread_id.txt").split(), read_text(folder / "thread_label.txt").split()
    if len(names) != len(labels):
        raise BadInput(f"{folder}: thread_id.txt names {len(names)} threads, thread_label.txt holds {len(labels)} labels")
    lost = 0
    seen: set[str] = set()
    for number, (name, label) in enumerate(zip(names, labels, strict=True), 1):
        if label not in _THREAD_LABELS:
            raise BadInput(f"{folder}/thread_label.txt, label {number}: a label is 0 (true), 1 (false) or 2 (unverified)")
        if name in seen:
            raise BadInput(f"{folder}/thread_id.txt, thread {number}: it stands above already")
        seen.add(name)
        if name not in structures or name not in posts:
            raise BadInput(f"{folder}: {'structures.json' if name in posts else 'posts.json'} lacks thread {number} of thread_id.txt")
        below = [post for post in dict.fromkeys(_below(structures[name])) if post != name]
        inner = sorted((_time(posts[post], folder), post) for post in below if post in posts)
        lost += len(below) - len(inner)
        texts = tuple(_text(posts[post], folder) for post in (name, *(post for _, post in inner)))
        yield Claim(name, folder.name, texts, None, _THREAD_LABELS[label])
    if lost:
        say(f"{folder}: {lost} replies of structures.json have no text in posts.json and are left out")


def _time(post: Any, folder: Path) -> int:
    ms = parse_time(post.get("time")) if isinstance(post, dict) else None
    if ms is None:
        raise BadInput(f"{folder}/posts.json: a post needs a time, in seconds since 1970 or as a date")
    return ms


def _text(post: Any, folder: Path) -> str:
    if not isinstance(post, dict) or not isinstance(post.get("text"), str):
        raise BadInput(f"{folder}/posts.json: a post needs a text")
    return str(post["text"])


def _below(tree: Any) -> Iterator[str]:
    waiting = [tree]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            yield from map(str, inner)
            waiting += inner.values()


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


def evaluate_rumour(folders: Sequence[str | Path], *, say: Say = silent) -> dict[str, Any]:
    """Return the object ``rumour``; figures are 90 % bootstrap over claims. ``base`` is the share that is in doubt.

    Where no claim has so many reactions, ``n`` is 0 and the figures are nan.
    """
    claims = read_claims(folders, say)
    say(f"{len(claims)} claims are read through")
    reader = TextReader()
    rows: dict[int, list[tuple[float, bool]]] = {count: [] for count in REACTIONS}
    for claim in claims:
        for count, cues in heard(claim, reader).items():
            rows[count].append((in_doubt(cues, count + 1), claim.doubted))
    return {"claims": len(claims), "reactions": {str(count): _figures(rows[count]) for count in REACTIONS}}


def _figures(rows: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    chance = np.array([row[0] for row in rows], dtype=np.float64)
    truth = np.array([row[1] for row in rows], dtype=np.bool_)
    labels = truth.astype(np.int64)
    guesses = (chance >= 0.5).astype(np.int64)
    both = np.stack([1.0 - chance, chance], axis=1)

    def f1(draw: Ints) -> float:
        return macro_f1(labels[draw], guesses[draw])

    def gap(draw: Ints) -> float:
        return calibration_error(labels[draw], both[draw])

    everything = np.arange(len(rows))
    base = float(truth.mean()) if len(rows) else float("nan")
    result: dict[str, Any] = {"n": len(rows), "base": round(base, 4), "auc": round(auc(chance, truth), 4)}
    for name, figure in (("macro_f1", f1), ("calibration_error", gap)):
        low, high = bootstrap(len(rows), figure)
        result |= {
            name: round(figure(everything) if len(rows) else float("nan"), 4),
            f"{name}_low": round(low, 4),
            f"{name}_high": round(high, 4),
        }
    return result
