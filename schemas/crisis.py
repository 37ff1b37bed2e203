"""What ``crisis.events`` and ``crisis.state`` carry."""

from __future__ import annotations

import msgspec

from schemas.command import Command
from schemas.signal import Contribution, Forecast, Interval

#: CloudEvents types of the events, in the order of a crisis's life. ``noted`` events record what people did.
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
    kind_set_by: str = ""
    severity: int = 1
    severities: tuple[float, ...] = ()
    severity_reasons: tuple[str, ...] = ()
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
    score: float = 0.0
    threshold: float = 0.0
    contributions: tuple[Contribution, ...] = ()
    stories: tuple[StoryRef, ...] = ()
    originator: OriginatorRef | None = None
    networks: dict[str, int] = {}
    samples: tuple[Sample, ...] = ()
    caveats: tuple[str, ...] = ()
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
    #: The command that this event answers; what respond and evidence act on.
    decision: Command | None = None
    #: From which severity on the brand pages a person; the brand's time zone.
    page_severity: int = 3
    timezone: str = "UTC"
