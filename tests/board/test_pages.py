"""The room as HTML: nothing hostile comes through as markup, both languages, all that can be missing."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from schemas.command import Command
from schemas.crisis import Sample
from streams.board import pages
from streams.board.pages import Link
from streams.board.room import Room
from streams.board.words import WORDS
from tests.board.test_room import BEGIN, at, task
from tests.respond.make import card

EVIL = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>"
#: Elements that the templates write. Whatever else appears came from a record.
OWN = set(
    re.findall(
        r"\w+",
        "html head meta title link noscript script body a header h1 span nav p main section h2 div aside ol li b article h3 h4 i dl dt dd"
        " ul details summary figure svg polyline figcaption table thead tbody tr th td code",
    )
)


class Elements(HTMLParser):
    """Collects the names of elements, the names of attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        self.names.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data


def filled(evil: str = "plain") -> Room:
    """Return a room in which every text of a record says ``evil``."""
    room = Room(7)
    said = Command(id="c", command="note", brand="acme", by=evil, at_ms=0)
    more = {
        "headline": evil, "headline_fr": evil, "kind_set_by": evil, "kind": evil, "assigned_to": evil, "networks": {evil: 3},
        "status": evil, "samples": (Sample(mention_id=evil, network=evil, text=evil),), "caveats": (evil,), "blind": {evil: at(0)},
        "note": evil, "decision": said, "crisis_id": evil,
    }  # fmt: skip
    for n in (1, 2):
        room.take_event("opened", card(n, at(10 * n), mentions=10 * n, **more))
    room.take_event("resolved", card(3, at(40), phase="resolved", **{**more, "crisis_id": evil + "2"}))
    for n in range(6):
        room.take_task(task(f"{evil}{n}", "late", crisis_id=evil, title=evil, people=(evil,)))
    return room


@pytest.mark.parametrize("language", ["en", "fr"])
def test_hostile_texts_stay_texts(language: str) -> None:
    """On the page and in each piece that is sent later there is no element and no attribute that is not the templates' own."""
    room = filled(EVIL)
    whole = pages.page(room, Link(), BEGIN, language, "events?lang=en&since=x")
    parts = [pages.crisis(known, language) for known in (*room.open(), *room.over())] + [pages.news(one, language) for one in room.news]
    for html in (whole, *parts):
        found = Elements(html)
        assert set(found.names) <= OWN
        assert not {name for name in found.attributes if name.startswith("on")}
        assert "alert(1)" in found.text
    assert Elements(whole).names.count("script") == 1
    assert pages.alert(room.news[0], language).endswith(EVIL)  # a plain text, put as one


def test_no_language_speaks_the_other() -> None:
    """Every word is there in both, and no word of the page is left in English where French was asked for."""
    assert set(WORDS["en"]) == set(WORDS["fr"])
    room = Room(7)
    room.take_event("opened", card(1, at(0), headline_fr="acme : boule de neige", contributions=(), mentions=3))
    room.take_event("escalated", card(2, at(9), headline_fr="acme : boule de neige", phase="escalated", contributions=(), mentions=12345))
    mute = Command(id="c", command="mute", brand="acme", by="bo", at_ms=0)
    room.take_event("refused", card(3, at(10), headline_fr="acme : boule de neige", phase="escalated", mentions=12345, contributions=(),
                                    note="mute needs minutes", decision=mute))  # fmt: skip
    room.take_event("updated", card(4, at(11), headline_fr="acme : boule de neige", phase="escalated", mentions=12345, contributions=(),
                                    note="blind"))  # fmt: skip
    room.take_task(task(title_fr="Suspendre les publications", role="lead"))
    text = Elements(pages.page(room, Link(), BEGIN + 40 * 60_000, "fr", "")).text
    for word in ("Severity", "Mentions from", "opened", "escalated", "late,", "lead", "snowball", "Course"):
        assert word not in text
    assert "12\u202f345" in text
    assert text.count("acme\u00a0: boule de neige") == 4  # the card and three lines of news: no sign begins a line
    assert "responsable de la cellule" in text
    assert "mute demande minutes" in text
    assert "une source est devenue muette" in text


def test_how_far_the_watch_is_and_what_is_lost_is_never_silent() -> None:
    """Behind the clock, not told yet, still reading, or without a broker: each says so."""
    room = Room(7)

    def said(link: Link | None = None, late_ms: int = 0) -> str:
        here = link or Link()
        return Elements(pages.status(room, here, "en") + pages.watch(room, here, BEGIN + late_ms, "en")).text

    assert "has not said yet" in said()
    room.take_time(0, BEGIN)
    assert "Watched up to 2014-05-13 16:00 UTC" in said()
    assert "behind" not in said(late_ms=9 * 60_000)
    assert "11 min behind the clock" in said(late_ms=11 * 60_000)
    assert "5 h behind the clock" in said(late_ms=5 * 3_600_000)
    assert "Reading" in said(Link(reading=True))
    assert "the broker does not answer" in said(Link(lost_ms=BEGIN))
    room.take_time(1, BEGIN - 3_600_000)
    assert "Watched up to 2014-05-13 15:00 UTC" in said()  # the slowest partition counts


def test_what_is_read_out_changes_only_when_something_happened() -> None:
    """A minute that passes changes the line of the watch, and no more; counts and a lost broker are read out."""
    room = filled()
    before = pages.status(room, Link(), "en")
    room.take_time(0, BEGIN)
    assert pages.watch(room, Link(), BEGIN, "en") != pages.watch(room, Link(), BEGIN + 20 * 60_000, "en")
    assert pages.status(room, Link(), "en") == before
    assert pages.status(room, Link(lost_ms=BEGIN), "en") != before
    room.take_event("resolved", card(9, at(60), crisis_id="plain", phase="resolved"))
    assert pages.status(room, Link(), "en") != before
    html = pages.page(room, Link(), BEGIN, "en", "")
    assert '<p id="status" role="status">' in html
    assert '<p id="watch">' in html


def test_of_a_crisis_that_is_over_only_corrections_are_left_to_do() -> None:
    """As the brief has it: the plan's steps end with the crisis, what is false outside does not."""
    room = Room(7)
    room.take_event("resolved", card(1, at(0), phase="resolved"))
    room.take_task(task(title="Pause the posts", state="late"))
    assert "Pause the posts" not in pages.crisis(room.over()[0], "en")
    room.take_task(task("t2", step="correct:s1", title="Correct the statement"))
    assert "Correct the statement" in pages.crisis(room.over()[0], "en")


def test_a_crisis_whose_records_cannot_be_told_is_named() -> None:
    """A date that is none costs its crisis the text, not the others and not the page."""
    room = filled()
    room.take_task(task(crisis_id="plain", due_at="soon"))
    room.take_event("opened", card(4, at(50), crisis_id="sound", headline="told as ever"))
    html = pages.page(room, Link(), BEGIN, "en", "")
    assert html.count(WORDS["en"]["untold"]) == 1
    assert "told as ever" in html
    assert html.count("<article") == 3


def test_the_chart_is_drawn_once_there_is_a_course() -> None:
    """Two moments make a line; it says in words from what to what, and the table beside it has each step."""
    room = Room(7)
    room.take_event("opened", card(1, at(0), mentions=4))
    assert "<svg" not in pages.crisis(room.open()[0], "en")
    room.take_event("updated", card(2, at(30), mentions=40))
    html = pages.crisis(room.open()[0], "en")
    assert 'aria-label="Mentions from 4 (2014-05-13 16:00 UTC) to 40 (2014-05-13 16:30 UTC)"' in html
    assert html.count("<tr>") == 3
