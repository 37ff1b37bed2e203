"""The brief: twelve lines that say what a person must know, in English or French. The body of every notification."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo

from schemas.crisis import Crisis, Sample
from schemas.desk import CLOSED
from schemas.response import Task
from schemas.signal import Contribution
from streams.caveats import caveat_in
from streams.clock import zone_of
from streams.plurals import counted
from streams.reasons import ended_by, speaking_for
from streams.respond.brief_words import CAP, KINDS, ROLES, WORDS
from streams.respond.tasks import DUE, is_due

#: A space before a high sign, or inside of quotation marks.
_FRENCH_SPACE = re.compile(r" (?=[:;?!%»])|(?<=«) ")
#: How many lines it has.
LINES = 12


def brief(crisis: Crisis, tasks: Iterable[Task] = (), language: str = "en") -> list[str]:
    """Return exactly twelve lines, a function of the card and the tasks that are due.

    Texts of mentions stand in it, on one line each, shortened, without control and direction characters: escape them for where they
    are shown.
    """
    language = language if language in WORDS else "en"
    words = WORDS[language]
    zone = zone_of(crisis.timezone)
    headline = crisis.headline_fr if language == "fr" and crisis.headline_fr else crisis.headline
    samples: dict[str, Sample] = {}
    for sample in crisis.samples:  # the loudest first; three times the same words say nothing more than once
        samples.setdefault(_short(sample.text, 90).casefold(), sample)
    shown = list(samples.values())[:3]
    said = " | ".join(f"{words['quoted'].format(text=_short(s.text, 90))} ({_short(s.network, 20)})" for s in shown)
    cap = {name: _word(CAP, getattr(crisis, name), language) for name in ("urgency", "certainty", "status")}
    opened = words["opened"].format(at=_moment(crisis.opened_at, zone, language)) if crisis.opened_at else words["not_opened"]
    colon, semi = words["colon"], words["semi"]
    if crisis.phase in CLOSED:
        ended = _moment(crisis.resolved_at or crisis.updated_at, zone, language)
        opened += f"{semi} " + words[crisis.phase].format(at=ended, into=_short(crisis.merged_into, 60))
    lines = [
        _short(headline, 200),
        f"{words['severity']}{colon} {crisis.severity}/5 ({words['cap'].format(**cap)})",
        f"{words['said']}{colon} {said or words['said_none']}",
        f"{words['since']}{colon} {_moment(crisis.onset, zone, language)}{semi} {opened}",
        f"{words['size']}{colon} {_size(crisis, language)}",
        f"{words['growth']}{colon} {_growth(crisis, language)}",
        f"{words['seen']}{colon} {_seen(crisis, language, zone)}",
        f"{words['kinds']}{colon} {_kinds(crisis, language)}",
        f"{words['where']}{colon} "
        + (
            ", ".join(f"{_short(n, 20)} {m}" for n, m in sorted(crisis.networks.items(), key=lambda x: (-x[1], x[0]))[:5])
            or words["nowhere"]
        ),
        _why(crisis, language),
        f"{words['unknown']}{colon} {_unknown(crisis, language, zone)}",
        f"{words['tasks']}{colon} {_due(crisis, list(tasks), language, zone)}",
    ]
    return [unbroken(line) for line in lines] if language == "fr" else lines


def unbroken(line: str) -> str:
    """Return a French line whose signs stay with their words (no-break spaces), so that none begins a line of its own.

    >>> unbroken("Ampleur : 80 % ; « vrai ? »").replace("\u00a0", "_")
    'Ampleur_: 80_%_; «_vrai_?_»'
    """
    return _FRENCH_SPACE.sub("\u00a0", line)


def _size(crisis: Crisis, language: str) -> str:
    words = WORDS[language]
    mentions, authors = counted(crisis.mentions, words["mention"], language), counted(crisis.authors, words["author"], language)
    text = words["mentions"].format(mentions=mentions, authors=authors, s=100 * crisis.negative_share)
    if crisis.usual_day_authors <= 0:
        return f"{text}{words['semi']} {words['usual_none']}"
    times, usual = crisis.authors / crisis.usual_day_authors, _number(crisis.usual_day_authors, language)
    if times < 1.0:
        part = f"{100 * times:.0f}" if times >= 0.01 else words["under"]
        return f"{text}{words['semi']} " + words["part"].format(part=part, usual=usual)
    return f"{text}{words['semi']} " + words["usual"].format(times=_number(times, language), usual=usual)


def _growth(crisis: Crisis, language: str) -> str:
    words, r, f = WORDS[language], crisis.reproduction, crisis.forecast
    growth = words["growth_none"]
    if r is not None:
        growth = words["more"].format(mean=_number(r.mean, language), low=_number(r.low, language), high=_number(r.high, language))
    if f is None:
        return f"{growth}{words['semi']} {words['forecast_none']}"
    return f"{growth}{words['semi']} " + words["forecast"].format(median=f.median, low=f.low, high=f.high)


def _seen(crisis: Crisis, language: str, zone: tzinfo) -> str:
    words, first = WORDS[language], crisis.originator
    if first is None:
        return words["seen_none"]
    where = f"{_moment(first.published_at, zone, language)} {words['in']} {_short(first.network, 20)}"
    return where + (f" ({words['sources']}{words['colon']} {_short(', '.join(first.sources), 60)})" if first.sources else "")


def _kinds(crisis: Crisis, language: str) -> str:
    ranked = sorted(crisis.kinds.items(), key=lambda item: (-item[1], item[0]))
    text = ", ".join(f"{_word(KINDS, kind, language)} {100 * p:.0f}{WORDS[language]['percent']}" for kind, p in ranked[:3])
    text = text or WORDS[language]["kind_none"]
    if not crisis.kind_set_by:
        return text
    return f"{_word(KINDS, crisis.kind, language)}, {WORDS[language]['set_by']} {_short(crisis.kind_set_by, 40)} ({text})"


def _why(crisis: Crisis, language: str) -> str:
    """Say why it rang, and first what ended it if it is over."""
    words, semi = WORDS[language], WORDS[language]["semi"]
    ended = ended_by(crisis.phase, crisis.contributions)
    said = [_reason(one, language) for one in speaking_for(crisis.contributions)[:2]]
    if crisis.chance is not None:
        said.append(words["chance"].format(p=100 * crisis.chance))
    rang = f"{words['why']}{words['colon']} {f'{semi} '.join(said) or words['why_none']}"
    return f"{words['over']}{words['colon']} {_reason(ended, language)}. {rang}" if ended else rang


def _reason(one: Contribution, language: str) -> str:
    return _short((one.text_fr if language == "fr" else one.text) or one.text, 160)


def _unknown(crisis: Crisis, language: str, zone: tzinfo) -> str:
    words = WORDS[language]
    listed = [words["unverified"]]
    if crisis.originator is None:
        listed.append(words["unknown_origin"])
    silent = sorted(crisis.blind.items())[:5]
    listed += [words["blind"].format(name=_short(name, 40), at=_moment(at, zone, language)) for name, at in silent]
    listed += [_short(caveat_in(caveat, language), 80) for caveat in crisis.caveats[:5]]
    return f"{words['semi']} ".join(listed)


def due_now(tasks: Iterable[Task], phase: str) -> list[Task]:
    """Return what somebody still has to do while a crisis is in ``phase``, the first due first."""
    return sorted((t for t in tasks if t.state in DUE and is_due(t.step, phase)), key=lambda t: (t.due_at or "", t.task_id))


def holder(task: Task, language: str) -> str:
    """Return who has a task: its people, or the role whose turn it is."""
    return ", ".join(task.people) or _word(ROLES, task.deputy if task.state == "escalated" else task.role, language)


def _due(crisis: Crisis, tasks: Sequence[Task], language: str, zone: tzinfo) -> str:
    words = WORDS[language]
    undone = [task for task in tasks if task.state in DUE]
    due = due_now(tasks, crisis.phase)
    shown = []
    for task in due[:3]:
        who = _short(holder(task, language), 60)
        late = f", {words[task.state]}" if task.state in ("late", "escalated") else ""
        shown.append(f"{_short(task.title_in(language), 90)} ({who}, {words['until']} {_hour(task.due_at, zone, language)}{late})")
    if len(due) > 3:
        shown.append(words["and_more"].format(n=len(due) - 3))
    if left := len(undone) - len(due):
        shown.append(words["left_one"] if left == 1 else words["left"].format(n=left))
    has_it = _short(crisis.assigned_to or crisis.acknowledged_by, 60) or words["nobody"]
    return f"{(words['semi'] + ' ').join(shown) or words['tasks_none']}. {words['who']}{words['colon']} {has_it}"


def _word(table: dict[str, dict[str, str]], word: str, language: str) -> str:
    return table[language].get(word, word)


def _short(text: str, limit: int) -> str:
    """Keep one line of what can be seen: control and direction characters go, so that nothing is shown as what it is not."""
    line = "".join(c for c in " ".join(text.split()) if c.isprintable())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _number(value: float, language: str) -> str:
    text = f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
    return text.replace(".", ",") if language == "fr" else text


def _moment(text: str | None, zone: tzinfo, language: str) -> str:
    return _written(text, zone, "%Y-%m-%d %H:%M %Z", language)


def _hour(text: str | None, zone: tzinfo, language: str) -> str:
    return _written(text, zone, "%H:%M %Z", language)


def _written(text: str | None, zone: tzinfo, form: str, language: str) -> str:
    """Write a time of the card; of one that is none (a card that others wrote), say so: everything else is still worth reading."""
    if not text:
        return "-"
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(zone).strftime(form)
    except (ValueError, OverflowError):
        return WORDS[language]["no_time"]
