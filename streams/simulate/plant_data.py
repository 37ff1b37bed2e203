"""Real courses and real texts for planting, read from a data folder that the project does not ship.

Courses are delays in ms since the first event; texts have their brand's name and handle replaced by ``{name}`` and ``{handle}``.
What a folder within it holds is told by its files, not by its name: ``cascades.csv`` with ``reshares.csv`` (courses), ``episodes.csv``
with ``tweets.csv`` (boycotts), ``tweets.csv`` with a column ``story_id`` (courses of false stories) or ``airline_sentiment``
(complaints and praise). Each file may be gzipped.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from streams.errors import BadInput
from streams.sources.dates import parse_time
from streams.sources.tables import Table, columns_of, table_at

#: A planted event lasts at most this long.
HORIZON_MS: Final = 48 * 3_600_000
_AIRLINES: Final = re.compile(r"@(?:united|usairways|virginamerica)\b", re.IGNORECASE)
_AIRLINE_NAMES: Final = re.compile(r"\b(?:united airlines|us airways|usairways|virgin america|united)\b", re.IGNORECASE)


_HANDLE: Final = re.compile(r"@\w+")
_HINT: Final = "; --data names the folder with the cascades and texts"


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
    found = _cascades(data, ("false", "unverified"), least) + _stories(data, least)
    return _some(found, data, "a course of that many events; plant a smaller share")


def popular_courses(data: Path, least: int) -> list[Course]:
    """Return courses of popular posts that were no rumours."""
    return _some(_cascades(data, ("non-rumor", "true"), least), data, "a popular course of that many events; plant a smaller share")


def complaint_texts(data: Path) -> dict[str, list[str]]:
    """Return texts of crises by theme: reasons of complaints about airlines, calls for boycotts."""
    themes: dict[str, list[str]] = {}
    by_reason: dict[str, list[str]] = defaultdict(list)
    for row, text in _airline_texts(data):
        if row["airline_sentiment"] == "negative" and row["negativereason"] not in ("", "Can't Tell"):
            by_reason[row["negativereason"]].append(text)
    themes.update({f"airline: {reason}": texts for reason, texts in sorted(by_reason.items()) if len(texts) >= 100})
    if boycott := [text for episode in boycott_episodes(data) for _, text in episode.mentions]:
        themes["boycott"] = boycott
    if not themes:
        raise BadInput(f"{data} has no texts of complaints: tweets.csv with airline_sentiment (100 of a reason), or episodes.csv{_HINT}")
    return {theme: sorted(set(texts)) for theme, texts in themes.items()}


def praise_texts(data: Path) -> dict[str, list[str]]:
    """Return positive texts about airlines, for decoys."""
    texts = sorted({text for row, text in _airline_texts(data) if row["airline_sentiment"] == "positive"})
    if not texts:
        raise BadInput(f"{data} has no positive texts: a folder whose tweets.csv has the column airline_sentiment{_HINT}")
    return {"praise": texts}


def boycott_episodes(data: Path) -> list[Episode]:
    """Return the dated episodes, from two days before their day to five days after it, first mention first."""
    return [episode for folder in _folders(data, "episodes", "tweets") for episode in _episodes(folder)]


def _episodes(folder: Path) -> Iterator[Episode]:
    posts = Table(table_at(folder, "tweets"), ("created_at", "text"), _HINT)
    tweets = sorted((parse_time(row["created_at"]) or 0, row["text"]) for row in posts)
    table = Table(table_at(folder, "episodes"), ("brand", "regex", "day_from_data", "first_mention"), _HINT)
    for row in table:
        try:
            day = datetime.fromisoformat(row["day_from_data"]).replace(tzinfo=UTC)
        except ValueError:
            raise table.wrong("day_from_data is no date, such as 2015-11-24") from None
        try:
            named = re.compile(row["regex"], re.IGNORECASE)
        except re.error:
            raise table.wrong("regex is no regular expression") from None
        day_ms = int(day.timestamp()) * 1000
        first = parse_time(row["first_mention"]) or day_ms
        mine = [
            (ms, text) for ms, text in tweets if max(first, day_ms - 2 * 86_400_000) <= ms < day_ms + 5 * 86_400_000 and named.search(text)
        ]
        if mine:
            begin = mine[0][0]
            mentions = tuple((ms - begin, _swap(text, named)) for ms, text in mine)
            yield Episode(f"boycott-{row['brand']}-{row['day_from_data']}", mentions)


def _cascades(data: Path, labels: tuple[str, ...], least: int) -> list[Course]:
    courses = []
    for folder in _folders(data, "cascades", "reshares"):
        about = Table(table_at(folder, "cascades"), ("cascade_id", "label"), _HINT)
        wanted = {row["cascade_id"] for row in about if row["label"] in labels}
        delays: dict[str, list[int]] = defaultdict(list)
        table = Table(table_at(folder, "reshares"), ("cascade_id", "delay_min"), _HINT)
        for row in table:
            if row["cascade_id"] in wanted:
                delay = round(table.number(row, "delay_min") * 60_000)
                if 0 <= delay < HORIZON_MS:
                    delays[row["cascade_id"]].append(delay)
        source = folder.name.removesuffix("_cascades")
        courses += [Course(f"{source}-{name}", (0, *sorted(found))) for name, found in sorted(delays.items()) if len(found) + 1 >= least]
    return courses


def _stories(data: Path, least: int) -> list[Course]:
    courses = []
    for path in _tweets(data, "story_id"):
        times: dict[str, list[int]] = defaultdict(list)
        table = Table(path, ("story_id", "t_utc_ms"), _HINT)
        for row in table:
            times[row["story_id"]].append(int(table.number(row, "t_utc_ms", 0.0)))
        for name, found in sorted(times.items()):
            first = min(found)
            delays = tuple(sorted(ms - first for ms in found if ms - first < HORIZON_MS))
            if len(delays) >= least:
                courses.append(Course(name, delays))
    return courses


def _airline_texts(data: Path) -> Iterator[tuple[dict[str, str], str]]:
    """Yield the labelled rows of airlines, each with its text without the airline's name."""
    for path in _tweets(data, "airline_sentiment"):
        rows = list(Table(path, ("airline_sentiment", "negativereason", "text"), _HINT))
        swaps = {airline: _swap_of(airline, rows) for airline in {row.get("airline", "") for row in rows}}
        for row in rows:
            yield row, swaps[row.get("airline", "")](row["text"])


