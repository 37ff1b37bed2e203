"""Who speaks: the audience of one enriched mention, by rules, with the reason. A function of the mention alone."""

from __future__ import annotations

from schemas.enriched import Enriched

#: From so many followers on an account speaks to a public of its own (assumed: where networks call a creator mid-sized).
LARGE_FOLLOWERS = 50_000
#: Hashtags that call to act against a brand, folded.
_CALLS = ("boycot", "balanceton", "metoo", "cancel")


def audience_of(mention: Enriched) -> tuple[str, str]:
    """Return (audience, reason in English); the audience is one of `schemas.signal.AUDIENCES`, or "own" for the brand itself.

    The first rule that holds decides: who publishes for others comes before what they say of themselves, and that before the
    size of the account, since an employee with many followers is answered as an employee.

    >>> audience_of(Enriched(brand="a", id="1", network="x", partition=0, offset=0, applies_ms=0, published_ms=0, cues=("employee",)))
    ('employee', 'speaks of working there')
    """
    marks, cues = mention.author_marks, mention.cues
    if "owned" in marks:
        return "own", "an account of the brand"
    if "press" in marks or mention.network_class == "press":
        return "press", "published by the press"
    if "investor" in cues:
        return "investor", "speaks of shares or results"
    if "employee" in cues:
        return "employee", "speaks of working there"
    if "petition" in cues:
        return "activist", "calls to sign a petition"
    for word in mention.crisis_words:
        if word.startswith("boycott:"):
            return "activist", "calls for a boycott"
    for tag in mention.hashtags:
        if tag.startswith(_CALLS):
            return "activist", "a hashtag that calls to act"
    if "public_figure" in marks:
        return "public_figure", "a public figure"
    if mention.followers >= LARGE_FOLLOWERS:
        return "public_figure", f"a large account ({mention.followers} followers)"
    if "customer" in cues:
        return "customer", "speaks as a customer"
    if mention.network_class == "review" or mention.kind == "review":
        return "customer", "wrote a review"
    if mention.addressed and "first_person" in cues:
        return "customer", "tells the brand of something that happened to them"
    return "other", "nothing tells more"
