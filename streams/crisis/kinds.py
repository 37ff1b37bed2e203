"""What kind of crisis it is, with probabilities and reasons. All weights are assumed, not fitted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from schemas.signal import StoryReading


class Kinds(NamedTuple):
    """``best`` is one of `schemas.crisis.KINDS`; ``probabilities`` sum to 1; ``reasons`` say what spoke for it."""

    best: str
    probabilities: dict[str, float]
    reasons: tuple[str, ...]


def assess(stories: Sequence[StoryReading], negative_share: float, usual_negative_share: float) -> Kinds:
    """Judge the kind from the stories of a crisis.

    - *corporate*: the press came before it grew, or a large share of it is press pieces and links to them.
    - *rumour*: an unverified claim, seen by its reactions (hearsay, denials, questions, fact checks). It means
      "unverified", never "false".
    - *own post*: the root, quoted post or linked page was published by an owned account, and what comes back is negative
      and more in answers than in reshares. Being addressed to the brand is no sign of it.
    - *snowball*: what is born on the networks and is none of these.
    """
    n = sum(story.mentions for story in stories)
    scores = {"snowball": 1.0, "corporate": -1.2, "rumour": -1.2, "own_post": -1.6}
    reasons: list[str] = []
    if n == 0:
        return Kinds("snowball", _soft(scores), ("nothing known of its stories yet",))

    def part(pick: str) -> float:
        return sum(story.cues.get(pick, 0) for story in stories) / n

    press = sum(story.press for story in stories)
    first = sum(story.mentions for story in stories if story.press_first) / n
    if first >= 0.3:
        scores["corporate"] += 2.8 * min(1.0, first / 0.6)
        reasons.append(f"corporate: the press had it before it grew ({first:.0%} of the mentions)")
    if press:
        share = press / n
        scores["corporate"] += min(1.6, 0.4 * math.log1p(press) + 4.0 * share)
        reasons.append(f"corporate: {press} press piece{'s' if press > 1 else ''} or links to them among {n} mentions")

    hearsay, denial, check, question = part("hearsay"), part("denial"), part("fact_check"), part("question")
    doubt = 8.0 * hearsay + 8.0 * denial + 12.0 * check + 2.0 * question
    if hearsay + denial + check > 0.02:
        scores["rumour"] += min(4.0, doubt)
        said = [f"{name} {share:.0%}" for name, share in (("hearsay", hearsay), ("denials", denial), ("fact checks", check)) if share > 0]
        reasons.append("rumour: an unverified claim (" + ", ".join(said) + ")")
    witness = part("first_person") + part("customer")
    if witness > 0.1:
        scores["snowball"] += min(1.0, 2.0 * witness)
        reasons.append(f"snowball: {min(witness, 1.0):.0%} speak of what happened to themselves")

    own = [story for story in stories if story.own_post]
    mine = sum(story.mentions for story in own) / n
    if mine > 0.2:
        replies, reshares = sum(s.replies for s in own), sum(s.reshares for s in own)
        ratio = replies / max(1, replies + reshares)
        negative = sum(s.negative_share * s.mentions for s in own) / max(1, sum(s.mentions for s in own))
        against = max(0.0, negative - usual_negative_share)
        scores["own_post"] += 1.5 * min(1.0, mine / 0.5) + 3.0 * min(1.0, against / 0.3) + 1.5 * (ratio - 0.3)
        reasons.append(f"own post: {mine:.0%} of it hangs on the brand's own post; {negative:.0%} negative, {ratio:.0%} answers")
    probabilities = _soft(scores)
    best = max(probabilities, key=lambda kind: (probabilities[kind], kind == "snowball"))
    if not reasons:
        reasons.append("snowball: born on the networks, no press, no claim in doubt, no post of the brand's own")
    return Kinds(best, probabilities, tuple(reasons))


def _soft(scores: dict[str, float]) -> dict[str, float]:
    """Turn log-odds into probabilities, rounded to four digits."""
    top = max(scores.values())
    parts = {kind: math.exp(score - top) for kind, score in scores.items()}
    total = sum(parts.values())
    return {kind: round(value / total, 4) for kind, value in parts.items()}
