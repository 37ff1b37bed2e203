"""A derived signal in words, French or English, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.signal import Signal
from streams.backtest.explain import Explained
from streams.caveats import caveat_in
from streams.clock import rfc3339
from streams.crisis.words import clean, reason
from streams.plurals import counted

#: {what is said: (English, French)}
_SAID = {
    "same": ("same: the log gives this signal, field for field", "identique : le journal redonne ce signal, champ pour champ"),
    "same_numbers": (
        "same numbers: only its places in the log, or the hash of settings that change nothing here, differ",
        "mêmes nombres : seules ses places dans le journal, ou l'empreinte de réglages sans effet ici, diffèrent",
    ),
    "settings_changed": (
        "differs: it was made with other settings (hash {sent}, now {now}); set VEILLE_DETECT__… as they were",
        "diffère : il a été calculé avec d'autres réglages (empreinte {sent}, maintenant {now}) ; remettez VEILLE_DETECT__…",
    ),
    "log_cut": (
        "cannot be held against the log: its first {start} records are deleted, and with them what was usual before",
        "ne peut être vérifié : les {start} premiers enregistrements du journal sont effacés, et avec eux ce qui était habituel",
    ),
    "differs": (
        "differs, with the same settings and the whole log: another release, or records were removed within the log",
        "diffère, avec les mêmes réglages et le journal entier : autre version, ou des enregistrements ont été retirés",
    ),
    "not_derived": (
        "the log does not give it, with the same settings and from the beginning: another release, or records were removed",
        "le journal ne le redonne pas, avec les mêmes réglages et depuis le début : autre version, ou enregistrements retirés",
    ),
    "not_recorded": (
        "derived from the log; as it was sent it is no longer kept, so there is nothing to hold it against",
        "redonné par le journal ; tel qu'envoyé il n'est plus conservé, il n'y a rien à comparer",
    ),
    "number": ("score {score} against threshold {threshold}: {passed}", "score {score} pour un seuil de {threshold} : {passed}"),
    "passed": ("passed, {margin} times rarer", "dépassé, {margin} fois plus rare"),
    "not passed": ("not passed", "non dépassé"),
    "windows": ("expected and seen:", "attendu et vu :"),
    "window": (
        "{name:>4}: {votes}, {expected} expected; {negatives} negative, {usual} expected; surprise {surprise} ({came})",
        "{name:>4} : {votes}, {expected} attendues ; {negatives} négatives, {usual} attendues ; surprise {surprise} ({came})",
    ),
    "came": ("{count} with repeats and copies", "{count} avec les répétitions et les copies"),
    "came before": (
        "{count} with repeats, copies and {before} of a past alarm, {negative} of them negative",
        "{count} avec les répétitions, les copies et {before} d'une alerte passée, dont {negative} négatives",
    ),
    "reasons": ("reasons:", "raisons :"),
    "stories": ("stories:", "histoires :"),
    "story": (
        "{id} (by {by}): {mentions} by {authors}, score {score}, {negative}% negative, growth {growth}",
        "{id} (par {by}) : {mentions} de {authors}, score {score}, {negative} % négatives, croissance {growth}",
    ),
    "inputs": (
        "raw records since the signal before: {spans}; settings {settings}; state {state}",
        "enregistrements bruts depuis le signal précédent : {spans} ; réglages {settings} ; état {state}",
    ),
    "differences": ("recorded, derived", "enregistré, redonné"),
}  # fmt: skip
#: French of what a signal is, and of what holds a story together; English says them as they are.
_KINDS = {
    "reading": "mesure", "blind": "aveugle : une source est muette", "sighted": "les sources parlent de nouveau",
    "suspect_feed": "flux suspect", "rebased": "nouvelle base", "declared": "crise déclarée", "near_miss": "presque une alerte",
}  # fmt: skip
_BY = {"cascade": "cascade", "link": "lien", "copy": "copies", "terms": "mots", "calls": "appels"}


def lines(found: Explained, language: str, settings_now: str) -> Iterator[str]:
    """Yield the lines of one explained signal in ``language`` ("en" or "fr"); no text of a mention is among them."""
    french = language == "fr"

    def n(value: float, form: str) -> str:
        return format(value, form).replace(".", ",") if french else format(value, form)

    def say(said: str, **values: Any) -> str:
        return _SAID[said][french].format(**values)

    signal = found.shown
    yield f"{found.signal_id}  {rfc3339(signal.at_ms)}  {_KINDS.get(signal.kind, signal.kind) if french else signal.kind}"
    passed = say("passed", margin=n(signal.margin, ".3g")) if signal.over else say("not passed")
    yield say("number", score=n(signal.score, ".3f"), threshold=n(signal.threshold, ".3f"), passed=passed)
    if signal.contributions:
        yield say("reasons")
        for one in signal.contributions:
            yield f"  {n(one.log_odds, '+6.2f')}  {clean(reason(one, language), 160)}"
    if signal.windows:
        yield say("windows")
        for w in signal.windows:
            # A signal of an earlier release does not say what was scored.
            votes, expected = (w.votes, w.expected_votes) if w.expected_votes else (w.count, w.expected)
            came = say("came before" if w.before else "came", count=w.count, before=w.before, negative=w.negatives_before)
            yield "  " + say(
                "window", name=w.name, votes=counted(votes, "mention", language), expected=n(expected, ".1f"), negatives=w.negatives,
                usual=n(w.expected_negatives, ".1f"), surprise=n(w.surprise, ".2f"), came=came,
            )  # fmt: skip
    if signal.stories:
        yield say("stories")
        for story in signal.stories:
            authors = counted(story.authors, "auteur" if french else "author", language)
            growth, by = "-", _BY.get(story.by, story.by) if french else story.by
            if story.growth is not None:
                low, high = n(story.growth.low, ".2f"), n(story.growth.high, ".2f")
                growth = f"{n(story.growth.mean, '.2f')} ({low} {'à' if french else 'to'} {high})"
            yield "  " + say(
                "story", id=clean(story.story_id, 60), by=by, mentions=counted(story.mentions, "mention", language), authors=authors,
                score=n(story.score, ".2f"), negative=n(100 * story.negative_share, ".0f"), growth=growth,
            )  # fmt: skip
    for caveat in signal.caveats:
        yield f"! {clean(caveat_in(caveat, language), 160)}"
    spans = ", ".join(f"{partition}: {first}-{last}" for partition, first, last in signal.inputs) or "-"
    yield say("inputs", spans=spans, settings=signal.settings_hash or "-", state=signal.state_hash or "-")
    yield say(found.verdict, sent=signal.settings_hash or "-", now=settings_now, start=found.log_start)
    if found.differences:
        yield f"  ({say('differences')})"
        for name, one, two in found.differences:
            yield f"  {clean(name, 80)}: {clean(repr(one), 60)}, {clean(repr(two), 60)}"


def as_object(found: Explained, settings_now: str) -> dict[str, Any]:
    """Return what was found as one JSON object; ``signal`` without its samples of text."""
    signal: Signal = found.shown
    shown = {name: getattr(signal, name) for name in signal.__struct_fields__ if name != "samples"}
    reasons = [
        {"name": one.name, "log_odds": one.log_odds, "text": reason(one, "en"), "text_fr": reason(one, "fr")}
        for one in signal.contributions
    ]
    return {
        "signal_id": found.signal_id, "verdict": found.verdict, "holds": found.holds, "settings_hash": settings_now,
        "log_start": found.log_start, "signal": {**shown, "contributions": reasons},
        "differences": [{"field": name, "recorded": one, "derived": two} for name, one, two in found.differences],
    }  # fmt: skip
