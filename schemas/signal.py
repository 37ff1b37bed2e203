"""What ``brand.signals`` carries: readings of a brand and of its stories, watermarks, and commands.

A record's CloudEvents type is ``veille.signal``, ``veille.command`` (see ``schemas.command``) or
``veille.watermark``. Signals of one brand carry a dense ``seq``.
"""

from __future__ import annotations

from typing import Final

import msgspec

#: A brand's signals over which a story is told in short: where it was in one of the last so many, only what changed is sent.
RECENT: Final = 8


class Interval(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An estimate with its 90 % interval."""

    mean: float
    low: float
    high: float


class Forecast(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A forecast with its 90 % interval."""

    median: float
    low: float
    high: float


class Contribution(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One reason of a score: its name, what it adds in log-odds, and the numbers that fill its words.

    ``text`` is the reason in words; French and English are both made from ``name`` and ``values``.
    """

    name: str
    log_odds: float
    text: str = ""
    text_fr: str = ""
    values: dict[str, float | str] = {}


class Originator(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The earliest mention seen, in the sources that were looked at: never "the source"."""

    mention_id: str
    network: str
    published_ms: int
    author: str = ""
    sources: tuple[str, ...] = ()


class WindowReading(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One window of a brand: what was counted and what was expected.

    ``count`` is every mention. ``votes`` is what is scored of them: each author and text once, without what rang before and is over
    (``before``). ``negatives`` is what is scored of the negative ones, without ``negatives_before``.
    """

    name: str
    seconds: int
    count: int
    expected: float
    votes: int = 0
    expected_votes: float = 0.0
    before: int = 0
    negatives: int = 0
    expected_negatives: float = 0.0
    negatives_before: int = 0
    #: Recalibrated tail probability, as -log10.
    surprise: float = 0.0


#: Who speaks, by rules over one mention (see `streams.audiences`).
AUDIENCES = ("press", "investor", "employee", "activist", "public_figure", "customer", "other")


class Voice(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One voice to answer: its loudest mention, how loud (audience and reactions), and why it counts to this audience."""

    mention_id: str
    network: str
    audience: str
    why: str = ""
    followers: int = 0
    loudness: int = 0


class ImpactRow(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One audience on one network. An author counts once, where he spoke first; ``reach`` (their followers) is an upper bound.

    The brand's own posts, and those that only pass on its answer (``quoted``), are in no other figure.
    """

    audience: str
    network: str
    mentions: int = 0
    authors: int = 0
    reach: int = 0
    negative: int = 0
    #: Mentions of the last 60 minutes, and of the 60 before.
    last_hour: int = 0
    hour_before: int = 0
    press: int = 0
    quoted: int = 0
    #: The three to answer first.
    voices: tuple[Voice, ...] = ()


class StoryReading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One story as it stands at the signal's time.

    Where it was in one of the brand's last `RECENT` signals, what has not changed since its last reading is left out:
    ``head_as_before`` stands for terms, originator, merged and samples, ``counts_as_before`` for networks, network classes, cues, crisis
    words and relays, ``impact_as_before`` for rows of ``impact`` that are missing, and for the voices of a row that has none.
    """

    story_id: str
    by: str
    score: float = 0.0
    terms: tuple[str, ...] = ()
    mentions: int = 0
    authors: int = 0
    effective_authors: float = 0.0
    #: Share of mentions that look organic, in thousandths.
    organic_pm: int = 1000
    negative_share: float = 0.0
    growth: Interval | None = None
    #: Quantile of the growth among ordinary stories of the same network class, age and count.
    growth_quantile: float = 0.5
    p_growing: float = 0.0
    doubling_minutes: float | None = None
    forecast: Forecast | None = None
    onset_ms: int = 0
    last_ms: int = 0
    originator: Originator | None = None
    #: {network: mentions}, {network class: mentions}.
    networks: dict[str, int] = {}
    network_classes: dict[str, int] = {}
    press: int = 0
    #: Mentions of an article or a link to the press that came before the story grew.
    press_first: bool = False
    #: The root, quoted post or linked page was published by an owned account.
    own_post: bool = False
    #: What hangs on a post or page of an owned account: answers and quotes, of them negative, reshares and likes; the post was altered.
    own_answers: int = 0
    own_negative: int = 0
    own_reshares: int = 0
    own_likes: int = 0
    own_altered: bool = False
    #: Who speaks where, since the story rang (with the first of what came before).
    impact: tuple[ImpactRow, ...] = ()
    replies: int = 0
    reshares: int = 0
    #: Cues counted over mentions: hearsay, question, denial, fact_check, first_person, ...
    cues: dict[str, int] = {}
    crisis_words: dict[str, int] = {}
    #: Followers of those who spoke, and the reactions to its loudest mentions as last known.
    reach: int = 0
    #: Relays that made it grow: (id of the mention that was passed on, share of mentions that came directly through it).
    relays: tuple[tuple[str, float], ...] = ()
    #: The same relays: (id, growth without what came directly through it).
    relay_growth: tuple[tuple[str, float], ...] = ()
    #: Earlier story ids that were merged into this one.
    merged: tuple[str, ...] = ()
    #: Mention ids kept as samples, the loudest first.
    samples: tuple[str, ...] = ()
    head_as_before: bool = False
    counts_as_before: bool = False
    impact_as_before: bool = False


class Signal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the data says of one brand at one moment of event time; the crisis stage decides.

    ``kind``: ``reading`` (numbers at a grid line or at the mention that passed the threshold),
    ``declared`` (the mentions of a crisis that a person declared), ``rebased``, ``blind``, ``sighted``, ``suspect_feed``,
    ``near_miss``.
    """

    brand: str
    seq: int
    at_ms: int
    kind: str = "reading"
    version: int = 1
    #: The brand's one number at this step, and the threshold that the alarm budget allows.
    score: float = 0.0
    threshold: float = 0.0
    #: The probability that what rings is a crisis, by planted truth and the brand's verdicts; None below 30 of them or where nothing rings.
    chance: float | None = None
    #: The number passed the threshold.
    over: bool = False
    #: How many times rarer than the threshold (with `open_steps` 2, 10 opens at once).
    margin: float = 0.0
    #: The step of the grid that this reading judges (a reading inside a step shares its number).
    step: int = 0
    #: Growth and counts are back in the band: the crisis eases.
    eased: bool = False
    #: Long enough back in the band, in hours of expected activity and a local morning: it resolves.
    quiet: bool = False
    windows: tuple[WindowReading, ...] = ()
    stories: tuple[StoryReading, ...] = ()
    contributions: tuple[Contribution, ...] = ()
    #: Since the onset of what rings.
    mentions: int = 0
    authors: int = 0
    negative_share: float = 0.0
    usual_day_authors: float = 0.0
    usual_day_mentions: float = 0.0
    usual_negative_share: float = 0.0
    #: Of the owned accounts' usual posts: answers and quotes for one reshare or like, and the negative share of answers (0: not known).
    usual_own_ratio: float = 0.0
    usual_own_negative: float = 0.0
    #: {network: posts of the brand itself that answer what rings}.
    own_networks: dict[str, int] = {}
    #: Who speaks where, of what rings outside of any story; see `StoryReading` for what is as before.
    impact: tuple[ImpactRow, ...] = ()
    impact_as_before: bool = False
    forecast_authors_24h: Forecast | None = None
    onset_ms: int = 0
    #: "no baseline", "suspect feed", "sampling" and so on: what the reader must know (French: `streams.caveats`).
    caveats: tuple[str, ...] = ()
    #: It rings though the brand's budget is spent: severity 4 and 5 may, once a day. The threshold is then that of the rate asked.
    beyond_budget: bool = False
    #: Sources that are silent, and since when (ms).
    blind: dict[str, int] = {}
    #: Sources that look faulty (many comparable brands are loud on them at once) and on which this brand is loud, and since when (ms).
    suspect: dict[str, int] = {}
    #: Alarm budget asked, per week (at most the brand's share of the ceiling for all); the page_severity of the brand.
    alarms_per_week: float = 0.5
    page_severity: int = 3
    timezone: str = "UTC"
    #: For `veille explain`: first and last raw (partition, offset) applied since the last signal,
    #: hash of the settings and of the brand's state before this step.
    inputs: tuple[tuple[int, int, int], ...] = ()
    settings_hash: str = ""
    state_hash: str = ""
    #: Text samples: (mention id, network, text cut to 280 characters) of the loudest mentions.
    samples: tuple[tuple[str, str, str], ...] = ()


class SignalWatermark(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Every signal of this partition before ``time_ms`` has been sent. Type ``veille.watermark``, no key."""

    time_ms: int
