"""Plants real crises into a brand's real ordinary days, for the exam ``lead``.

Times come from real courses, texts from real complaints with the brand's name swapped in; half of the mentions are
independent posts that share no link and no copy. Texts are dressed in the style (length, links, hashtags, leading handles, emoji)
of the brand's ordinary days: a judge that is told style alone must be near chance, and `style_auc` measures it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson

from schemas.brand import Brand
from streams.clock import rfc3339
from streams.errors import BadInput
from streams.simulate.plant_data import (
    Course,
    boycott_episodes,
    complaint_texts,
    popular_courses,
    praise_texts,
    rumour_courses,
)

_LINK: Final = re.compile(r"https?://\S+")
_ODD: Final = re.compile(r"[\u2600-\u27bf\U0001f000-\U0001faff]")
_LEADING: Final = re.compile(r"^[.“\"]?(?:@\w+[:,]?\s*)+")
Row = tuple[int, bytes, str]


@dataclass
class Plant:
    """One planted event: its mentions as (published ms, JSON object)."""

    name: str
    brand: str
    crisis: bool
    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)


def style(text: str) -> tuple[int, bool, bool, bool, bool]:
    """Return what a text looks like, apart from what it says: length class, and whether it has link, hashtag, handle first, emoji."""
    return (min(len(text) // 50, 4), bool(_LINK.search(text)), "#" in text, text.startswith("@"), bool(_ODD.search(text)))


class Planter:
    """Plants events into ``ordinary`` = (published ms, JSON, id) by time. ``share``: planted mentions over ordinary ones."""

    def __init__(self, ordinary: Sequence[Row], brand: Brand, data: Path, seed: int, share: float = 0.05) -> None:
        if len(ordinary) < 200:
            raise BadInput("planting needs a file with at least 200 ordinary mentions")
        if not 0.001 <= share <= 1:
            raise BadInput("the share of planted mentions lies between 0.001 and 1")
        self._ordinary = ordinary
        self._brand = brand
        self._data = data
        self._rng = Random(f"{seed}/plant/{brand.id}")
        self._models = [model for _, value, _ in ordinary[:: max(1, len(ordinary) // 2000)] if (model := _object(value))]
        if not self._models:
            raise BadInput("none of the ordinary mentions is a JSON object with a text")
        self._size = max(8, round(share * len(ordinary)))
        self._handle = next(iter(next(iter(brand.handles.values()), ())), "") or brand.names[0]
        self._number = 0

    def course(self, *, crisis: bool) -> Plant:
        """Plant a real course: a false story with complaints, or as a decoy a popular post with praise."""
        rng = self._rng
        courses = rumour_courses(self._data, self._size // 2) if crisis else popular_courses(self._data, self._size // 2)
        themes = complaint_texts(self._data) if crisis else praise_texts(self._data)
        course = courses[int(rng.random() * len(courses))]
        theme = sorted(themes)[int(rng.random() * len(themes))]
        delays = self._resampled(course)
        onset = self._onset(delays[-1])
        texts = self._like_ordinary(themes[theme], (len(delays) + 1) // 2)
        plant = Plant(f"{course.name} ({theme})", self._brand.id, crisis)
        free = iter(texts)
        roots: list[dict[str, Any]] = []
        for position, delay in enumerate(delays):
            text = next(free, "") if position % 2 == 0 else ""
            row = self._row(onset + delay, text) if text else self._reaction(onset + delay, roots)
            if text:
                roots.append(row)
            plant.rows.append((onset + delay, row))
        return plant

    def episode(self, number: int) -> Plant:
        """Plant a real boycott episode with its own times and texts; ``number`` counts the episodes of the data folder."""
        episodes = boycott_episodes(self._data)
        if number >= len(episodes):
            raise BadInput(f"there is no episode {number}: the data folder holds {len(episodes)}, from 0 on")
        episode = episodes[number]
        onset = self._onset(episode.mentions[-1][0])
        plant = Plant(episode.name, self._brand.id, True)
        last = self._ordinary[-1][0]
        for delay, text in episode.mentions:
            ms = (onset + delay) // 1000 * 1000
            if ms <= last:
                plant.rows.append((ms, self._row(ms, self._swapped(text))))
        return plant

    def _resampled(self, course: Course) -> list[int]:
        """Draw as many delays as wished from a real course: its first stays, others come with a little jitter."""
        rng = self._rng
        drawn = [course.delays[1 + int(rng.random() * (len(course.delays) - 1))] for _ in range(self._size - 1)]
        return [0, *sorted(max(1000, round(delay * (0.97 + 0.06 * rng.random()))) // 1000 * 1000 for delay in drawn)]

    def _onset(self, length_ms: int) -> int:
        """Draw a moment of the ordinary days: a third of them before it, and if possible the whole event behind it."""
        begin, end = self._ordinary[0][0], self._ordinary[-1][0]
        earliest = begin + (end - begin) // 3
        latest = max(earliest + 3_600_000, min(end - length_ms, begin + (end - begin) * 4 // 5))
        # An ordinary mention's own minute: at night fewer crises begin, as fewer mentions come.
        times = [ms for ms, _, _ in self._ordinary if earliest <= ms <= latest] or [earliest]
        return times[int(self._rng.random() * len(times))] // 1000 * 1000

    def _like_ordinary(self, texts: Sequence[str], count: int) -> list[str]:
        """Draw ``count`` different texts and dress each in the style of a random ordinary mention."""
        rng = self._rng
        pool = [text.replace("{handle}", f"@{self._handle}").replace("{name}", self._brand.names[0]) for text in texts]
        rng.shuffle(pool)
        shelves: dict[int, list[str]] = defaultdict(list)
        for text in pool:
            shelves[style(text)[0]].append(text)
        drawn: list[str] = []
        while len(drawn) < count and any(shelves.values()):
            model = str(self._models[int(rng.random() * len(self._models))].get("text", ""))
            wanted = style(model)[0]
            nearest = min((key for key in sorted(shelves) if shelves[key]), key=lambda key: (abs(key - wanted), key < wanted))
            drawn.append(self._dressed(shelves[nearest].pop(), model))
        return drawn

    def _dressed(self, text: str, model: str) -> str:
        """Give ``text`` the outside of ``model``: its link, hashtags, leading handles, emoji and about its length."""
        rng, name = self._rng, self._brand.names[0]
        _, link, hashtag, handle, emoji = style(model)
        text = _LINK.sub("", text)
        if not emoji:
            text = _ODD.sub("", text)
        if not hashtag:
            text = text.replace("#", "")
        if not handle:
            text = _LEADING.sub("", text)
        words = text.split()
        while len(words) > 3 and len(" ".join(words)) > max(50, 1.25 * len(model)):
            words.pop()
        text = " ".join(words)
        if handle and not text.startswith("@"):
            lead = _LEADING.match(model)
            text = f"{lead.group().strip() if lead else '@' + self._handle} {text}"
        if name.lower() not in text.lower():
            words = text.split()
            words.insert(len(words) if rng.random() < 0.5 else max(1, len(words) // 2), name)
            text = " ".join(words)
        if hashtag and "#" not in text:
            text = f"{text} #{name.replace(' ', '')}"
        if emoji and not _ODD.search(text):
            text = f"{text} {''.join(_ODD.findall(model)[:2])}"
        if link:
            text = f"{text} https://t.co/{self._hash('link', self._number + 1, 10)}"
        return text

    def _swapped(self, text: str) -> str:
        text = text.replace("{handle}", f"@{self._handle}").replace("{name}", self._brand.names[0])
        model = str(self._models[int(self._rng.random() * len(self._models))].get("text", ""))
        return self._dressed(text, model)

    def _row(self, ms: int, text: str) -> dict[str, Any]:
        """Make a mention in the form of a random ordinary one: the same fields, another author, text and time."""
        self._number += 1
        model = self._models[int(self._rng.random() * len(self._models))]
        row = {name: value for name, value in model.items() if name not in ("root_id", "parent_id", "url", "kind")}
        row["id"] = self._hash("mention", self._number, 20)
        row["published_at"] = rfc3339(ms)
        row["text"] = text
        author = dict(row["author"]) if isinstance(row.get("author"), dict) else {}
        for name in ("id", "handle", "name"):
            if name in author:
                author[name] = self._hash(name, self._number, max(6, min(len(str(author[name])), 20)))
        if author:
            row["author"] = author
        return row

    def _reaction(self, ms: int, roots: list[dict[str, Any]]) -> dict[str, Any]:
        """Make a reshare of an earlier planted post; the first and the latest are shared most."""
        share = self._rng.random() ** 2
        of = roots[int(share * len(roots))]
        row = self._row(ms, str(of["text"]))
        return {**row, "kind": "reshare", "root_id": of["id"], "parent_id": of["id"]}

    def _hash(self, what: str, number: int, length: int) -> str:
        return hashlib.blake2b(f"{what}/{number}/{self._rng.random()}".encode(), digest_size=10).hexdigest()[:length]


def write_folder(folder: Path, ordinary: Sequence[Row], plants: Sequence[Plant], watchlist: str) -> None:
    """Write ``mentions.jsonl.gz``, ``watchlist.yaml`` and ``truth.json`` for the exam ``lead``."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [(ms, value) for ms, value, _ in ordinary]
    rows += [(ms, orjson.dumps(row)) for plant in plants for ms, row in plant.rows]
    rows.sort(key=lambda row: row[0])
    truth = [
        {
            "name": plant.name,
            "brand": plant.brand,
            "onset": rfc3339(plant.rows[0][0]),
            "mention_ids": [row["id"] for _, row in plant.rows],
            "crisis": plant.crisis,
            "style_auc": round(style_auc(ordinary, plant), 3),
        }
        for plant in plants
    ]
    (folder / "mentions.jsonl.gz").write_bytes(gzip.compress(b"".join(value + b"\n" for _, value in rows), 6, mtime=0))
    (folder / "watchlist.yaml").write_text(watchlist, encoding="utf-8")
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


