"""What Veille installs is what it uses."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _imported() -> set[str]:
    """Return the first names of all modules that our source imports, within functions too."""
    found = set()
    for room in ("schemas", "streams"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {name.name.partition(".")[0] for name in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.partition(".")[0])
    return found


def _plain(name: str) -> str:
    """Return a distribution's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_is_imported() -> None:
    """A package that whoever runs Veille has to install is imported somewhere; what tests alone need is an extra."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    names = {_plain(re.split(r"[^A-Za-z0-9._-]", one, maxsplit=1)[0]) for one in wanted}
    given = packages_distributions()
    used = {_plain(dist) for module in _imported() for dist in given.get(module, ())}
    assert sorted(names - used) == []
