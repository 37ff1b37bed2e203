"""CSV files with a header, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from streams.errors import BadInput


def read_rows(path: Path, hint: str = "") -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV by column. Raises `BadInput`, with the ``hint``, where it cannot be read."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="") if path.suffix == ".gz" else path.open(encoding="utf-8", newline="")
        ) as stream:
            yield from csv.DictReader(stream)
    except FileNotFoundError:
        raise BadInput(f"{path} is missing{hint}") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "it is damaged, or no CSV in UTF-8"
        raise BadInput(f"cannot read {path}: {reason}{hint}") from None
