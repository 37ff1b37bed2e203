"""The docs name commands, options, settings, files and targets that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from streams.cli.main import app
from streams.settings import variables

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
#: Read from the environment beside the settings: by `veille crisis`, and by a few tests.
_OTHERS = {"VEILLE_BY", "VEILLE_ROLE", "VEILLE_DATA", "VEILLE_REQUIRE_ALL", "VEILLE_FAULTS", "VEILLE_FAULT_MENTIONS"}
#: What readers are shown as their own, or written by a command of the page.
_THEIRS = ("plans/", "out/", "build/")


def _said(page: Path) -> Iterator[tuple[list[str], str]]:
    """Yield the words of each command line of ours on a page: in a line of its own, or between backticks."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    for found in re.finditer(r"(?:`|^ *(?:\$ )?|\| |bin/)veille ((?:[^`\n|;&])+)", text, re.M):
        words = found[1].partition(" #")[0]
        if re.match(r"[a-z]+( |$)", words):
            yield words.split(), words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_and_options_are_there(page: Path) -> None:
    """Each command line that a page shows has a command that there is, and only options that it has."""
    wrong = []
    for words, line in _said(page):
        command = get_command(app)
        while isinstance(command, TyperGroup) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        if isinstance(command, TyperGroup):
            wrong += [f"no command: {line}" for word in words[:1] if re.fullmatch(r"[a-z-]+", word)]
            continue
        known = {"--help", *(option for one in command.params for option in (*one.opts, *one.secondary_opts))}
        wrong += [f"no option {word}: {line}" for word in re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(words)) if word not in known]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_settings_and_targets_are_there(page: Path) -> None:
    """Each `VEILLE_NAME` is a setting, the beginning of one, or a name that something else reads; each `make NAME` is a target."""
    text = page.read_text("utf-8")
    known = [*variables(), *_OTHERS]
    named = {name for name in re.findall(r"VEILLE_[A-Z_]+", text) if not name.endswith("__NAME")}
    assert sorted(name for name in named if not any(one == name or (name.endswith("_") and one.startswith(name)) for one in known)) == []
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    assert sorted(set(re.findall(r"(?:`|^ {4})make ([a-z-]+)", text, re.M)) - targets) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_are_there(page: Path) -> None:
    """Each path into a folder of the repository leads somewhere; so does each link."""
    text = page.read_text("utf-8")
    folders = {one.name for one in ROOT.iterdir() if one.is_dir()}
    wrong = []
    for path in re.findall(r"`((?:\.\./)?[\w.-]+/[\w./*-]+)`", text):
        first = path.removeprefix("../").partition("/")[0]
        if first in folders and not path.startswith(_THEIRS) and not any(ROOT.glob(path.removeprefix("../"))):
            wrong.append(path)
    wrong += [link for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text) if not (page.parent / link).exists()]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_kcat_is_told_its_broker(page: Path) -> None:
    """kcat reads no setting of Veille's: without -b it ends with its usage."""
    shown = re.findall(r"kcat -[^\n`|]*", page.read_text("utf-8"))
    assert [one for one in shown if " -b $VEILLE_BROKER " not in one] == []
