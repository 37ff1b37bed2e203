"""Builds the card of a crisis from what the signals say of it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from schemas.crisis import Crisis, OriginatorRef, Sample, StoryRef
from schemas.desk import ACTIVE, DECLARED
from schemas.signal import Signal, StoryReading
from streams.captures import kept
from streams.clock import rfc3339
from streams.crisis import kinds, severity
from streams.crisis.effect import look
from streams.crisis.headline import headlines
from streams.crisis.impact import add_up, unanswered, voices_of
from streams.crisis.state import MAX_STORIES, MAX_TERMS, MAX_WORDS, BrandState, Life, sample_words
from streams.crisis.words import clean, reason, says_something
from streams.gravity import authors_forecast
from streams.rounding import six

_KNOWN_STORIES = 200


def crisis_id(brand: str, onset_ms: int, number: int) -> str:
    """Return the id of a brand's ``number``-th crisis, from its inputs alone.

    >>> crisis_id("acme", 0, 2)
    'acme-19700101T000000-2'
    """
    return f"{brand}-{datetime.fromtimestamp(onset_ms // 1000, UTC):%Y%m%dT%H%M%S}-{number}"


def begin(state: BrandState, onset_ms: int, phase: str) -> Life:
    """Start a crisis of ``state``'s brand in ``phase`` and count it."""
    state.count += 1
    card = Crisis(
        crisis_id=crisis_id(state.brand, onset_ms, state.count), brand=state.brand, phase=phase, onset=rfc3339(onset_ms),
        headline=state.brand, page_severity=state.page_severity, timezone=state.timezone,
    )  # fmt: skip
    life = Life(card=card)
    state.lives.append(life)
    return life


def own_stories(state: BrandState, signal: Signal) -> dict[str, list[StoryReading]]:
    """Return {crisis id: the stories of ``signal`` that belong to it already}: one story, one crisis, a live one first."""
    ranked = sorted(state.lives, key=lambda life: life.card.phase not in ACTIVE)
    found: dict[str, list[StoryReading]] = {}
    for story in signal.stories:
        holder = next((life for life in ranked if story.story_id in life.story_ids), None) or next(
            (life for life in ranked if any(old in life.story_ids for old in story.merged)), None
        )
        if holder is not None:
            found.setdefault(holder.card.crisis_id, []).append(story)
    return found


def absorb(life: Life, signal: Signal, stories: list[StoryReading], leads: bool) -> None:
    """Take over the numbers of ``signal``: of ``stories``, and of the brand where it ``leads`` (is what rings)."""
    for story in stories:
        for old in story.merged:
            life.readings.pop(old, None)
        if story.story_id not in life.story_ids:
            life.story_ids.append(story.story_id)
            del life.story_ids[:-_KNOWN_STORIES]
        known = life.readings.get(story.story_id)
        # Detect forgets a table once what rang is over; the card does not.
        life.readings[story.story_id] = story if story.impact or known is None else msgspec.structs.replace(story, impact=known.impact)
        life.terms += [term for term in story.terms if term not in life.terms][: MAX_TERMS - len(life.terms)]
        fresh = sample_words(signal, story)
        life.words = [*(word for word in life.words if word not in fresh), *fresh][-MAX_WORDS:]
    if len(life.readings) > MAX_STORIES:
        ranked = sorted(life.readings.values(), key=lambda s: (-s.mentions, s.story_id))
        life.readings = {story.story_id: story for story in ranked[:MAX_STORIES]}
    life.seen = True
    _redraw(life, signal, leads)


