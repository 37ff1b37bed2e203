"""The brief and the mail that carries it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas.crisis import OriginatorRef, Sample
from schemas.response import Task
from schemas.signal import Contribution, Interval
from streams.respond import tasks
from streams.respond.brief import LINES, brief
from streams.respond.formats import foot, slack, teams
from streams.respond.mail import message
from streams.respond.playbook import load
from streams.respond.routes import Route
from tests.respond.make import CRISIS, card, note


def task(step: str = "pause", **more: Any) -> Task:
    """Return one open task."""
    base: dict[str, Any] = {"title": "Pause", "title_fr": "Suspendre", "role": "lead", "due_at": "2014-05-13T17:10:00Z"}
    return Task(task_id=step, crisis_id=CRISIS, brand="acme", step=step, **{**base, **more})


def french_brief(crisis: Any, tasks: Any = ()) -> list[str]:
    """Return the French brief with ordinary spaces in place of the no-break ones."""
    return [line.replace("\u00a0", " ") for line in brief(crisis, tasks, "fr")]


def test_twelve_lines_in_both_languages() -> None:
    """What is said, since when, how big against a usual day, growth and forecast, earliest seen, kinds, what is not known, what is due."""
    crisis = card(
        blind={"feed": "2014-05-13T16:00:00Z"}, caveats=("a source is\nsilent",), timezone="Europe/Paris",
        reproduction=Interval(mean=1.25, low=0.9, high=1.6),
        contributions=(Contribution(name="tone.negative", log_odds=2.0, text="80 % negative", text_fr="80 % de négatives"),),
    )  # fmt: skip
    english, french = brief(crisis, [task()]), french_brief(crisis, [task()])
    assert len(english) == len(french) == LINES == 12
    assert all("\n" not in line for line in english + french)
    assert english[2] == "Said: “they broke my <b>guitar</b>” (x)"
    assert french[2] == "Il se dit : « they broke my <b>guitar</b> » (x)"
    assert english[1].startswith("Severity: 3/5 (urgency: Unknown, certainty: Possible")
    assert french[1].startswith("Gravité : 3/5 (urgence : inconnue, certitude : possible")
    assert english[3] == "Since: 2014-05-13 17:53 CEST; opened 2014-05-13 19:00 CEST"
    assert english[4] == "Size: 40 mentions by 30 authors, 80% negative; 2.5 times the authors of a usual day (12)"
    assert french[4] == "Ampleur : 40 mentions de 30 auteurs, 80 % négatives ; 2,5 fois les auteurs d'un jour habituel (12)"
    assert english[5] == "Growth: each mention brings 1.2 more (0.9 to 1.6); forecast in 24 h: 100 authors in all (50 to 200)"
    assert french[9] == "Pourquoi l'alerte : 80 % de négatives"
    assert "(nothing here is verified); where it began; not watched: feed since 2014-05-13 18:00 CEST; a source is silent" in english[10]
    assert "une source est muette" in brief(card(caveats=("a source is silent",)), (), "fr")[10]
    assert brief(card(chance=0.72), ())[9].endswith("72% a crisis, as alarms of this brand go")
    assert french_brief(card(chance=0.72))[9].endswith("crise à 72 %, d'après les alertes de cette marque")
    assert english[11] == "Due: Pause (lead, by 19:10 CEST). Who has it: nobody yet"
    assert french[11].startswith("À faire : Suspendre (responsable de la cellule, avant")


@pytest.mark.parametrize(("authors", "english", "french"), [
    (30, "2.5 times the authors of a usual day (12)", "2,5 fois les auteurs d'un jour habituel (12)"),
    (3, "25% of the authors of a usual day (12)", "25 % des auteurs d'un jour habituel (12)"),
    (0, "under 1% of the authors of a usual day (12)", "moins de 1 % des auteurs d'un jour habituel (12)"),
])  # fmt: skip
def test_the_size_is_told_in_usual_days(authors: int, english: str, french: str) -> None:
    """Times a usual day where it is more, a part of it where it is less."""
    crisis = card(authors=authors)
    assert brief(crisis)[4].endswith(f"; {english}")
    assert french_brief(crisis)[4].endswith(f" ; {french}")


def test_what_is_over_says_why_and_why_it_rang() -> None:
    """The reason that ended it stands apart from those for which it rang; while it is open again it is no reason."""
    rang = [Contribution(name=f"tone.{n}", log_odds=1.0, text=f"reason {n}", text_fr=f"raison {n}") for n in "abc"]
    calm = Contribution(name="calm", log_odds=0.0, text="nothing has rung for 11 h", text_fr="plus aucune alerte depuis 11 h")
    over = card(phase="resolved", contributions=(calm, *rang))
    assert brief(over)[9] == "Why it is over: nothing has rung for 11 h. Why it rang: reason a; reason b"
    assert french_brief(over)[9] == "Pourquoi c'est fini : plus aucune alerte depuis 11 h. Pourquoi l'alerte : raison a ; raison b"
    against = Contribution(name="growth.rate", log_odds=-3.0, text="hardly any")
    assert brief(card(contributions=(against, *rang)))[9] == "Why it rang: reason a; reason b"
    assert brief(card(contributions=(against,)))[9] == "Why it rang: hardly any"
    assert brief(card(contributions=(calm, *rang)))[9] == "Why it rang: reason a; reason b"


def test_a_reason_stands_whole() -> None:
    """No reason that Veille gives is cut short in the brief."""
    long = "20.6 worrying mentions in about 3 h, " * 4
    assert long.strip() in brief(card(contributions=(Contribution(name="x", log_odds=1.0, text=long),)))[9]


@pytest.mark.parametrize("plans", ["en", "fr"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_tasks_are_told_in_the_language_of_the_brief(plans: str, language: str) -> None:
    """Whatever language the shipped plans are in, a brief in either has each of their steps in its words."""
    words = {(plan.id, step.id): step.title for plan in load(language=language) for step in plan.steps}
    for plan in load(language=plans):
        fresh = [task for task, _ in tasks.start({}, plan, card(kind=plan.id, severity=5), 0)]
        assert len(fresh) > 4
        for one in fresh:
            assert words[plan.id, one.step][:80] in brief(card(), [one], language)[11].replace("\u00a0", " ")


def test_a_task_says_what_its_plan_has() -> None:
    """A plan in one language alone is told in it, and what the house itself asks for is told in both."""
    assert "Suspendre (" in brief(card(), [task(title="Suspendre", title_fr="Suspendre")], "en")[11]
    assert "Pause (" in brief(card(), [task(title_fr="")], "fr")[11]
    assert "Pause (" in brief(card(), [task(title="Suspendre", title_en="Pause")], "en")[11]
    mend = tasks.to_correct({}, load(language="fr")[0], card(), "s", 0)
    assert "Correct what was published" in brief(card(), [mend], "en")[11]
    assert "Corriger ce qui a été publié" in brief(card(), [mend], "fr")[11]


def test_only_what_is_due_is_listed() -> None:
    """Done tasks are gone; late and escalated ones say so and who has them; beyond three they are counted."""
    tasks = [
        task("a", state="done"),
        task("b", state="late", people=("Ann",)),
        task("c", state="escalated", people=("Bo",)),
        task("d"),
        task("e"),
    ]
    line = brief(card(), tasks)[11]
    assert "Pause (Ann, by 17:10 UTC, late); Pause (Bo, by 17:10 UTC, escalated)" in line
    assert "and 1 more" in line


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_bare_card_says_what_is_missing(language: str) -> None:
    """Without samples, history, growth, origin or reasons there are still twelve lines, and none is empty."""
    bare = card(samples=(), forecast=None, contributions=(), networks={}, kinds={}, usual_day_authors=0.0, originator=None, opened_at=None)
    lines = brief(bare, (), language)
    assert len(lines) == LINES
    assert all(line.partition(":")[2].strip() for line in lines[1:])


def test_hostile_texts_stay_on_their_line() -> None:
    """Line breaks, control and direction characters of mentions do not reach the reader."""
    lines = brief(card(headline="a\nb\x1b[31m\u202ec", samples=(Sample(mention_id="m", network="x\n", text="1\r\n2\u2066\x00"),)))
    assert lines[0] == "a b[31mc"
    assert lines[2] == "Said: “1 2” (x)"


def test_an_exercise_is_called_one() -> None:
    """Nobody takes a drill for the real thing."""
    assert "Exercise" in brief(card(status="Exercise"))[1]
    assert "EXERCICE" in brief(card(status="Exercise"), (), "fr")[1]


def test_mail_is_one_thread() -> None:
    """Every mail of a crisis refers to the same thread, and no header can be smuggled in by a headline."""
    mail = message(note(headline="a\r\nBcc: x@example.org"), Route(name="r", format="email", to=("desk@example.org",)))
    assert mail["References"] == f"<{CRISIS}@veille>"
    assert mail["Bcc"] is None
    assert mail["Subject"] == "a Bcc: x@example.org"


def test_the_same_words_are_quoted_once() -> None:
    """Three copies of one text leave no room for what others say."""
    samples = [
        Sample(mention_id=str(n), network="x", text=text) for n, text in enumerate(["Lost!", "lost!", "Lost!", "My bag", "No answer"])
    ]
    assert brief(card(samples=tuple(samples)))[2] == "Said: “Lost!” (x) | “My bag” (x) | “No answer” (x)"


def test_a_kind_that_nothing_tells_is_not_certain() -> None:
    """A declared crisis without a mention has no kind with 100 %; what a person set stands with the name."""
    assert brief(card(kinds={}))[7] == "Kind: nothing tells it yet"
    assert french_brief(card(kinds={}))[7] == "Type : rien ne l'indique encore"
    assert brief(card(kinds={}, kind="rumour", kind_set_by="ann"))[7] == "Kind: rumour (unverified), set by ann (nothing tells it yet)"


@pytest.mark.parametrize(("number", "english", "french"), [
    (0, "0 mentions by 0 authors", "0 mention de 0 auteur"),
    (1, "1 mention by 1 author", "1 mention de 1 auteur"),
    (2, "2 mentions by 2 authors", "2 mentions de 2 auteurs"),
])  # fmt: skip
def test_one_is_no_plural(number: int, english: str, french: str) -> None:
    """Nor is none, in French."""
    crisis = card(mentions=number, authors=number)
    assert brief(crisis)[4].startswith(f"Size: {english}, ")
    assert french_brief(crisis)[4].startswith(f"Ampleur : {french}, ")


def test_no_sign_of_a_french_brief_begins_a_line() -> None:
    """No-break spaces stand before : ; ? ! % and inside of « », as French is set; English has none."""
    crisis = card(samples=(Sample(mention_id="m", network="x", text="vrai ? oui !"),))
    assert not any(f" {sign}" in line for line in brief(crisis, [task()], "fr") for sign in ":;?!%»")
    assert "«\u00a0vrai\u00a0? oui\u00a0!\u00a0»" in brief(crisis, (), "fr")[2]
    assert not any("\u00a0" in line for line in brief(crisis, [task()]))


def test_messages_that_stand_alone_name_the_crisis_and_what_happened() -> None:
    """Slack and Teams have no thread: the last line has the id that commands take, in words of the route's language."""
    route = Route(name="r", format="slack", url="https://example.org", language="fr")
    assert slack(note(), route)["blocks"][-1]["elements"][0]["text"] == f"ouverte · {CRISIS}"
    body = teams(note(name="escalated"), route)["attachments"][0]["content"]["body"]
    assert body[-1]["inlines"][0]["text"] == f"aggravée · {CRISIS}"
    assert foot(note(), "en") == f"opened · {CRISIS}"
    late = msgspec.structs.replace(note(), event="veille.task.late")
    assert foot(late, "fr") == CRISIS


