"""Real courses and real texts for planting, read from a data folder that the project does not ship.

Courses are delays in ms since the first event; texts have their brand's name and handle replaced by ``{name}`` and ``{handle}``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from streams.errors import BadInput
from streams.sources.dates import parse_time
from streams.sources.tables import read_rows

#: A planted event lasts at most this long.
HORIZON_MS: Final = 48 * 3_600_000
_AIRLINES: Final = re.compile(r"@(?:united|usairways|virginamerica)\b", re.IGNORECASE)
_AIRLINE_NAMES: Final = re.compile(r"\b(?:united airlines|us airways|usairways|virgin america|united)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Course:
    """When a real cascade's mentions came: ascending delays in ms, the first is 0."""

    name: str
    delays: tuple[int, ...]


@dataclass(frozen=True)
class Episode:
    """A real boycott episode: its own times (delays in ms) and texts."""

    name: str
    mentions: tuple[tuple[int, str], ...]


def rumour_courses(data: Path, least: int) -> list[Course]:
    """Return courses of stories that were false or unverified, with at least ``least`` events within the horizon."""
    found = _twitter15(data, ("false", "unverified"), least) + _politifact(data, least)
    return _some(found, data, "a course of that many events; plant a smaller share")


def popular_courses(data: Path, least: int) -> list[Course]:
    """Return courses of popular posts that were no rumours."""
    return _some(_twitter15(data, ("non-rumor", "true"), least), data, "a popular course of that many events; plant a smaller share")


def complaint_texts(data: Path) -> dict[str, list[str]]:
    """Return texts of crises by theme: reasons of complaints about airlines, calls for boycotts, replies to rumours."""
    themes: dict[str, list[str]] = {}
    by_reason: dict[str, list[str]] = defaultdict(list)
    for row in _rows(data / "airline_2015" / "tweets.csv.gz"):
        if row["airline_sentiment"] == "negative" and row["negativereason"] not in ("", "Can't Tell"):
            by_reason[row["negativereason"]].append(_swap_airline(row["text"]))
    themes.update({f"airline: {reason}": texts for reason, texts in sorted(by_reason.items()) if len(texts) >= 100})
    boycott = [text for episode in boycott_episodes(data) for _, text in episode.mentions]
    themes["boycott"] = boycott
    return {theme: sorted(set(texts)) for theme, texts in themes.items()}


def praise_texts(data: Path) -> dict[str, list[str]]:
    """Return positive texts about airlines, for decoys."""
    rows = _rows(data / "airline_2015" / "tweets.csv.gz")
    return {"praise": sorted({_swap_airline(row["text"]) for row in rows if row["airline_sentiment"] == "positive"})}


def boycott_episodes(data: Path) -> list[Episode]:
    """Return the dated episodes, from two days before their day to five days after it, first mention first."""
    tweets = [(parse_time(row["created_at"]) or 0, row["text"]) for row in _rows(data / "boycott_2012_2020" / "tweets.csv.gz")]
    tweets.sort()
    episodes = []
    for row in _rows(data / "boycott_2012_2020" / "episodes.csv"):
        day = datetime.fromisoformat(row["day_from_data"]).replace(tzinfo=UTC)
        day_ms = int(day.timestamp()) * 1000
        named = re.compile(row["regex"], re.IGNORECASE)
        first = parse_time(row["first_mention"]) or day_ms
        mine = [
            (ms, text) for ms, text in tweets if max(first, day_ms - 2 * 86_400_000) <= ms < day_ms + 5 * 86_400_000 and named.search(text)
        ]
        if mine:
            begin = mine[0][0]
            mentions = tuple((ms - begin, _swap(text, named)) for ms, text in mine)
            episodes.append(Episode(f"boycott-{row['brand']}-{row['day_from_data']}", mentions))
    return episodes


def _twitter15(data: Path, labels: tuple[str, ...], least: int) -> list[Course]:
    folder = data / "twitter15_cascades"
    wanted = {row["cascade_id"] for row in _rows(folder / "cascades.csv") if row["label"] in labels}
    delays: dict[str, list[int]] = defaultdict(list)
    for row in _rows(folder / "reshares.csv.gz"):
        if row["cascade_id"] in wanted:
            delay = round(float(row["delay_min"]) * 60_000)
            if 0 <= delay < HORIZON_MS:
                delays[row["cascade_id"]].append(delay)
    return [Course(f"twitter15-{name}", (0, *sorted(found))) for name, found in sorted(delays.items()) if len(found) + 1 >= least]


def _politifact(data: Path, least: int) -> list[Course]:
    times: dict[str, list[int]] = defaultdict(list)
    for row in _rows(data / "politifact_stories" / "tweets.csv.gz"):
        times[row["story_id"]].append(int(row["t_utc_ms"]))
    courses = []
    for name, found in sorted(times.items()):
        first = min(found)
        delays = tuple(sorted(ms - first for ms in found if ms - first < HORIZON_MS))
        if len(delays) >= least:
            courses.append(Course(name, delays))
    return courses


def _swap(text: str, named: re.Pattern[str]) -> str:
    """Put placeholders where the brand is named; a handle or hashtag that holds its name goes whole."""
    plain = text.replace("{", "(").replace("}", ")")
    marked = re.sub(rf"@\w*(?:{named.pattern})\w*", "{handle}", plain, flags=re.IGNORECASE)
    return named.sub("{name}", marked)


def _swap_airline(text: str) -> str:
    plain = text.replace("{", "(").replace("}", ")")
    return _AIRLINE_NAMES.sub("{name}", _AIRLINES.sub("{handle}", plain))


def _some(found: list[Course], data: Path, what: str) -> list[Course]:
    if not found:
        raise BadInput(f"{data} has not {what}")
    return found


def _rows(path: Path) -> Iterator[dict[str, str]]:
    return read_rows(path, "; --data names the folder with the cascades and texts")