def _redraw(life: Life, signal: Signal, leads: bool) -> None:
    old = life.card
    stories = _counted(life)
    mentions = sum(s.mentions for s in stories)
    authors = sum(s.authors for s in stories)
    negative = sum(s.negative_share * s.mentions for s in stories) / mentions if mentions else old.negative_share
    if leads and not stories:
        mentions, authors, negative = max(signal.mentions, old.mentions), max(signal.authors, old.authors), signal.negative_share
    mentions, authors = max(mentions, old.mentions), max(authors, old.authors)
    top = stories[0] if stories else None
    forecast = authors_forecast(stories, signal.at_ms) or (signal.forecast_authors_24h if leads else None) or old.forecast
    judged = severity.assess(forecast, authors, signal.usual_day_authors, stories)
    life.severity_now = judged.level
    kind = kinds.assess(stories, signal)
    first = min((s.originator for s in stories if s.originator), key=lambda o: (o.published_ms, o.mention_id), default=None)
    networks: dict[str, int] = {}
    for story in stories:
        for network, count in sorted(story.networks.items()):
            networks[network] = networks.get(network, 0) + count
    ids = {sample for story in stories for sample in story.samples}
    samples = tuple(Sample(mention_id=i, network=n, text=clean(t, 280)) for i, n, t in signal.samples if not ids or i in ids)[:5]
    onsets = [s.onset_ms for s in stories if s.onset_ms] or ([signal.onset_ms] if leads and signal.onset_ms else [])
    onset = min([*(rfc3339(ms) for ms in onsets), old.onset], key=_instant)
    card = msgspec.structs.replace(
        old, onset=onset, mentions=mentions, authors=authors, negative_share=six(negative),
        kind=old.kind if old.kind_set_by else kind.best, kinds=kind.probabilities,
        kind_reasons=tuple(said.en for said in kind.reasons), kind_reasons_fr=tuple(said.fr for said in kind.reasons),
        severities=judged.probabilities,
        severity_reasons=tuple(said.en for said in judged.reasons), severity_reasons_fr=tuple(said.fr for said in judged.reasons),
        reproduction=(top.growth if top else None) or old.reproduction, forecast=forecast,
        stories=tuple(StoryRef(story_id=s.story_id, by=s.by, terms=s.terms, mentions=s.mentions) for s in stories),
        networks=networks or old.networks, samples=samples or old.samples, caveats=signal.caveats,
        originator=old.originator if first is None else OriginatorRef(
            mention_id=first.mention_id, network=first.network, published_at=rfc3339(first.published_ms), author=first.author,
            sources=first.sources,
        ),
    )  # fmt: skip
    if leads:
        life.whole, life.own_networks = signal.impact, signal.own_networks
    rows = add_up([story.impact for story in stories] or [life.whole])
    effects = tuple(found for one in life.answered if (found := look(one, signal.at_ms, life.readings.values())) is not None)
    card = msgspec.structs.replace(
        card, impact=rows or old.impact, voices=voices_of(rows) or old.voices, effects=effects,
        unanswered=unanswered(rows, life.own_networks, effects), own_posts=life.own_networks or old.own_posts,
    )  # fmt: skip
    if leads:
        card = msgspec.structs.replace(
            card, score=signal.score, threshold=signal.threshold, chance=signal.chance, usual_day_authors=six(signal.usual_day_authors),
            contributions=tuple(
                msgspec.structs.replace(c, text=clean(reason(c), 300), text_fr=clean(reason(c, "fr"), 300))
                for c in signal.contributions
                if says_something(c)
            ),
        )  # fmt: skip
    life.card = with_headline(card, life.terms)


def _counted(life: Life) -> list[StoryReading]:
    """Return the stories that are counted, largest first: what a declaration collects holds what the watch found as well."""
    stories = sorted(life.readings.values(), key=lambda s: (-s.mentions, s.story_id))
    declared = [story for story in stories if story.story_id.startswith(DECLARED)]
    found = [story for story in stories if not story.story_id.startswith(DECLARED)]
    return declared if sum(s.mentions for s in declared) > sum(s.mentions for s in found) else found


def with_headline(card: Crisis, terms: list[str]) -> Crisis:
    """Return ``card`` with the headlines that its numbers make; the words of a person who declared it stay."""
    declared = card.headline.split(" | ")[0] if card.declared_by else ""
    if declared and not (card.kinds or card.kind_set_by or card.mentions):  # nobody knows more than the person said
        return msgspec.structs.replace(card, headline=declared, headline_fr=declared)
    en, fr = headlines(card.brand, card.kind, terms, card.mentions, card.authors, card.negative_share)
    if declared:
        en, fr = f"{declared} | {en}", f"{declared} | {fr}"
    return msgspec.structs.replace(card, headline=en, headline_fr=fr)


def seal(life: Life, state: BrandState, event: str, at_ms: int, **changes: object) -> Crisis:
    """Number the next event, put phase, CAP words and times on the card, and return it as the life's card."""
    state.event_seq += 1
    # The brand's own, also for a crisis that a person declared before the watch had a word of the brand.
    own = {"page_severity": state.page_severity, "timezone": state.timezone}
    card = msgspec.structs.replace(life.card, **({"to_correct": ()} | own | changes))
    top = max(life.readings.values(), key=lambda s: (s.mentions, s.story_id), default=None)
    if life.snoozed and event in ("escalated", "reopened"):
        life.muted_ms, life.snoozed = 0, False
    muted = life.muted_ms > at_ms
    closed = card.phase in ("resolved", "cancelled", "merged")
    card = msgspec.structs.replace(
        card, seq=state.event_seq, updated_at=rfc3339(at_ms), blind={k: rfc3339(v) for k, v in sorted(state.blind.items())},
        severity_cap=severity.CAP_SEVERITY[card.severity],
        urgency=severity.urgency(card.phase, card.severity, top.p_growing if top else 0.0, top.doubling_minutes if top else None),
        certainty=severity.certainty(card.phase, bool(card.declared_by), bool(card.acknowledged_by)),
        msg_type={"suspected": "Alert", "opened": "Alert", "reopened": "Alert", "cancelled": "Cancel"}.get(event, "Update"),
        references=(life.last_event,) if life.last_event else (),
        muted_until=rfc3339(life.muted_ms) if muted else None, snoozed=muted and life.snoozed,
        page=card.phase in ("open", "escalated") and not muted and not closed and card.severity >= card.page_severity,
    )  # fmt: skip
    if card.page and not life.paged_ms and not card.declared_by:
        life.paged_ms = at_ms
    life.card = kept(card)
    life.told_ms = at_ms
    life.told_mentions = card.mentions
    life.last_event = f"{state.brand}-{state.event_seq}"
    return card


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
