"""What kind of crisis it is, with probabilities and reasons. All weights are assumed, not fitted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from schemas.signal import Signal, StoryReading
from streams.claims import CUES, in_doubt
from streams.crisis.words import Said, say

#: Log-odds before anything is known (assumed).
PRIOR = {"snowball": 1.0, "corporate": -1.2, "rumour": -1.2, "own_post": -1.6}
#: Of an owned account of which no usual post is known (assumed): answers for one reshare or like, since people like far more often
#: than they answer, and the negative share of answers.
USUAL_RATIO, USUAL_NEGATIVE = 0.05, 0.25
#: How much a claim in doubt speaks for a rumour among crises, where doubt is rarer than among claims (assumed).
_DOUBT = 2.5
#: What hangs on own posts from this share on can make an own-post crisis.
_LEAST_OWN = 0.2


class Kinds(NamedTuple):
    """``best`` is one of `schemas.crisis.KINDS`; ``probabilities`` sum to 1; ``reasons`` say what spoke for it."""

    best: str
    probabilities: dict[str, float]
    reasons: tuple[Said, ...]


def assess(stories: Sequence[StoryReading], signal: Signal) -> Kinds:
    """Judge the kind from the stories of a crisis; ``signal`` says what is usual for the brand.

    - *corporate*: the press came before it grew, or a large share of it is press pieces and what hangs on them.
    - *rumour*: an unverified claim, seen by its reactions (hearsay, denials, questions, fact checks). It means
      "unverified", never "false".
    - *own post*: the root, quoted post or linked page was published by an owned account, and answers and quotes are mostly
      negative and many against reshares and likes, compared with that account's usual. Being addressed to the brand is no sign.
    - *snowball*: what is born on the networks and is none of these.
    """
    n = sum(story.mentions for story in stories)
    scores = dict(PRIOR)
    if n == 0:
        return Kinds("snowball", _soft(scores), (say("kind.unknown"),))
    reasons: list[Said] = []
    _corporate(stories, n, scores, reasons)
    _rumour(stories, n, scores, reasons)
    _own_post(stories, n, signal, scores, reasons)
    probabilities = _soft(scores)
    best = max(probabilities, key=lambda kind: (probabilities[kind], kind == "snowball"))
    return Kinds(best, probabilities, tuple(reasons) or (say("kind.snowball"),))


def _corporate(stories: Sequence[StoryReading], n: int, scores: dict[str, float], reasons: list[Said]) -> None:
    press = sum(story.press for story in stories)
    first = sum(story.mentions for story in stories if story.press_first) / n
    if first >= 0.3:
        scores["corporate"] += 2.8 * min(1.0, first / 0.6)
        reasons.append(say("kind.press_first", share=100 * first))
    if press:
        scores["corporate"] += min(1.6, 0.4 * math.log1p(press) + 4.0 * press / n)
        reasons.append(say("kind.press", press=press, mentions=n))


def _rumour(stories: Sequence[StoryReading], n: int, scores: dict[str, float], reasons: list[Said]) -> None:
    def part(cue: str) -> float:
        return sum(story.cues.get(cue, 0) for story in stories) / n

    hearsay, denial, check = part("hearsay"), part("denial"), part("fact_check")
    if hearsay + denial + check > 0.02:
        doubt = in_doubt({cue: sum(story.cues.get(cue, 0) for story in stories) for cue in CUES}, n)
        scores["rumour"] += min(4.0, max(0.0, _DOUBT * math.log(doubt / (1.0 - doubt))))
        reasons.append(say("kind.rumour", hearsay=100 * hearsay, denial=100 * denial, check=100 * check))
    witness = part("customer")  # "I" and "we" alone are said of everything
    if witness > 0.1:
        scores["snowball"] += min(1.0, 2.0 * witness)
        reasons.append(say("kind.witness", share=min(100.0, 100 * witness)))


def _own_post(stories: Sequence[StoryReading], n: int, signal: Signal, scores: dict[str, float], reasons: list[Said]) -> None:
    answers, reshares = sum(s.own_answers for s in stories), sum(s.own_reshares for s in stories)
    share = (answers + reshares) / n
    if share < _LEAST_OWN or not answers:
        return
    usual_negative = signal.usual_own_negative or USUAL_NEGATIVE
    # A few answers say little: four usual ones stand beside them.
    negative = (sum(s.own_negative for s in stories) + 4.0 * usual_negative) / (answers + 4.0)
    ratio = answers / (1.0 + reshares + sum(s.own_likes for s in stories))
    usual_ratio = signal.usual_own_ratio or USUAL_RATIO
    against = min(1.0, max(-1.0, (negative - max(usual_negative, 0.2)) / 0.3))
    many = min(1.0, max(-1.0, math.log(ratio / usual_ratio) / math.log(10.0)))
    # Both must hold: angry answers to a post that most people like are no crisis of it, nor are many friendly ones.
    scores["own_post"] += min(1.0, share / 0.5) + 4.5 * min(against, many)
    if min(against, many) > 0.0:
        numbers = {"share": 100 * share, "negative": 100 * negative, "usual": 100 * usual_negative}
        reasons.append(say("kind.own_post", **numbers, ratio=ratio, usual_ratio=usual_ratio))


def _soft(scores: dict[str, float]) -> dict[str, float]:
    """Turn log-odds into probabilities, rounded to four digits."""
    top = max(scores.values())
    parts = {kind: math.exp(score - top) for kind, score in scores.items()}
    total = sum(parts.values())
    return {kind: round(value / total, 4) for kind, value in parts.items()}
