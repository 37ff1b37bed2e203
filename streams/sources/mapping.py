"""Which column of a foreign file gives which field of the public mention (`schemas.mention.Mention`)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from streams.errors import BadInput
from streams.handwritten import NoYaml, reading

_TEXT: Final = ("id", "network", "text", "published_at", "url", "lang", "kind", "parent_id", "root_id", "country", "source", "collected_at")
_AUTHOR_TEXT: Final = ("id", "handle", "name", "created_at", "bio")
#: Fields whose column holds whole numbers.
INTEGERS: Final = frozenset(
    [f"author.{name}" for name in ("followers", "following", "posts")]
    + [f"engagement.{name}" for name in ("replies", "reshares", "quotes", "likes", "views")]
)
#: Fields whose column holds yes or no.
BOOLEANS: Final = frozenset(["author.verified"])
#: Every field that a column or a constant may give, dotted where it is nested.
FIELDS: Final = (*_TEXT, *(f"author.{name}" for name in _AUTHOR_TEXT), *sorted(INTEGERS), *sorted(BOOLEANS))

_TRUE: Final = frozenset(["true", "t", "1", "yes", "y", "oui", "vrai"])
_FALSE: Final = frozenset(["false", "f", "0", "no", "n", "non", "faux"])


@dataclass(frozen=True)
class Mapping:
    """``columns``: field -> column (dotted for nested JSON); ``constants``: field -> value for every row."""

    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (*self.columns, *self.constants):
            if name not in FIELDS:
                near = difflib.get_close_matches(name, FIELDS, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise BadInput(f"{name} is no field of a mention{hint}; the fields are {', '.join(FIELDS)}")
        both = sorted(set(self.columns) & set(self.constants))
        if both:
            raise BadInput(f"{both[0]} is given both by a column and by a constant; leave one of --map and --set out")


def parse_mapping(maps: Iterable[str] = (), sets: Iterable[str] = (), file: str | Path | None = None) -> Mapping:
    """Build a mapping from ``FIELD=COLUMN`` and ``FIELD=VALUE`` words and a YAML file that keeps such a set.

    The file has two optional keys, ``map`` and ``set``, each {field: column or value}; words win over it.
    """
    columns: dict[str, str] = {}
    constants: dict[str, str] = {}
    if file is not None:
        columns, constants = _from_file(Path(file))
    for option, words, other, into in (("--map", maps, constants, columns), ("--set", sets, columns, constants)):
        for word in words:
            name, equals, value = word.partition("=")
            if not equals or not name or not value:
                raise BadInput(f"{option} needs FIELD={'COLUMN' if option == '--map' else 'VALUE'}")
            other.pop(name, None)
            into[name] = value
    return Mapping(columns, constants)


def _from_file(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8")
        with reading(text):
            data = yaml.safe_load(text)
    except OSError as error:
        raise BadInput(f"cannot read the mapping file {path}: {error.strerror}") from None
    except NoYaml as error:
        raise BadInput(f"{path} is not valid YAML: line {error.line}: {error.problem}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not valid YAML: it is no UTF-8") from None
    data = {} if data is None else data
    if not isinstance(data, dict) or not set(data) <= {"map", "set"}:
        raise BadInput(f"{path} may have the keys `map` and `set` only, each with FIELD: COLUMN or FIELD: VALUE lines")
    parts: list[dict[str, str]] = []
    for key in ("map", "set"):
        part = data.get(key) or {}
        if not isinstance(part, dict):
            raise BadInput(f"`{key}` in {path} must hold FIELD: {'COLUMN' if key == 'map' else 'VALUE'} lines")
        parts.append({str(name): str(value) for name, value in part.items()})
    return parts[0], parts[1]


def typed(name: str, value: Any) -> Any:
    """Turn a column's text into the field's type; None for an empty cell; what does not fit stays, and is refused by enrich."""
    if not isinstance(value, str):
        if name not in INTEGERS and name not in BOOLEANS and isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        return int(value) if name in INTEGERS and isinstance(value, float) and value.is_integer() else value
    if name in INTEGERS:
        word = value.strip()
        if not word:
            return None
        try:
            return int(word)
        except ValueError:
            pass
        try:
            number = float(word)
        except ValueError:
            return value
        return int(number) if number.is_integer() else value
    if name in BOOLEANS:
        word = value.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else (value if word else None)
    return value if value or name == "text" else None


def put(row: dict[str, Any], name: str, value: Any) -> None:
    """Set the dotted field ``name`` of ``row``, making the object it lies in."""
    head, dot, rest = name.partition(".")
    if not dot:
        row[head] = value
        return
    inner = row.get(head)
    if not isinstance(inner, dict):
        inner = row[head] = {}
    inner[rest] = value


def take(row: dict[str, Any], path: str) -> Any:
    """Return what stands at the dotted ``path`` of a JSON object, or None; a key that holds the dots itself wins."""
    if path in row:
        return row[path]
    value: Any = row
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value
