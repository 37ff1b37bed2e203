"""YAML of people: a mistake is a line and a word, and nothing that can be written there hangs a command or breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from streams.enrich.watchlist import parse_watchlist
from streams.errors import BadInput
from streams.handwritten import _loader
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


LONG = "brands:\n" + "".join(f"  - {{id: b{n}, names: [Brandname{n}, 'Brand {n} été'], context: [train]}}\n" for n in range(3000))


def test_a_long_file_is_read_as_a_short_one() -> None:
    """Another parser reads it, ten times as fast; values, lines and complaints are the same."""
    assert _loader(LONG) is not yaml.SafeLoader
    brands = parse_watchlist(LONG, "w").brands
    assert len(brands) == 3000
    assert brands[-1].names == ("Brandname2999", "Brand 2999 été")
    with pytest.raises(BadInput, match="w, line 3002: unknown key 'nam'"):
        parse_watchlist(LONG + "  - {id: z, nam: [x]}\n", "w")
    with pytest.raises(BadInput, match="w, line 3003: no YAML"):
        parse_watchlist(LONG + "  - {id: z, names: [x\n", "w")


@pytest.mark.parametrize("deep", ["[" * 200_000 + "]" * 200_000, "- " * 200_000 + "x"], ids=["flow", "block"])
def test_depth_breaks_no_long_file_either(deep: str) -> None:
    """The parser in C would end the process."""
    with pytest.raises(BadInput, match="nested too deeply"):
        parse_watchlist(deep, "w")