@pytest.mark.parametrize("wrong", ["2026-02-30T00:00:00Z", "soon", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026"])
def test_a_time_that_is_none_hides_nothing_else(wrong: str) -> None:
    """Of a card that others wrote all is told but the time that cannot be."""
    first = OriginatorRef(mention_id="m", network="x", published_at=wrong, author="")
    crisis = card(onset=wrong, opened_at=wrong, originator=first, blind={"feed": wrong}, timezone="Pacific/Kiritimati")
    said = brief(crisis, [task(due_at=wrong)])
    assert len(said) == LINES
    assert said[3] == "Since: an impossible time; opened an impossible time"
    assert french_brief(crisis)[3].startswith("Depuis : ")
    assert "by an impossible time" in said[11]
    assert "40 mentions by 30 authors" in said[4]


def test_a_time_without_a_zone_is_universal() -> None:
    """Not that of the machine that prints the brief."""
    assert brief(card(onset="2026-01-01T00:00:00", timezone="Europe/Paris"))[3].startswith("Since: 2026-01-01 01:00 CET")


def test_what_is_over_says_when_and_asks_for_nothing_more() -> None:
    """A crisis that was resolved, withdrawn or merged; what stands outside is still to be corrected, as its reminders say."""
    ends = {
        "resolved": ("; resolved 2014-05-13 20:00 CEST", " ; résolue le 2014-05-13 20:00 CEST"),
        "cancelled": ("; cancelled 2014-05-13 20:00 CEST", " ; annulée le 2014-05-13 20:00 CEST"),
        "merged": ("; goes on in acme-2", " ; continue dans acme-2"),
    }
    left = [task("a"), task("b", state="late"), task("c", state="done")]
    for phase, (english, french) in ends.items():
        over = card(phase=phase, at="2014-05-13T18:00:00Z", merged_into="acme-2" if phase == "merged" else "", timezone="Europe/Paris")
        assert brief(over)[3].endswith(english)
        assert french_brief(over)[3].endswith(french)
        assert brief(over, left)[11] == "Due: 2 tasks left open. Who has it: nobody yet"
        assert french_brief(over, left[:1])[11] == "À faire : 1 tâche restée ouverte. Qui s'en charge : personne pour l'instant"
        mend = tasks.to_correct({}, load()[0], over, "s", 0)
        assert brief(over, [mend, *left])[11].startswith("Due: Correct what was published")
    assert "left open" not in brief(card(), left)[11]
