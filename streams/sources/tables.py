"""CSV files with a header, plain or gzipped: whatever is wrong with one is said with its file and line."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

from streams.errors import BadInput

#: The longest cell, as for mention files.
_MOST: Final = 16 * 1024 * 1024


class Table:
    """The rows of a CSV by column, read once. ``line`` is the line of the row that was yielded last, from 1; ``columns`` the first line.

    The file is UTF-8, with or without a byte order mark; lines end in any way, cells in quotes may hold line ends. Columns may
    stand in any order and there may be more than ``needs``.
    """

    def __init__(self, path: Path, needs: Sequence[str] = (), hint: str = "") -> None:
        self.path = path
        self.line = 0
        self.columns: list[str] = []
        self._needs = needs
        self._hint = hint
        self._ended = False

    def wrong(self, what: str) -> BadInput:
        """Return the error that says ``what`` is wrong with the row that was yielded last."""
        return BadInput(f"{self.path}, line {self.line}: {what}{self._hint}")

    def number(self, row: dict[str, str], column: str, least: float = float("-inf")) -> float:
        """Return a cell as a finite number from ``least`` on. Raises `BadInput` otherwise."""
        try:
            value = float(row[column])
        except ValueError:
            raise self.wrong(f"{column} is no number") from None
        if not least <= value < float("inf"):
            raise self.wrong(f"{column} must be {'a finite number' if least == float('-inf') else f'{least:g} or more'}")
        return value

    def __iter__(self) -> Iterator[dict[str, str]]:
        """Yield the rows; empty lines are none. Raises `BadInput` where the file cannot be read or a column is missing."""
        csv.field_size_limit(max(csv.field_size_limit(), _MOST))
        try:
            with self.path.open("rb") as plain, _unpacked(plain) as stream:
                reader = csv.reader(self._decoded(stream))
                try:
                    yield from self._rows(reader)
                except csv.Error as error:
                    self.line = reader.line_num
                    raise self.wrong(f"no CSV ({error})") from None
        except FileNotFoundError:
            raise BadInput(f"{self.path} is missing{self._hint}") from None
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or "it is damaged, or no gzip file"
            raise BadInput(f"cannot read {self.path}: {reason}{self._hint}") from None

    def _decoded(self, stream: Iterable[bytes]) -> Iterator[str]:
        for number, line in enumerate(stream, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                self.line = number
                raise self.wrong("not UTF-8; convert the file, with iconv for example") from None
            # The only character that CSV readers of other Pythons refuse.
            yield text.replace("\0", "")
        self._ended = True

    def _rows(self, reader: _Reader) -> Iterator[dict[str, str]]:
        header = self.columns = [name.strip() for name in next(reader, [])]
        self.line = 1
        missing = [name for name in self._needs if name not in header]
        if missing and not header:
            raise BadInput(f"{self.path} is empty; its first line names the columns {', '.join(self._needs)}{self._hint}")
        if missing:
            raise self.wrong(f"no column {' and no '.join(missing)}; the first line names the columns")
        doubled = [name for name in self._needs if header.count(name) > 1]
        if doubled:
            raise self.wrong(f"two columns are called {doubled[0]}")
        before = reader.line_num
        for cells in reader:
            self.line, before = before + 1, reader.line_num
            # A row ends with a line: whoever asked for one more after the last is inside quotes still.
            if self._ended:
                raise self.wrong("a quote is opened here and never closed")
            if not cells:
                continue
            if len(cells) < len(header) or any(cells[len(header) :]):
                raise self.wrong(f"{len(cells)} cells, where the first line names {len(header)} columns")
            yield dict(zip(header, cells, strict=False))


class _Reader(Protocol):
    """What `csv.reader` returns, for the type checker."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


def _unpacked(stream: BinaryIO) -> BinaryIO:
    """Return what a plain file holds, or a gzipped one, whatever it is called."""
    magic = stream.read(2)
    stream.seek(0)
    return cast(BinaryIO, gzip.open(stream, "rb")) if magic == b"\x1f\x8b" else stream


def read_rows(path: Path, hint: str = "", needs: Sequence[str] = ()) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV by column. Raises `BadInput`, with the ``hint``, where it cannot be read or lacks what it ``needs``."""
    yield from Table(path, needs, hint)


def table_at(folder: Path, stem: str) -> Path:
    """Return ``<stem>.csv`` or ``<stem>.csv.gz`` of a folder. Raises `BadInput` where neither is there, or both."""
    found = [path for ending in (".csv", ".csv.gz") if (path := folder / f"{stem}{ending}").exists()]
    if not found:
        raise BadInput(f"{folder / stem}.csv is missing (.csv.gz will do)")
    if len(found) > 1:
        raise BadInput(f"{folder} holds {found[0].name} and {found[1].name}; leave one of them")
    return found[0]


def columns_of(path: Path) -> list[str]:
    """Return the columns that the first line names. Raises `BadInput` where the file cannot be read."""
    table = Table(path)
    next(iter(table), None)
    return table.columns
