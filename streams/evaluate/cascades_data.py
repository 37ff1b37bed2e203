"""Reads cascades: ``cascades.csv`` with ``reshares.csv`` or ``reposts.csv``, plain or gzipped, as `docs/judging.md` describes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streams.errors import BadInput
from streams.evaluate.folders import Say, silent
from streams.sources.tables import Table, table_at

#: (delay in ms, rank among equals, author, whom it answers, text)
Event = tuple[int, tuple[int, str], str, str, str]
#: Columns of the delay, its unit in ms, and the columns of author, id and parent.
_RESHARES: Final = ("delay_min", 60_000.0, "user", "tweet", "parent_tweet")
_REPOSTS: Final = ("t_s", 1000.0, "user_hash", "mid", "parent_mid")


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


def read_cascades(folders: Sequence[str | Path], *, texts: bool = False, say: Say = silent) -> list[Cascade]:
    """Read the cascades of all folders, by folder and name; rows from before their root are left out.

    Raises `BadInput`, with file and line, where something cannot be used; ``say`` is told what is left out.
    """
    found: list[Cascade] = []
    for folder in map(Path, folders):
        found += _folder(folder, texts, say)
    if not found:
        raise BadInput("no cascade with any reaction in the folders given")
    return found


def _about(path: Path) -> dict[str, dict[str, str]]:
    """Return the cascades of a folder by name; the same one twice must say the same."""
    about: dict[str, dict[str, str]] = {}
    table = Table(path, ("cascade_id", "label"))
    for row in table:
        known = about.setdefault(row["cascade_id"], row)
        if (known["label"], known.get("text")) != (row["label"], row.get("text")):
            raise table.wrong("this cascade_id stands above with another label or text")
    return about


def _folder(folder: Path, texts: bool, say: Say) -> list[Cascade]:
    about = _about(table_at(folder, "cascades"))
    kinds = [stem for stem in ("reshares", "reposts") if any((folder / f"{stem}{end}").exists() for end in (".csv", ".csv.gz"))]
    if len(kinds) > 1:
        raise BadInput(f"{folder} holds reshares and reposts; leave one of them")
    reshares = kinds != ["reposts"]
    path = table_at(folder, "reshares" if reshares else "reposts")
    time, scale, author, tweet, parent = _RESHARES if reshares else _REPOSTS
    table = Table(path, ("cascade_id", time, author, tweet, parent, *(("text",) if texts and not reshares else ())))
    events: dict[str, list[Event]] = defaultdict(list)
    early = strange = 0
    for row in table:
        name, delay = row["cascade_id"], table.number(row, time) * scale
        if name not in about:
            strange += 1
        elif delay < 0.0:
            early += 1
        else:
            above = "" if reshares and row[parent] == name else row[parent]
            # Ids grow with time: of one moment the shorter, then the smaller, was first. The order of rows says nothing.
            rank = (len(row[tweet]), row[tweet])
            events[name].append((round(delay), rank, row[author], above, (row.get("text") or "") if texts else ""))
    if strange:
        say(f"{path}: {strange} rows of cascades that {folder / 'cascades.csv'} does not name are left out")
    if early:
        say(f"{path}: {early} rows from before their root are left out")
    if len(events) < len(about):
        say(f"{folder}: {len(about) - len(events)} of {len(about)} cascades have no reaction and are left out")
    made = []
    for name in sorted(events):
        delays, _, authors, parents, said = zip(*sorted(events[name]), strict=True)
        row = about[name]
        network = "x" if reshares else "weibo"
        made.append(
            Cascade(
                name, str(folder), network, row["label"], row.get("text") or "", delays, authors, parents, said if texts else ()
            )
        )  # fmt: skip
    return made