def _object(value: bytes) -> dict[str, Any] | None:
    """Return a mention as a JSON object, None where it is none, or has no text: such rows go along, and nothing is made after them."""
    try:
        row = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) and isinstance(row.get("text"), str) else None


def style_auc(ordinary: Sequence[Row], plant: Plant) -> float:
    """Return how well style alone tells a planted text (held out) from ordinary ones: 0.5 is chance.

    A naive Bayes judge of `style`, fitted on one half of both and asked about the other. Reshares repeat texts and are left out.
    """
    yes = [style(str(row["text"])) for _, row in plant.rows if row.get("kind") != "reshare"]
    no = [style(str(row["text"])) for _, value, _ in ordinary if (row := _object(value))]
    if len(yes) < 8:
        return 0.5
    weights: dict[tuple[int, object], float] = {}
    for place in range(5):
        for value in {key[place] for key in no} | {key[place] for key in yes}:
            mine = (sum(key[place] == value for key in yes[::2]) + 1) / (len(yes[::2]) + 2)
            theirs = (sum(key[place] == value for key in no[::2]) + 1) / (len(no[::2]) + 2)
            weights[place, value] = mine / theirs

    def judge(key: tuple[Any, ...]) -> float:
        result = 1.0
        for place, value in enumerate(key):
            result *= weights[place, value]
        return result

    ours, others = [judge(key) for key in yes[1::2]], sorted(judge(key) for key in no[1::2])
    wins = 0.0
    for score in ours:
        wins += sum(1.0 if score > other else 0.5 if score == other else 0.0 for other in others)
    return wins / (len(ours) * len(others))
