"""What a judged folder holds beside its tables: small files of text and JSON. Whatever is wrong with one is said with its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streams.errors import BadInput

#: Is told what a folder was read as, and what is left out of it.
Say = Callable[[str], None]


def silent(_: str) -> None:
    """Say nothing."""


def read_text(path: Path) -> str:
    """Return what a file in UTF-8 says, with or without a byte order mark. Raises `BadInput` where it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise BadInput(f"{path} is missing") from None
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not UTF-8") from None


def read_json(path: Path) -> Any:
    """Return what a JSON file holds. Raises `BadInput`, with its line, where it cannot be read."""
    try:
        return json.loads(read_text(path))
    except RecursionError:
        raise BadInput(f"{path} is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}, line {error.lineno}: no JSON ({error.msg})") from None
