"""Reads counts per step with labelled windows: any ``*.csv`` (``timestamp,value``) with ``windows.json`` and ``profiles.json``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final

from streams.errors import BadInput
from streams.evaluate.folders import Say, read_json, silent
from streams.evaluate.nab import Series, Weights
from streams.sources.dates import parse_time
from streams.sources.tables import Table

#: The profiles of the benchmark, taken where a folder has no ``profiles.json`` or not all three.
PROFILES: Final = {
    "standard": Weights(1.0, 1.0, 0.11),
    "reward_low_FP_rate": Weights(1.0, 1.0, 0.22),
    "reward_low_FN_rate": Weights(1.0, 2.0, 0.11),
}
#: The longest step that the shortest windows of detection make sense of.
_MOST_STEP_MS: Final = 3_600_000
#: A longer silence is a broken date, or two series in one file.
_MOST_GAP_MS: Final = 366 * 86_400_000


def read_series(folders: Sequence[str | Path], say: Say = silent) -> list[Series]:
    """Read every ``*.csv`` (or ``*.csv.gz``) of the folders with their ``windows.json``, by name; rows by time.

    ``say`` is told what is left out: windows outside a series, labels of series that are not there, series without labels.
    """
    found: list[Series] = []
    for folder in map(Path, folders):
        found += _folder(folder, say)
    if not found:
        raise BadInput(f"no *.csv with counts (timestamp,value) in {', '.join(map(str, folders))}")
    return found


def _folder(folder: Path, say: Say) -> list[Series]:
    labels = _labels(folder / "windows.json")
    paths = {path.name: path for path in sorted(folder.iterdir()) if path.name.endswith((".csv", ".csv.gz")) and path.name[0] != "."}
    both = [name for name in paths if f"{name}.gz" in paths]
    if both:
        raise BadInput(f"{folder} holds {both[0]} and {both[0]}.gz; leave one of them")
    made = []
    for name, path in paths.items():
        times, counts = _counts(path)
        spans = labels.pop(name.removesuffix(".gz"), None)
        if spans is None:
            say(f"{path}: windows.json does not name it, so each alarm in it is a false one")
        windows = list(_rows_of(times, spans or (), folder / "windows.json", name))
        if spans and len(windows) < len(spans):
            say(f"{path}: {len(spans) - len(windows)} of its {len(spans)} windows lie outside its rows and are left out")
        doubled = len(times) - len(set(times))
        if doubled:
            say(f"{path}: {doubled} rows have the time of another; all are counted")
        made.append(Series(name.removesuffix(".gz").removesuffix(".csv"), times, counts, windows, str(folder)))
    if labels and made:
        say(f"{folder / 'windows.json'}: labels of {len(labels)} series that are not there are left out")
    return made


def _labels(path: Path) -> dict[str, Any]:
    """Return {file name: windows}; names may have a folder in front, as in the whole benchmark."""
    labels = read_json(path)
    if not isinstance(labels, dict):
        raise BadInput(f"{path} must be an object: file name to a list of [start, end]")
    found: dict[str, Any] = {}
    for name, spans in labels.items():
        short = name.replace("\\", "/").rpartition("/")[2].removesuffix(".gz")
        if short in found:
            raise BadInput(f"{path} names {short} twice")
        found[short] = spans
    return found


def _counts(path: Path) -> tuple[list[int], list[float]]:
    table = Table(path, ("timestamp", "value"))
    rows = []
    for row in table:
        text = row["timestamp"].strip()
        # What is left of a number of rows, or of days, is no date, though a lenient reader of dates finds one in it.
        ms = None if text.isdecimal() and len(text) < 9 else parse_time(text)
        if ms is None:
            raise table.wrong("timestamp is no date, such as 2015-02-26 21:42:53")
        rows.append((ms, table.number(row, "value", 0.0), table.line))
    rows.sort()
    times = [ms for ms, _, _ in rows]
    if len(set(times)) < 2:
        raise BadInput(f"{path} has rows of fewer than two times; a series needs at least two")
    if median(b - a for a, b in pairwise(times)) > _MOST_STEP_MS:
        raise BadInput(f"{path} counts in steps of more than an hour; that is too coarse for windows of 5 min to 24 h")
    for place, (earlier, later) in enumerate(pairwise(times), 1):
        if later - earlier > _MOST_GAP_MS:
            line = rows[place if place > len(rows) / 2 else place - 1][2]
            raise BadInput(
                f"{path}, line {line}: more than a year lies between this row and the next in time; mend the date, or split the file"
            )
    return times, [value for _, value, _ in rows]


def _rows_of(times: Sequence[int], spans: Any, path: Path, name: str) -> Iterator[tuple[int, int]]:
    """Yield (first, last) rows of the windows that hold any, by time."""
    moments = []
    for span in spans if isinstance(spans, list | tuple) else [None]:
        start, end = (parse_time(one) for one in span) if isinstance(span, list) and len(span) == 2 else (None, None)
        if start is None or end is None or start > end:
            raise BadInput(f"{path}: a window of {name} must be [start, end], two dates in order")
        moments.append((start, end))
    before = -1
    for start, end in sorted(moments):
        inside = [row for row, time in enumerate(times) if start <= time <= end]
        if not inside:
            continue
        if inside[0] <= before:
            raise BadInput(f"{path}: two windows of {name} overlap; join them")
        before = inside[-1]
        yield inside[0], before


def read_profiles(folders: Sequence[str | Path]) -> dict[str, Weights]:
    """Read ``profiles.json`` of the folders; the benchmark's own weights for a profile that none names. Others are not scored."""
    found: dict[str, tuple[Path, Weights]] = {}
    for path in (Path(folder) / "profiles.json" for folder in folders):
        if not path.exists():
            continue
        profiles = read_json(path)
        for name in PROFILES:
            if not isinstance(profiles, Mapping) or name not in profiles:
                continue
            weights = _weights(profiles[name], path, name)
            if name in found and found[name][1] != weights:
                raise BadInput(f"{path} and {found[name][0]} weigh {name} differently; score the folders one by one")
            found[name] = (path, weights)
    return {name: found[name][1] if name in found else weights for name, weights in PROFILES.items()}


def _weights(profile: Any, path: Path, name: str) -> Weights:
    try:
        matrix = profile["CostMatrix"]
        weights = Weights(*(float(matrix[key]) for key in ("tpWeight", "fnWeight", "fpWeight")))
    except (KeyError, TypeError, ValueError):
        raise BadInput(f"{path}: {name} needs a CostMatrix with the numbers tpWeight, fnWeight and fpWeight") from None
    if not all(0.0 <= value < float("inf") for value in weights) or weights.hit + weights.miss <= 0.0:
        raise BadInput(f"{path}: the weights of {name} must be 0 or more, and a hit or a miss must count")
    return weights
