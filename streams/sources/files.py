"""Mention files: JSONL or CSV, plain or gzipped, one or several, merged in time order.

Nothing is lost on the way: a row that is no usable mention is handed on as it stands, next to the row before it,
so that enrich refuses it with a reason. Only what a person can mend at once (a missing file, column or field) is an error.
"""

from __future__ import annotations

import csv
import difflib
import gzip
import hashlib
import heapq
import zlib
from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

import msgspec
import orjson

from streams.clock import rfc3339
from streams.errors import BadInput
from streams.sources.dates import is_rfc3339, parse_time
from streams.sources.mapping import FIELDS, Mapping, put, take, typed

csv.field_size_limit(16 * 1024 * 1024)
#: What some programs put between the columns of a "CSV".
_OTHERS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
_REQUIRED: Final = ("network", "text", "published_at")


class FileMention(NamedTuple):
    """One row of a file: when it was published (ms), the JSON to publish, and its id (its Kafka key)."""

    published_ms: int
    value: bytes
    id: str


def read_mentions(
    paths: Iterable[str | Path], mapping: Mapping | None = None, constants: dict[str, str] | None = None
) -> Iterator[FileMention]:
    """Read all files and yield their rows by time; rows of one time keep the order of files and lines.

    Each file is held in memory for sorting. Raises `BadInput` for a file, column or field that cannot be used.
    """
    mapping = mapping or Mapping()
    if constants:
        mapping = Mapping(mapping.columns, {**mapping.constants, **constants})
    files = [_read_sorted(Path(path), mapping) for path in paths]
    return heapq.merge(*files, key=itemgetter(0))


def mention_id(network: str, published_ms: int, author: str, text: str) -> str:
    """Return the id of a row without one: the same row twice is one mention."""
    parts = "\x1f".join((network, str(published_ms), author, text))
    return "h" + hashlib.blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()


def _read_sorted(path: Path, mapping: Mapping) -> list[FileMention]:
    found: list[FileMention] = []
    waiting: list[tuple[bytes, str]] = []  # refused rows before the first date of the file
    last: int | None = None
    try:
        with _open(path) as stream:
            rows = _csv_rows(stream, path, mapping) if _is_csv(path) else _json_rows(stream, path, mapping)
            for published_ms, value, identity in rows:
                if published_ms is None:
                    if last is None:
                        waiting.append((value, identity))
                        continue
                    published_ms = last
                elif last is None:
                    found.extend(FileMention(published_ms, *row) for row in waiting)
                last = published_ms
                found.append(FileMention(published_ms, value, identity))
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "it is damaged or no gzip file"
        raise BadInput(f"cannot read {path}: {reason}") from None
    if last is None:
        found.extend(FileMention(0, *row) for row in waiting)
    found.sort(key=itemgetter(0))
    return found


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    stream = path.open("rb")
    magic = stream.read(2)
    stream.seek(0)
    return cast(BinaryIO, gzip.open(stream, "rb")) if magic == b"\x1f\x8b" else stream


def _is_csv(path: Path) -> bool:
    return ".csv" in (suffix.lower() for suffix in path.suffixes[-2:])


Row = tuple[int | None, bytes, str]


def _json_rows(stream: BinaryIO, path: Path, mapping: Mapping) -> Iterator[Row]:
    absent = set(mapping.columns.values())
    plain = not mapping.columns and not mapping.constants
    for line in stream:
        line = line.strip()
        if not line:
            continue
        try:
            row: Any = orjson.loads(line)
        except orjson.JSONDecodeError:
            row = None
        if not isinstance(row, dict):
            yield None, line, _hash(line)
            continue
        identity, published_at = row.get("id"), row.get("published_at")
        if plain and isinstance(identity, str) and identity and isinstance(published_at, str) and is_rfc3339(published_at):
            yield parse_time(published_at), line, identity
            continue
        given: dict[str, Any] = {}
        for name, column in mapping.columns.items():
            value = take(row, column)
            if value is not None:
                absent.discard(column)
                given[name] = typed(name, value)
        for name, value in given.items():
            if value is not None:
                put(row, name, value)
        yield completed(row, mapping)
    if absent:
        column = min(absent)
        raise BadInput(f"no row of {path} has the column {column}; look at its first line and mend --map")


def _csv_rows(stream: BinaryIO, path: Path, mapping: Mapping) -> Iterator[Row]:
    # Bytes that are no UTF-8 become replacement characters, since JSON can carry nothing else.
    reader = csv.reader(line.decode("utf-8", "replace").replace("\0", "").lstrip("\ufeff") for line in stream)
    try:
        header = next(reader, None)
    except csv.Error:
        raise BadInput(f"{path}: its first line is no CSV; lines end in \\n or \\r\\n") from None
    if header is None:
        return
    place = {name.strip(): position for position, name in reversed(list(enumerate(header)))}
    if len(place) == 1 and (other := next((sign for sign in _OTHERS if sign in header[0]), "")):
        raise BadInput(f"{path}: its first line is divided by {_OTHERS[other]}; write it with commas between the columns")
    columns = {name: place[name] for name in FIELDS if name in place}
    for name, column in mapping.columns.items():
        if column not in place:
            near = difflib.get_close_matches(column, [known for known in place if known.isidentifier()], 1)
            hint = f"; did you mean {near[0]}?" if near else f"; its first line names {len(place)} columns"
            raise BadInput(f"{path} has no column {column}{hint}")
        columns[name] = place[column]
    for name in _REQUIRED:
        if name not in columns and name not in mapping.constants:
            more = " or --set network=NAME" if name == "network" else ""
            raise BadInput(f"no column of {path} is called {name}; add --map {name}=COLUMN{more}")
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise BadInput(f"{path}: line {reader.line_num} is no CSV") from None
        if not cells:
            continue
        row: dict[str, Any] = {}
        for name, position in columns.items():
            if position < len(cells):
                value = typed(name, cells[position])
                if value is not None:
                    put(row, name, value)
        yield completed(row, mapping)


def completed(row: dict[str, Any], mapping: Mapping) -> Row:
    """Set the constants of a row, write its dates as RFC 3339, add an id, and encode it: (published ms, JSON, id)."""
    for name, value in mapping.constants.items():
        put(row, name, typed(name, value))
    if isinstance(row.get("id"), int):
        row["id"] = str(row["id"])
    published_ms = parse_time(row.get("published_at"))
    if published_ms is not None and not (isinstance(row["published_at"], str) and is_rfc3339(row["published_at"])):
        row["published_at"] = rfc3339(published_ms)
    for name in ("collected_at", "author.created_at"):
        value = take(row, name)
        if value is not None and not (isinstance(value, str) and is_rfc3339(value)):
            ms = parse_time(value)
            if ms is not None:
                put(row, name, rfc3339(ms))
    identity = row.get("id")
    if not isinstance(identity, str) or not identity:
        author = row.get("author")
        who = next((str(author[key]) for key in ("id", "handle", "name") if author.get(key)), "") if isinstance(author, dict) else ""
        identity = mention_id(str(row.get("network", "")), published_ms or 0, who, str(row.get("text", "")))
        row["id"] = identity
    try:
        value_bytes = orjson.dumps(row)
    except TypeError:  # lone surrogates or an integer beyond 64 bits: keep the row, escaped
        value_bytes = msgspec.json.encode({key: str(value).encode("utf-8", "replace").decode() for key, value in row.items()})
    return published_ms, value_bytes, identity


def _hash(line: bytes) -> str:
    return "h" + hashlib.blake2b(line, digest_size=10).hexdigest()
