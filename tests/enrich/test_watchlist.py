"""The watchlist file."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.brand import Watchlist
from streams.cli.main import app
from streams.enrich.brands import BrandMatcher
from streams.enrich.fold import fold
from streams.enrich.watchlist import Watchlists, calendar_ms, load_watchlist, parse_watchlist
from streams.errors import BadInput

FULL = """
brands:
  - id: united
    names: [United Airlines, United]
    handles: [united]
    hashtags: [united]
    exclude: [Manchester United, "United Kingdom"]
    context: [flight, airport]
    owned: [united]
    alarms_per_week: 0.25
    timezone: Europe/Paris
    languages: [fr, en]
    sector: airline
    people: [Jane Example]
    plan: plans/airline.yaml
    thresholds: {severity: 4}
    calendar:
      - {from: 2026-12-01, to: 2026-12-07, terms: [giveaway, concours], expect: 5}
press: [reuters.com, lemonde.fr]
alarms_per_week: 3
"""


def test_every_key_of_the_format_is_read() -> None:
    """The documented example gives a brand with all its fields."""
    watchlist = parse_watchlist(FULL, "w.yaml")
    (brand,) = watchlist.brands
    assert brand.handles == {"*": ("united",)}
    assert (brand.alarms_per_week, brand.thresholds.severity, brand.timezone) == (0.25, 4, "Europe/Paris")
    assert watchlist.press == ("reuters.com", "lemonde.fr")
    assert watchlist.alarms_per_week == 3.0
    ((start, end, terms, expect),) = calendar_ms(brand)
    assert end - start == 7 * 86_400_000
    assert (terms, expect) == (("giveaway", "concours"), 5.0)


def test_id_and_names_are_enough() -> None:
    """A brand needs no more than an id and a name; handles may be given by network."""
    watchlist = parse_watchlist("brands:\n  - {id: a, names: [A], handles: {Mastodon: [a]}}\n", "w")
    assert watchlist.brands[0].handles == {"mastodon": ("a",)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("brands:\n  - id: a\n    names: [A]\n    hashtag: [x]\n", ["line 4", "'hashtag'", "'hashtags'"]),
        ("brand: []\n", ["line 1", "'brands'"]),
        ("brands:\n  - id: a\n", ["line 2", "'names'"]),
        ("brands:\n  - {id: A b, names: [A]}\n", ["line 2"]),
        ("brands:\n  - {id: a, names: [A]}\n  - {id: a, names: [B]}\n", ["line 3", "twice"]),
        ("brands:\n  - {id: a, names: [A], timezone: Mars/One}\n", ["line 2", "time zone"]),
        ("brands:\n  - {id: a, names: [A], alarms_per_week: often}\n", ["line 2", "number"]),
        ("brands: [\n", ["line"]),
        ("", ["empty"]),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, words: list[str]) -> None:
    """What is wrong is said with the line and, for a key, the nearest known one."""
    with pytest.raises(BadInput) as error:
        parse_watchlist(text, "w.yaml")
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize("path", sorted(Path("examples").glob("*.yaml")), ids=lambda path: path.name)
def test_the_shipped_examples_are_right(path: Path) -> None:
    """Every watchlist under examples can be loaded."""
    assert load_watchlist(path).brands


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    """A file that is not there ends with the code for bad input, not with a trace."""
    with pytest.raises(BadInput):
        load_watchlist(tmp_path / "none.yaml")


def test_versions_are_kept_side_by_side() -> None:
    """A version that is known stays; one that has not arrived is None."""
    watchlists = Watchlists()
    first = Watchlist(brands=parse_watchlist(FULL, "w").brands, version=3)
    watchlists.add(first)
    assert watchlists.get(3) is not None
    assert watchlists.get(4) is None


def test_what_a_list_can_hardly_mean_is_told_and_not_refused(tmp_path: Path) -> None:
    """A brand that excludes itself is never named, a name of two brands names both; the advice says what the matcher does."""
    file = tmp_path / "w.yaml"
    file.write_text(
        "brands:\n  - {id: a, names: [Acmé, Acme], exclude: [acme]}\n  - {id: b, names: [Bolt]}\n  - {id: c, names: [BOLT, Cord]}\n"
        "  - {id: d, names: [Cord], context: [wire]}\n"
    )
    done = CliRunner().invoke(app, ["watchlist", "check", str(file)])
    assert done.exit_code == 0
    assert done.stdout.endswith("w.yaml: 4 brands, version 1\n")
    first, second = done.stderr.splitlines()
    assert first == "a: each of its names is excluded too, so no text names it"
    assert second.startswith("b and c share the name “bolt”: each mention of it counts for all of them")
    matcher = BrandMatcher(load_watchlist(file))
    named = {text: [match.brand for match in matcher.match(text, fold(text), "x")] for text in ("Acmé is late", "Bolt is late")}
    assert named == {"Acmé is late": [], "Bolt is late": ["b", "c"]}


@pytest.mark.parametrize(
    ("start", "end", "good"),
    [
        ("2026-03-28", "2026-03-28", True),
        ("2026-03-28T10:00:00Z", "2026-03-28", True),
        ("2026-03-28", "2026-03-27", False),
        ("2026-03-28T10:00:00Z", "2026-03-28T10:00:00Z", False),
        ("2026-03-28T10:00:00Z", "2026-03-28T11:00:00Z", True),
    ],
)
def test_a_happening_that_ends_before_it_begins_is_a_mistake(start: str, end: str, good: bool) -> None:
    """It would expect nothing of anything, without a word."""
    text = f"brands:\n  - id: a\n    names: [Acme]\n    calendar:\n      - {{from: {start}, to: {end}, terms: [sale]}}\n"
    if good:
        assert len(parse_watchlist(text, "w").brands[0].calendar) == 1
    else:
        with pytest.raises(BadInput, match="w, line 5: this happening ends before it begins"):
            parse_watchlist(text, "w")
