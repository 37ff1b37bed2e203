"""What changed after an answer: mentions and negative share in the audiences reached, against the forecast made just before.

What comes later has other causes too, so the default is "no effect shown". Counts are those of the latest reading, so that what was
said between it and the publication counts as after.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from schemas.crisis import Effect
from schemas.signal import Forecast, Interval, StoryReading
from streams.clock import rfc3339
from streams.crisis.impact import reaches
from streams.crisis.words import say
from streams.rounding import six

HOUR = 3_600_000
#: An effect is looked for from one hour to one day after the answer, and where at least so many mentions were forecast.
_FROM_MS, _UNTIL_MS, _LEAST = HOUR, 24 * HOUR, 5.0
_Z90 = 1.645
#: Mentions come in bursts: variance over mean (assumed).
_BURSTS = 2.0
#: Hours of the present rate that are still to come, and the factor either way, where there is no forecast (assumed).
_BLIND_HOURS, _BLIND_FACTOR = 6.0, 5.0


class Answered(msgspec.Struct, kw_only=True):
    """A published statement, and what was known just before. ``base``: {story: (mentions, negative) in the rows reached}."""

    statement_id: str
    at_ms: int
    audiences: tuple[str, ...]
    networks: tuple[str, ...]
    #: Mentions an hour, and those still to come (median, low, high), in the rows reached.
    rate: float = 0.0
    to_come: tuple[float, float, float] = (0.0, 0.0, 0.0)
    base: dict[str, tuple[int, int]] = {}
    effect: Effect | None = None


def begin(statement: str, at_ms: int, audiences: tuple[str, ...], networks: tuple[str, ...], stories: Iterable[StoryReading]) -> Answered:
    """Return a published statement with the forecast as it stands now."""
    answered = Answered(statement_id=statement, at_ms=at_ms, audiences=audiences, networks=networks)
    for story in stories:
        whole = sum(row.mentions for row in story.impact)
        if not whole:
            continue
        count, negative, hour = _reached(answered, story)
        answered.base[story.story_id] = (count, negative)
        answered.rate += hour
        more = (_BLIND_HOURS * hour, _BLIND_HOURS * hour / _BLIND_FACTOR, _BLIND_HOURS * hour * _BLIND_FACTOR)
        if (known := story.forecast) is not None:
            median, low, high = (count / whole * max(0.0, end - story.mentions) for end in (known.median, known.low, known.high))
            more = (median, low, high)
        median, low, high = (a + b for a, b in zip(answered.to_come, more, strict=True))
        answered.to_come = (median, low, high)
    answered.effect = Effect(statement_id=statement, published_at=rfc3339(at_ms), audiences=audiences, networks=networks)
    return answered


def look(answered: Answered, at_ms: int, stories: Iterable[StoryReading]) -> Effect | None:
    """Compare what came until ``at_ms`` with the forecast; return the effect, which stays as it is after a day."""
    hours = (min(at_ms, answered.at_ms + _UNTIL_MS) - answered.at_ms) / HOUR
    if at_ms - answered.at_ms > _UNTIL_MS or answered.effect is None:
        return answered.effect
    came, angry = 0, 0
    for story in stories:
        if not story.impact:
            continue
        count, negative, _ = _reached(answered, story)
        if story.story_id not in answered.base:
            answered.base[story.story_id] = _past(answered, story, count, negative)
        before = answered.base[story.story_id]
        came, angry = came + max(0, count - before[0]), angry + max(0, negative - before[1])
    n = sum(count for count, _ in answered.base.values())
    share = sum(negative for _, negative in answered.base.values()) / n if n else 0.0
    after = angry / came if came else share
    expected = _forecast(answered, hours)
    change = _difference(share, n, after, came)
    calm = expected is None or at_ms - answered.at_ms < _FROM_MS or expected.median < _LEAST
    fewer, more = (False, False) if calm or expected is None else (came < expected.low, came > expected.high)
    milder, angrier = (False, False) if calm or change is None else (change.high < 0.0, change.low > 0.0)
    numbers: dict[str, float] = {"came": came, "share": 100 * share, "after": 100 * after}
    if expected is not None:
        numbers |= {"expected": expected.median, "low": expected.low, "high": expected.high}
    shown = fewer or more or milder or angrier
    name = "effect.fewer" if fewer else "effect.more" if more else "effect.milder" if milder else "effect.angrier"
    said = say(name, **numbers) if shown else say("effect.none")
    answered.effect = msgspec.structs.replace(
        answered.effect, until=rfc3339(at_ms), expected=expected, mentions=came, negative_before=six(share), negative_after=six(after),
        negative_change=change, shown=shown, text=said.en, text_fr=said.fr,
    )  # fmt: skip
    return answered.effect


def _reached(answered: Answered, story: StoryReading) -> tuple[int, int, int]:
    """Return mentions, negative ones and mentions of the last hour in the rows that the answer is meant for."""
    rows = [row for row in story.impact if reaches(answered.audiences, answered.networks, row)]
    return sum(row.mentions for row in rows), sum(row.negative for row in rows), sum(row.last_hour for row in rows)


def _past(answered: Answered, story: StoryReading, count: int, negative: int) -> tuple[int, int]:
    """Return what of a story that joins now came before the answer: its stories that were known, or all of an old one's (of which
    nothing was forecast), or nothing."""
    merged = [answered.base.pop(old) for old in story.merged if old in answered.base]
    if merged:
        return sum(a for a, _ in merged), sum(b for _, b in merged)
    return (count, negative) if story.onset_ms < answered.at_ms else (0, 0)


def _forecast(answered: Answered, hours: float) -> Forecast | None:
    """Return how many mentions were to come within ``hours``: all that is to come, thinning out from the rate of the last hour."""
    if answered.rate <= 0.0 or hours <= 0.0:
        return None
    median, low, high = (total * -math.expm1(-hours * answered.rate / total) if total > 0.0 else 0.0 for total in answered.to_come)
    return Forecast(
        median=six(median),
        low=six(max(0.0, low - _Z90 * math.sqrt(_BURSTS * low))),
        high=six(high + _Z90 * math.sqrt(_BURSTS * high) + 2.0),
    )


def _wilson(share: float, n: float) -> tuple[float, float]:
    z = _Z90
    middle, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def _difference(before: float, n: int, after: float, m: int) -> Interval | None:
    """Return the change of a share with its 90 % interval (Newcombe 1998, method 10); as bursts, mentions are half as many votes."""
    if not n or not m:
        return None
    (l1, u1), (l2, u2) = _wilson(before, n / _BURSTS), _wilson(after, m / _BURSTS)
    change = after - before
    return Interval(
        mean=six(change), low=six(change - math.hypot(after - l2, u1 - before)), high=six(change + math.hypot(u2 - after, before - l1))
    )
