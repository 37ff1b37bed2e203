"""The room as HTML, in English or French: the whole page, and the pieces that change. Every text is escaped by the templates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from schemas.crisis import Crisis
from schemas.desk import OPEN
from schemas.response import Task
from streams.board.room import Known, News, Room, Step
from streams.board.words import WORDS
from streams.clock import ms_of, zone_of
from streams.respond.brief import brief, due_now, holder, unbroken
from streams.respond.brief_words import CAP, EVENTS, KINDS, PHASES
from streams.respond.note_words import note_in
from streams.respond.refusals import refusal_in

_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)  # fmt: skip
#: The chart's box, in its own units.
_WIDTH, _HEIGHT = 600.0, 120.0
#: Tasks that are shown at once; the others are one step away.
_SHOWN = 4
#: Events that make a crisis one at hand.
_RISES = {"opened": "new", "reopened": "again"}
MINUTE_MS = 60_000
#: The watch is behind where it is later than this.
_LATE_MS = 10 * MINUTE_MS


class Link(NamedTuple):
    """How the page stands: ``lost_ms`` since when the broker does not answer (0: it does); ``reading`` until what is there was read."""

    lost_ms: int = 0
    reading: bool = False


def dom_id(crisis_id: str) -> str:
    """Return the id of a crisis's element: ids of crises come from records and may be any text.

    >>> dom_id("acme-20260101T060000-1")
    'c7d3b1cf4a3cd'
    """
    return "c" + blake2b(crisis_id.encode("utf-8", "replace"), digest_size=6).hexdigest()


def page(room: Room, link: Link, now_ms: int, language: str, stream: str) -> str:
    """Return the whole page; ``stream`` is the address at which what comes after it is told."""
    return _PAGES.get_template("board.html").render(
        w=WORDS[language], language=language, stream=stream, status=status(room, link, language),
        watch=watch(room, link, now_ms, language), title=title(room, language),
        open=[crisis(known, language) for known in room.open()], over=[crisis(known, language) for known in room.over()],
        news=[news(one, language) for one in reversed(room.news)],
    )  # fmt: skip


def title(room: Room, language: str) -> str:
    """Return the title of the window: how many crises are open, then what it is."""
    count = len(room.open())
    return f"({count}) Veille" if count else f"Veille · {WORDS[language]['title']}"


def status(room: Room, link: Link, language: str) -> str:
    """Return what is read out where it changes: how many crises there are, and whether the page can be believed."""
    words = WORDS[language]
    eased = sum(known.card.phase == "eased" for known in room.open())
    return _PAGES.get_template("status.html").render(
        counts=words["count"].format(open=len(room.open()) - eased, eased=eased),
        wrong=words["lost_broker"].format(at=_moment(link.lost_ms, UTC)) if link.lost_ms else "",
    )


def watch(room: Room, link: Link, now_ms: int, language: str) -> str:
    """Return the line that says how far the watch is; it changes each minute, so nobody is read it unasked."""
    words, at, late = WORDS[language], room.watched_ms, now_ms - room.watched_ms
    behind = not link.reading and at > 0 and late > _LATE_MS
    if link.reading:
        said = words["reading"]
    elif not at:
        said = words["not_told"]
    else:
        said = words["behind" if behind else "watched"].format(at=_moment(at, UTC), late=_span(late, language))
    return _PAGES.get_template("watch.html").render(said=said, wrong=behind)


def crisis(known: Known, language: str) -> str:
    """Return one crisis as an element of its own; one whose records hold what cannot be told (a date that is none) is named and no more."""
    try:
        return _crisis(known, language)
    except (ValueError, OverflowError):
        card = known.card
        return _PAGES.get_template("untold.html").render(dom=dom_id(card.crisis_id), crisis_id=card.crisis_id, w=WORDS[language])


def _crisis(known: Known, language: str) -> str:
    words, card = WORDS[language], known.card
    zone = zone_of(card.timezone)
    tasks = list(known.tasks.values())
    lines = brief(card, tasks, language)  # the last line, what is due, is a list of its own here
    rows = [(label.strip(), text.strip()) for label, _, text in (line.partition(":") for line in lines[1:-1])]
    return _PAGES.get_template("crisis.html").render(
        w=words, card=card, dom=dom_id(card.crisis_id), headline=lines[0], rows=rows,
        phase=PHASES[language].get(card.phase, card.phase),
        kind=KINDS[language].get(card.kind, card.kind) if card.kinds or card.kind_set_by else "",
        figures=list(_figures(card, language)), chart=_chart(known.steps, words, zone), over=card.phase not in OPEN,
        steps=[_row(step, language, zone) for step in reversed(known.steps)], tasks=_due(due_now(tasks, card.phase), words, language, zone),
        shown=_SHOWN, commands=_commands(card.crisis_id),
        status=CAP[language].get(card.status, card.status), holder=card.assigned_to or card.acknowledged_by,
    )  # fmt: skip


def news(one: News, language: str) -> str:
    """Return one line of what happened last."""
    card = one.card
    at = _moment(ms_of(card.updated_at), zone_of(card.timezone)) if card.updated_at else ""
    return _PAGES.get_template("news.html").render(
        at=at, event=EVENTS[language].get(one.event, one.event),
        rises=one.event in _RISES, headline=_headline(card, language), dom=dom_id(card.crisis_id)
    )  # fmt: skip


def alert(one: News, language: str) -> str:
    """Return what is said at once, as plain text: a crisis is new, or is back; else nothing."""
    card, name = one.card, _RISES.get(one.event)
    if name is None:
        return ""
    return WORDS[language][name].format(brand=card.brand, n=card.severity, headline=_headline(card, language))


def _headline(card: Crisis, language: str) -> str:
    return _signs(card.headline_fr if language == "fr" and card.headline_fr else card.headline, language)


def _figures(card: Crisis, language: str) -> Sequence[tuple[str, str]]:
    words, whole = WORDS[language], partial(_whole, language=language)
    found = [
        (words["mentions"], whole(card.mentions)),
        (words["authors"], whole(card.authors)),
        (words["negative"], _signs(f"{100 * card.negative_share:.0f}" + (" %" if language == "fr" else "%"), language)),
    ]
    if card.forecast is not None:
        low, high = whole(card.forecast.low), whole(card.forecast.high)
        found.append((words["forecast"], f"{whole(card.forecast.median)} ({low}–{high})"))
    return found


def _chart(steps: Sequence[Step], words: dict[str, str], zone: tzinfo) -> dict[str, Any] | None:
    """Return the line of mentions over time, as points in the chart's box, and the same in words; None where there is nothing to draw."""
    told = [step for step in steps if step.at_ms > 0]
    if len(told) < 2 or told[-1].at_ms <= told[0].at_ms:
        return None
    first, last = told[0].at_ms, told[-1].at_ms
    most = max(1, *(step.mentions for step in told))
    points, before = [], None
    for step in told:
        x, y = _WIDTH * (step.at_ms - first) / (last - first), _HEIGHT * (1.0 - step.mentions / most)
        if before is not None:
            points.append(f"{x:.1f},{before:.1f}")
        points.append(f"{x:.1f},{y:.1f}")
        before = y
    begin, end = _moment(first, zone), _moment(last, zone)
    label = words["chart"].format(first=told[0].mentions, last=told[-1].mentions, begin=begin, end=end)
    return {"points": " ".join(points), "label": label, "begin": begin, "end": end}


