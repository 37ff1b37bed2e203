"""Reads cascades: ``cascades.csv`` with ``reshares.csv.gz`` or ``reposts.csv.gz``, as `docs/detection.md` describes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.errors import BadInput
from streams.sources.tables import read_rows


@dataclass(frozen=True)
class Cascade:
    """Reactions to one root, in the order of time.

    ``delays_ms``: since the root; ``parents``: whom they answer, "" for the root itself; ``network``: x or weibo.
    """

    name: str
    folder: str
    network: str
    label: str
    text: str
    delays_ms: tuple[int, ...]
    authors: tuple[str, ...]
    parents: tuple[str, ...]
    texts: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Reactions in all."""
        return len(self.delays_ms)


def read_cascades(folders: Sequence[str | Path], *, texts: bool = False) -> list[Cascade]:
    """Read the cascades of all folders, by folder and name; rows from before their root are left out.

    Raises `BadInput` where a file is missing or lacks a column.
    """
    found: list[Cascade] = []
    for folder in map(Path, folders):
        try:
            found += _folder(folder, texts)
        except KeyError as error:
            raise BadInput(f"{folder}: a column {error} is missing; cascades.csv needs cascade_id and label") from None
        except (ValueError, EOFError) as error:
            raise BadInput(f"{folder}: not in the format of cascades ({error})") from None
    if not found:
        raise BadInput("no cascade with any reaction in the folders given")
    return found


def _folder(folder: Path, texts: bool) -> list[Cascade]:
    about = {row["cascade_id"]: row for row in read_rows(folder / "cascades.csv")}
    reshares = (folder / "reshares.csv.gz").exists()
    events: dict[str, list[tuple[int, str, str, str]]] = defaultdict(list)
    for row in read_rows(folder / ("reshares.csv.gz" if reshares else "reposts.csv.gz")):
        name = row["cascade_id"]
        if reshares:
            delay, author, parent = float(row["delay_min"]) * 60_000, row["user"], row["parent_tweet"]
            parent = "" if parent == name else parent
        else:
            delay, author, parent = float(row["t_s"]) * 1000, row["user_hash"], row["parent_mid"]
        if delay >= 0.0 and name in about:
            events[name].append((round(delay), author, parent, (row.get("text") or "") if texts else ""))
    made = []
    for name in sorted(events):
        rows = sorted(events[name], key=lambda row: row[0])
        delays, authors, parents, said = zip(*rows, strict=True)
        row = about[name]
        network = "x" if reshares else "weibo"
        said = said if texts else ()
        made.append(Cascade(name, folder.name, network, row["label"], row.get("text") or "", delays, authors, parents, said))
    return made
