"""An interrupt while the command line is still being imported."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

_RUN = """
import os, signal, sys
{first}
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
sys.argv = ["veille", "--version"]
from streams.cli.start import main
main()
"""


@pytest.mark.parametrize("name", ["streams.cli.main", "typer", "streams.settings"])
def test_an_interrupt_during_imports_ends_quietly(name: str) -> None:
    """As later on: exit code 130 and no trace."""
    done = subprocess.run([sys.executable, "-c", _RUN.format(first="", name=name)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_interrupt_that_is_to_be_ignored_is_ignored() -> None:
    """Where a shell started it with interrupts ignored (``nohup``, ``&``), it goes on."""
    first = "signal.signal(signal.SIGINT, signal.SIG_IGN)"
    script = _RUN.format(first=first, name="typer")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("veille ")


def test_the_command_begins_there() -> None:
    """What is installed as ``veille`` is this."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["scripts"] == {"veille": "streams.cli.start:main"}