def _row(step: Step, language: str, zone: tzinfo) -> tuple[str, str, int, int, str, str]:
    note = (refusal_in if step.event == "refused" else note_in)(step.note, language)
    return _moment(step.at_ms, zone), EVENTS[language].get(step.event, step.event), step.severity, step.mentions, step.by, note


def _due(tasks: Sequence[Task], words: dict[str, str], language: str, zone: tzinfo) -> list[tuple[str, str, str, str]]:
    """Return (title, who, until when, late or not) of each task."""
    found = []
    for task in tasks:
        until = words["due"].format(at=_moment(ms_of(task.due_at), zone)) if task.due_at else ""
        late = words[task.state] if task.state != "open" else ""
        found.append((_signs(task.title_in(language), language), holder(task, language), until, late))
    return found


def _commands(crisis_id: str) -> list[str]:
    return [f"veille crisis ack {crisis_id} --by NAME", f"veille brief {crisis_id}"]


def _moment(at_ms: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%Y-%m-%d %H:%M %Z") if at_ms else "-"


def _span(ms: int, language: str) -> str:
    minutes = ms // MINUTE_MS
    name, count = ("minutes", minutes) if minutes < 120 else ("hours", minutes // 60) if minutes < 2880 else ("days", minutes // 1440)
    return WORDS[language][name].format(n=_whole(count, language))


def _whole(number: float, language: str) -> str:
    """Return a whole number with its thousands apart.

    >>> _whole(12345, "en"), _whole(12345, "fr")
    ('12,345', '12\u202f345')
    """
    return f"{number:,.0f}".replace(",", "\u202f" if language == "fr" else ",")


def _signs(text: str, language: str) -> str:
    return unbroken(text) if language == "fr" else text
