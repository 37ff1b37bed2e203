"""YAML of people: a mistake is a line and a word, and nothing that can be written there hangs a command or breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.enrich.watchlist import parse_watchlist
from streams.errors import BadInput
from streams.respond.playbook_check import check
from streams.sources.mapping import parse_mapping

DEEP = "[" * 3000 + "]" * 3000
#: Ten to the ninth values in ten lines.
LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [(DEEP, "nested too deeply"), (LAUGHS, "for itself or for too much"), ("a: &a [*a]", "for itself"), ("x: " + "9" * 5000, "in quotes")],
)
def test_no_file_hangs_or_breaks_a_command(tmp_path: Path, text: str, words: str) -> None:
    """A playbook and a mapping are read whole; a watchlist key by key, so that a number of any length is a text there."""
    plan, problems = check(text)
    assert plan is None
    assert words in problems[0].text
    (tmp_path / "map.yaml").write_text(text)
    with pytest.raises(BadInput, match=words):
        parse_mapping(file=tmp_path / "map.yaml")
    with pytest.raises(BadInput, match="w, line "):
        parse_watchlist(text, "w")


def test_an_alias_of_ordinary_size_is_read() -> None:
    """What stands twice may be written once."""
    text = "brands:\n  - {id: a, names: [Acme], exclude: &no [one, two]}\n  - {id: b, names: [Bolt], exclude: *no}\n"
    assert [brand.exclude for brand in parse_watchlist(text, "w").brands] == [("one", "two")] * 2