def _swap_of(airline: str, rows: Sequence[dict[str, str]]) -> Callable[[str], str]:
    """Return what takes an airline's name out of a text.

    Of an airline that is not among those whose names are known, that is its name and the handle that most of its rows speak to.
    """
    if not airline or _AIRLINE_NAMES.fullmatch(airline):
        return _swap_airline
    mine = [row["text"] for row in rows if row.get("airline") == airline]
    handles = Counter(handle.lower() for text in mine for handle in set(_HANDLE.findall(text)))
    spoken_to = max(sorted(handles), key=handles.__getitem__, default="")
    names = [re.escape(airline), *([re.escape(spoken_to[1:])] if spoken_to else [])]
    handle, name = re.compile(rf"{re.escape(spoken_to) or '@$'}\b", re.IGNORECASE), re.compile(rf"\b(?:{'|'.join(names)})\b", re.IGNORECASE)
    return lambda text: name.sub("{name}", handle.sub("{handle}", _plain(text)))


def _plain(text: str) -> str:
    return text.replace("{", "(").replace("}", ")")


def _swap(text: str, named: re.Pattern[str]) -> str:
    """Put placeholders where the brand is named; a handle or hashtag that holds its name goes whole."""
    marked = re.sub(rf"@\w*(?:{named.pattern})\w*", "{handle}", _plain(text), flags=re.IGNORECASE)
    return named.sub("{name}", marked)


def _swap_airline(text: str) -> str:
    return _AIRLINE_NAMES.sub("{name}", _AIRLINES.sub("{handle}", _plain(text)))


def _some(found: list[Course], data: Path, what: str) -> list[Course]:
    if not found and not _folders(data, "cascades", "reshares"):
        raise BadInput(f"{data} has no folder with cascades.csv and reshares.csv{_HINT}")
    if not found:
        raise BadInput(f"{data} has not {what}")
    return found


def _tweets(data: Path, column: str) -> list[Path]:
    """Return every ``tweets.csv`` of the folders within ``data`` that has this column."""
    return [path for folder in _folders(data, "tweets") if column in columns_of(path := table_at(folder, "tweets"))]


def _folders(data: Path, *stems: str) -> list[Path]:
    """Return the folders within ``data`` that hold all these tables, by name."""
    try:
        inner = sorted(folder for folder in data.iterdir() if folder.is_dir())
    except OSError as error:
        raise BadInput(f"cannot read {data}: {error.strerror}{_HINT}") from None
    return [folder for folder in inner if all(any((folder / f"{stem}{end}").exists() for end in (".csv", ".csv.gz")) for stem in stems)]
