"""Who counts as press by a watchlist's own list, and which links are fact checks."""

from __future__ import annotations

import msgspec
import pytest

from schemas.brand import Brand, Watchlist
from schemas.enriched import Enriched
from streams.engine.stage import InputRecord
from streams.enrich.watchlist import Watchlists
from tests.enrich.records import marker, mention, stage

ACME = Brand(id="acme", names=("Acme",))


def told(*records: InputRecord) -> list[Enriched]:
    """Return what becomes of records under a watchlist with a press list of its own, and version 2 without one."""
    known = Watchlists()
    known.add(Watchlist(brands=(ACME,), press=("www.Journal-Local.example", "lagazette")))
    known.add(Watchlist(brands=(ACME,), version=2))
    outputs = stage(known).process(records)
    return [msgspec.json.decode(o.value or b"", type=Enriched) for o in outputs if dict(o.headers).get("ce_type") == b"veille.enriched"]


def article(offset: int, url: str) -> InputRecord:
    """An article on Acme that stands at ``url``, on a network that is not the press's."""
    return mention(offset, kind="article", url=url, network="forum")


@pytest.mark.parametrize(
    ("url", "press"),
    [
        ("https://www.journal-local.example/2026/acme", True),
        ("https://sport.journal-local.example/acme", True),
        ("https://autre-journal-local.example/acme", False),
        ("https://journal-local.example.other.example/acme", False),
    ],
)
def test_an_article_on_a_host_of_the_watchlists_press_list_is_press(url: str, press: bool) -> None:
    """The host, or a domain above it, is looked for in the list; case and ``www.`` do not matter."""
    (record,) = told(article(0, url))
    assert ("press" in record.author_marks) is press


def test_a_handle_of_the_watchlists_press_list_is_press() -> None:
    """An account of the list is press in whatever it posts; a reader who links to the paper is not."""
    paper, reader = told(
        mention(0, author={"id": "1", "handle": "@LaGazette"}),
        mention(1, "acme https://journal-local.example/1", author={"id": "2", "handle": "reader"}),
    )
    assert "press" in paper.author_marks
    assert "press" not in reader.author_marks


def test_the_press_list_is_that_of_the_version_in_force() -> None:
    """After the marker of a version without a list of its own, only the shipped list counts."""
    url = "https://journal-local.example/1"
    before, after, shipped = told(article(0, url), marker(1, 2), article(2, url), article(3, "https://www.reuters.com/acme"))
    assert "press" in before.author_marks
    assert "press" not in after.author_marks
    assert "press" in shipped.author_marks


@pytest.mark.parametrize(
    ("link", "fact_check"),
    [
        ("https://www.lemonde.fr/les-decodeurs/article/2026/acme.html?utm_source=x", True),
        ("http://m.francetvinfo.fr/vrai-ou-fake/acme_1.html", True),
        ("https://www.reuters.com/fact-check/acme-2026", True),
        ("https://factuel.afp.com/doc.afp.com.1", True),
        ("https://www.lemonde.fr/economie/article/2026/acme.html", False),
        ("https://www.reuters.com/business/acme", False),
        ("https://other.example/https://lemonde.fr/les-decodeurs", False),
    ],
)
def test_sections_of_the_press_that_check_facts_are_told_from_the_rest(link: str, fact_check: bool) -> None:
    """A link counts as a fact check by its host or by the section of the paper where it stands, never by the paper alone."""
    (record,) = told(mention(0, f"acme {link}"))
    assert ("fact_check" in record.cues) is fact_check
