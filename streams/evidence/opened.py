"""Opens a bundle that somebody hands over, a zip archive or a folder: nothing in it is unpacked, followed or inflated."""

from __future__ import annotations

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from streams.evidence.bundle import ABOUT, FILES, PAGE, README, RECEIPTS, SUMS, TOKEN, archive
from streams.evidence.chain import Problem

#: The largest file that is read. A receipt holds a megabyte at most; the page and the receipts' lines grow with their number.
MAX_FILE = 256_000_000
_NAMES = re.compile(rf"{FILES}[0-9]{{4,9}}\.[a-z0-9.]{{1,12}}")
_OWN = frozenset({README, ABOUT, PAGE, RECEIPTS, SUMS, TOKEN})
#: What Python's zip reader raises where an archive is broken or strange.
_BROKEN = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError, OverflowError, IndexError)


class Unreadable(Exception):
    """A file of the bundle cannot be read."""


class Opened(NamedTuple):
    """The files of a bundle, each with what reads it (`Unreadable`), and what was wrong with how they lie there."""

    files: dict[str, Callable[[], bytes]]
    problems: list[Problem]


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open a bundle, and close it at the end. Raises OSError where there is nothing to read."""
    if path.is_dir():
        yield _folder(path)
        return
    with path.open("rb") as file:
        try:
            held = zipfile.ZipFile(file)
        except _BROKEN:
            yield Opened({}, [Problem("no_zip")])
            return
        with held:
            found = _zip(held)
            if not found.problems and not _as_written(path, found):
                found.problems.append(Problem("packed"))
            yield found


def _folder(path: Path) -> Opened:
    found = Opened({}, [])
    for one in sorted(os.scandir(path), key=lambda entry: entry.name):
        inner = [one] if one.name + "/" != FILES or one.is_symlink() or not one.is_dir() else sorted(os.scandir(one), key=lambda e: e.name)
        for entry in inner:
            name = entry.name if entry is one else FILES + entry.name
            if not _known(name):
                found.problems.append(Problem("foreign", name))
            elif not entry.is_file(follow_symlinks=False):
                found.problems.append(Problem("link", name))
            else:
                found.files[name] = partial(_read_file, Path(entry.path))
    return found


def _read_file(path: Path) -> bytes:
    try:
        # Who owns the folder may put a link in the file's place meanwhile.
        place = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(place, "rb") as file:
            if not stat.S_ISREG(os.fstat(place).st_mode):
                raise Unreadable
            data = file.read(MAX_FILE + 1)
    except OSError:
        raise Unreadable from None
    if len(data) > MAX_FILE:
        raise Unreadable
    return data


def _zip(held: zipfile.ZipFile) -> Opened:
    found = Opened({}, [])
    for entry in held.infolist():
        name = entry.orig_filename
        if not _known(name) or entry.filename != name:
            found.problems.append(Problem("foreign", name))
        elif name in found.files:
            found.problems.append(Problem("twice", name))
        elif stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            found.problems.append(Problem("link", name))
        elif entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 or entry.file_size > MAX_FILE:
            # Veille stores files as they are: what is packed tighter may be as large as it likes when it is unpacked.
            found.problems.append(Problem("inflates", name))
        else:
            found.files[name] = partial(_read_entry, held, entry)
    return found


def _read_entry(held: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        with held.open(entry) as file:
            data = file.read(MAX_FILE + 1)
    except _BROKEN:
        raise Unreadable from None
    if len(data) != entry.file_size:
        raise Unreadable
    return data


def _known(name: str) -> bool:
    return name in _OWN or _NAMES.fullmatch(name) is not None


def _as_written(path: Path, found: Opened) -> bool:
    """Say whether the archive is, byte for byte, the one that Veille writes of these files: nothing lies before, between or after them."""
    with path.open("rb") as file:
        try:
            for piece in archive(list(found.files), lambda name: found.files[name]()):
                if file.read(len(piece)) != piece:
                    return False
        except Unreadable:
            return False
        return not file.read(1)
