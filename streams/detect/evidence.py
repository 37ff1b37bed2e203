"""What one mention weighs: as a vote, as a negative one, as a sign of trouble."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.enriched import Enriched
from streams.rounding import GRID

#: Cues that speak of a rumour rather than of an opinion.
DOUBT = frozenset({"hearsay", "denial", "fact_check", "question"})
#: How crisis words begin that tell what happened to a customer: who is not angry about it may well be thankful for the help.
_SERVICE = "outage:"
#: How crisis words begin that call on others to act against the brand.
CALL = "boycott:"
_STRONG_DOUBT = frozenset({"hearsay", "denial", "fact_check", "petition"})


#: (vote, negative, trouble, silent, crisis, doubt). ``vote``: how much of an independent person, 0 to 1; ``negative``,
#: ``trouble``: parts of that vote; ``silent``: the mention says nothing of its own (a bare reshare) and takes the tone of what it shares.
Weight = tuple[float, float, float, bool, bool, bool]
#: The weight of what is nobody's vote.
NOBODY: Weight = (0.0, 0.0, 0.0, False, False, False)
#: Authors and near-copies whose repeats are counted within an hour.
MAX_NAMES = 192


def calls(mention: Enriched) -> bool:
    """Say whether a mention calls on others to act against the brand: a boycott, a petition."""
    if "petition" in mention.cues:
        return True
    for word in mention.crisis_words:  # noqa: SIM110 (any() costs more than most mentions have words)
        if word.startswith(CALL):
            return True
    return False


def weigh(mention: Enriched, repeats: int) -> Weight:
    """Return the weight of a mention whose author or text came ``repeats`` times before within the hour.

    One vote for each author and near-copy cluster: a repeat counts 1 / (1 + repeats). The brand's own posts are nobody's
    vote. Trouble is the share of a vote that speaks of a problem; neutral talk counts little, praise nothing. Values assumed.
    """
    if mention.author_marks and "owned" in mention.author_marks:
        return NOBODY
    # Below even odds a mention is nobody's vote: doubtful ones come in hundreds, and their doubts are one doubt.
    organic = mention.organic_pm
    vote = (organic - 350) / 650.0 if organic > 350 else 0.0
    if repeats:
        vote /= 1.0 + repeats
    cues, polarity = mention.cues, mention.polarity
    words, crisis, doubt = mention.crisis_words, False, False
    if cues:
        doubt = not DOUBT.isdisjoint(cues)
    if words:
        crisis = polarity == "negative" or not all(word.startswith(_SERVICE) for word in words)
        share = 0.3 if polarity == "positive" else 0.9
    elif polarity == "negative":
        share = max(0.6, mention.negative_pm / 1000.0)
    elif cues and not _STRONG_DOUBT.isdisjoint(cues):
        share = 0.5
    elif polarity == "positive":
        share = 0.0
    else:
        share = 0.05
    silent = not polarity and not words and mention.kind == "reshare"
    # As `on_grid` rounds, without the calls.
    vote = (vote + GRID) - GRID
    return vote, vote if polarity == "negative" else 0.0, (vote * share + GRID) - GRID, silent, crisis, doubt


def heaviest(names: dict[int, int]) -> dict[int, int]:
    """Take one off every count and drop what is at zero: frequent names stay (Misra and Gries 1982)."""
    left = {name: count - 1 for name, count in names.items() if count > 1}
    return left if len(left) <= MAX_NAMES // 2 else dict(list(left.items())[MAX_NAMES // 4 :])


def planned(mention: Enriched, weight: Weight, calendar: Iterable[tuple[int, int, tuple[str, ...], float]]) -> Weight:
    """Return ``weight`` less what a brand's ``calendar`` expects of the mention's terms."""
    for start, end, terms, expect in calendar:
        if start <= mention.applies_ms < end and any(term in mention.terms or term in mention.hashtags for term in terms):
            return (weight[0] / expect, weight[1], weight[2] / expect, *weight[3:]) if expect > 1.0 else weight
    return weight
