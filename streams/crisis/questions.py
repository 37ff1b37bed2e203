"""Near misses are put to the desk: was this one? At most three a week; the votes are labels for detection."""

from __future__ import annotations

import msgspec

from schemas.crisis import Crisis, Sample, StoryRef
from schemas.desk import NONE
from schemas.signal import Signal
from streams.clock import rfc3339
from streams.crisis.state import MAX_TERMS, BrandState
from streams.crisis.words import clean, reason

A_WEEK, WEEK_MS = 3, 7 * 24 * 3_600_000


def ask(state: BrandState, signal: Signal) -> list[tuple[str, Crisis]]:
    """Return the question that a near miss makes, or nothing where the week's three are spent.

    Its card has phase "none"; its ``crisis_id`` is what a `vote` names as its question.
    """
    if len(state.asked) >= A_WEEK and signal.at_ms - state.asked[-A_WEEK] < WEEK_MS:
        return []
    state.asked = [*state.asked, signal.at_ms][-A_WEEK:]
    state.event_seq += 1
    lead = max(signal.stories, key=lambda s: (s.score, s.mentions, s.story_id), default=None)
    about = clean(" ".join((lead.terms if lead else ())[:3]), 60)
    number = f"{state.brand}-question-{state.event_seq}"
    card = Crisis(
        crisis_id=number, brand=state.brand, phase=NONE, onset=rfc3339(signal.onset_ms or signal.at_ms), certainty="Unlikely",
        headline=f"Was this one? {state.brand}" + (f", about “{about}”" if about else ""),
        headline_fr=f"Était-ce une crise ? {state.brand}" + (f", autour de « {about} »" if about else ""),
        seq=state.event_seq, updated_at=rfc3339(signal.at_ms), msg_type="Update", mentions=signal.mentions, authors=signal.authors,
        negative_share=signal.negative_share, score=signal.score, threshold=signal.threshold, timezone=signal.timezone,
        contributions=tuple(
            msgspec.structs.replace(c, text=clean(reason(c), 300), text_fr=clean(reason(c, "fr"), 300)) for c in signal.contributions
        ),
        stories=tuple(StoryRef(story_id=s.story_id, by=s.by, terms=s.terms[:MAX_TERMS], mentions=s.mentions) for s in signal.stories),
        samples=tuple(Sample(mention_id=i, network=n, text=clean(t, 280)) for i, n, t in signal.samples)[:5],
        note="answer with: vote, label yes or no",
    )  # fmt: skip
    return [("asked", card)]
