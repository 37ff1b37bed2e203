"""What ``crisis.events`` and ``crisis.state`` carry."""

from __future__ import annotations

import msgspec

from schemas.command import Command
from schemas.signal import Contribution, Forecast, ImpactRow, Interval, Voice

#: CloudEvents types of the events, in the order of a crisis's life. ``noted`` events record what people did,
#: ``asked`` puts a near miss to the desk: was this one?
EVENT_TYPES = (
    "veille.crisis.suspected",
    "veille.crisis.opened",
    "veille.crisis.updated",
    "veille.crisis.escalated",
    "veille.crisis.eased",
    "veille.crisis.resolved",
    "veille.crisis.reopened",
    "veille.crisis.cancelled",
    "veille.crisis.merged",
    "veille.crisis.split",
    "veille.crisis.noted",
    "veille.crisis.refused",
    "veille.crisis.asked",
)

KINDS = ("snowball", "corporate", "rumour", "own_post")


class StoryRef(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A story that belongs to a crisis."""

    story_id: str
    by: str
    terms: tuple[str, ...] = ()
    mentions: int = 0


class OriginatorRef(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The earliest mention seen in the sources named; its URL is in evidence only."""

    mention_id: str
    network: str
    published_at: str
    author: str = ""
    sources: tuple[str, ...] = ()


class Sample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One mention shown to people."""

    mention_id: str
    network: str
    text: str


class Effect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What changed after an answer was published, in the audiences and networks that it reached (empty: all).

    ``expected`` is the forecast made just before of the mentions until ``until``, ``mentions`` what came; own posts and those that
    only pass on the answer are in neither. ``negative_change`` is the change of the negative share. Intervals are 90 %. ``shown`` is
    false unless what came lies outside of the forecast, or the change of share does not hold 0: it shows no cause.
    """

    statement_id: str
    published_at: str
    until: str = ""
    audiences: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    expected: Forecast | None = None
    mentions: int = 0
    negative_before: float = 0.0
    negative_after: float = 0.0
    negative_change: Interval | None = None
    shown: bool = False
    text: str = "no effect shown"
    text_fr: str = "aucun effet démontré"


class Crisis(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """The card of one crisis: the ``data`` of every crisis event and the value of ``crisis.state``.

    Speaks CAP 1.2: ``status`` (Actual, Exercise, System, Test), ``msg_type`` (Alert, Update, Cancel),
    ``urgency`` (Immediate, Expected, Future, Past, Unknown), ``severity_cap`` (Extreme ... Unknown),
    ``certainty`` (Observed, Likely, Possible, Unlikely, Unknown), ``scope``, ``references`` (ids of the
    events that this one follows).
    """

    crisis_id: str
    brand: str
    phase: str
    onset: str
    headline: str
    headline_fr: str = ""
    kind: str = "snowball"
    kinds: dict[str, float] = {}
    kind_reasons: tuple[str, ...] = ()
    kind_reasons_fr: tuple[str, ...] = ()
    kind_set_by: str = ""
    severity: int = 1
    severities: tuple[float, ...] = ()
    severity_reasons: tuple[str, ...] = ()
    severity_reasons_fr: tuple[str, ...] = ()
    severity_cap: str = "Unknown"
    urgency: str = "Unknown"
    certainty: str = "Possible"
    status: str = "Actual"
    msg_type: str = "Alert"
    scope: str = "Restricted"
    references: tuple[str, ...] = ()
    #: Sequence number of the event within the brand: dense, from 1.
    seq: int = 0
    opened_at: str | None = None
    updated_at: str = ""
    resolved_at: str | None = None
    mentions: int = 0
    authors: int = 0
    negative_share: float = 0.0
    reproduction: Interval | None = None
    forecast: Forecast | None = None
    #: Authors of the brand's usual day, to measure the crisis by; 0 where there is no history.
    usual_day_authors: float = 0.0
    score: float = 0.0
    threshold: float = 0.0
    #: The probability that it is a crisis; None until 30 alarms of the brand were confirmed or denied: till then ``score`` is a score.
    chance: float | None = None
    contributions: tuple[Contribution, ...] = ()
    stories: tuple[StoryRef, ...] = ()
    originator: OriginatorRef | None = None
    networks: dict[str, int] = {}
    samples: tuple[Sample, ...] = ()
    caveats: tuple[str, ...] = ()
    #: Who speaks where; the three voices to answer first; "audience on network" where it burns and nothing was answered.
    impact: tuple[ImpactRow, ...] = ()
    voices: tuple[Voice, ...] = ()
    unanswered: tuple[tuple[str, str], ...] = ()
    effects: tuple[Effect, ...] = ()
    #: {network: posts of the brand itself that answer what rings}: they are in no count.
    own_posts: dict[str, int] = {}
    blind: dict[str, str] = {}
    #: People's part: who has it, muted until when, legal hold, notes and refusals.
    page: bool = False
    acknowledged_by: str = ""
    assigned_to: str = ""
    muted_until: str | None = None
    #: The mute is a snooze: it ends when the crisis gets worse.
    snoozed: bool = False
    hold: bool = False
    declared_by: str = ""
    merged_into: str = ""
    #: What was noted, or why it was refused.
    note: str = ""
    #: Statements that stand outside and rest on a claim that this event refutes.
    to_correct: tuple[str, ...] = ()
    #: The command that this event answers; what respond and evidence act on.
    decision: Command | None = None
    #: From which severity on the brand pages a person; the brand's time zone.
    page_severity: int = 3
    timezone: str = "UTC"
