"""What one mention weighs: as a vote, as a negative one, as a sign of trouble."""

from __future__ import annotations

from typing import NamedTuple

from schemas.enriched import Enriched

#: Cues that speak of a rumour rather than of an opinion.
DOUBT = frozenset({"hearsay", "denial", "fact_check", "question"})
_STRONG_DOUBT = frozenset({"hearsay", "denial", "fact_check", "petition"})


class Weight(NamedTuple):
    """``vote``: how much of an independent person, 0 to 1. ``negative``, ``trouble``: parts of that vote."""

    vote: float
    negative: float
    trouble: float
    #: The mention says nothing of its own (a bare reshare): it takes the tone of what it shares.
    silent: bool
    crisis: bool
    doubt: bool


#: The weight of what is nobody's vote.
SILENT = Weight(0.0, 0.0, 0.0, False, False, False)


def weigh(mention: Enriched, repeats: int) -> Weight:
    """Return the weight of a mention whose author or text came ``repeats`` times before within the hour.

    One vote for each author and near-copy cluster: a repeat counts 1 / (1 + repeats). The brand's own posts are nobody's
    vote. Trouble is the share of a vote that speaks of a problem; neutral talk counts little, praise nothing. Values assumed.
    """
    if "owned" in mention.author_marks:
        return SILENT
    # Below even odds a mention is nobody's vote: doubtful ones come in hundreds, and their doubts are one doubt.
    vote = max(0.0, mention.organic_pm - 350) / 650.0 / (1.0 + repeats)
    crisis = bool(mention.crisis_words)
    cues = mention.cues
    doubt = bool(cues) and not DOUBT.isdisjoint(cues)
    polarity = mention.polarity
    if crisis:
        share = 0.3 if polarity == "positive" else 0.9
    elif polarity == "negative":
        share = max(0.6, mention.negative_pm / 1000.0)
    elif cues and not _STRONG_DOUBT.isdisjoint(cues):
        share = 0.5
    elif polarity == "positive":
        share = 0.0
    else:
        share = 0.05
    silent = mention.kind == "reshare" and not polarity and not crisis
    return Weight(vote, vote if polarity == "negative" else 0.0, vote * share, silent, crisis, doubt)
