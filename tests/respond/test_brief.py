"""The brief and the mail that carries it."""

from __future__ import annotations

from schemas.response import Task
from streams.respond.brief import brief
from streams.respond.mail import message
from streams.respond.routes import Route
from tests.respond.make import CRISIS, card, note


def test_twelve_lines_in_both_languages() -> None:
    """Twelve lines, each one line, that say size, kind, what is not known and what is due."""
    task = Task(task_id="t", crisis_id=CRISIS, brand="acme", step="pause", title="Pause", title_fr="Suspendre", role="lead",
                due_at="2014-05-13T17:10:00Z")  # fmt: skip
    crisis = card(blind={"feed": "2014-05-13T16:00:00Z"}, caveats=("no\nbaseline",))
    english, french = brief(crisis, [task]), brief(crisis, [task], "fr")
    assert len(english) == len(french) == 12
    assert all("\n" not in line for line in english + french)
    assert "40 mentions by 30 authors, 80% negative" in english[4]
    assert "nothing here is verified; not watched: feed" in english[10]
    assert "Pause (lead, until 13 17:10 UTC)" in english[11]
    assert "Suspendre (lead, avant" in french[11]


def test_mail_is_one_thread() -> None:
    """Every mail of a crisis refers to the same thread, and no header can be smuggled in by a headline."""
    mail = message(note(headline="a\r\nBcc: x@example.org"), Route(name="r", format="email", to=("desk@example.org",)))
    assert mail["References"] == f"<{CRISIS}@veille>"
    assert mail["Bcc"] is None
    assert mail["Subject"] == "a Bcc: x@example.org"
