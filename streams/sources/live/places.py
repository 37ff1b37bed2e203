"""How far each source was read: one small JSON file a source, replaced whole, and only after the broker has what it speaks of."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import orjson

from streams.errors import BadInput
from streams.sources.live.trouble import Trouble


class Place:
    """The position of one source. It binds to what is followed: ``of`` says what, and another ``of`` begins anew."""

    def __init__(self, path: Path, of: str) -> None:
        self._path = path
        self._of = of

    def load(self) -> dict[str, Any]:
        """Return what was saved last; empty at the very start. Raises `BadInput` for a file that is none of ours."""
        try:
            found = orjson.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, orjson.JSONDecodeError):
            found = None
        if not isinstance(found, dict) or not isinstance(found.get("at"), dict):
            raise BadInput(f"{self._path} cannot be read as a position; delete it: the source then begins anew")
        at: dict[str, Any] = found["at"]
        return at if found.get("of") == self._of else {}

    def save(self, at: dict[str, Any]) -> None:
        """Replace the position. Raises `Trouble`: what is not saved is read again after a restart, and counts once all the same."""
        beside = self._path.with_suffix(".new")
        try:
            with beside.open("wb") as stream:
                stream.write(orjson.dumps({"of": self._of, "at": at}))
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise Trouble(f"the position cannot be saved ({error.strerror})", "make room in the state folder, or name another") from None


class Places:
    """The folder of positions; one process at a time uses it. Close it with `close`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise BadInput(f"the state folder {folder} cannot be used: {error.strerror}; name another with --state") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise BadInput(f"another veille collect uses {folder}; stop it, or name another folder with --state") from None

    def of(self, name: str, followed: str) -> Place:
        """Return the place of source ``name`` (checked: it is made of a-z, 0-9, _ and -), which follows ``followed``."""
        return Place(self._folder / f"{name}.json", followed)

    def close(self) -> None:
        """Let another process in."""
        os.close(self._lock)
