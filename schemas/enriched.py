"""What ``mentions.enriched`` carries: one record for each (mention, brand), and control records."""

from __future__ import annotations

import msgspec


class Enriched(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One mention as it concerns one brand. Identity is (``partition``, ``offset``, ``brand``).

    ``partition`` and ``offset`` are those of the raw record. ``applies_ms`` is when the mention counts:
    ``max(published_ms, watermark of its raw partition at its offset)``; ``published_ms`` is when it was
    published. ``author`` is a keyed hash. Scores are whole thousandths.
    """

    brand: str
    id: str
    network: str
    partition: int
    offset: int
    applies_ms: int
    published_ms: int
    version: int = 1
    kind: str = "post"
    network_class: str = "pseudonymous"
    source: str = ""
    lang: str = ""
    text: str = ""
    #: Which part of the watchlist matched: name, handle, hashtag, person, owned.
    matched: str = "name"
    #: True when the text speaks to the brand by one of its handles (and is no reshare).
    addressed: bool = False
    #: Calibrated probabilities in thousandths; both 0 when the model abstains.
    negative_pm: int = 0
    positive_pm: int = 0
    #: "negative", "neutral", "positive", or "" when the model abstains.
    polarity: str = ""
    #: Crisis words found, each as "category:word" of the lexicon in force.
    crisis_words: tuple[str, ...] = ()
    #: first_person, hearsay, question, denial, fact_check, petition, employee, customer, investor.
    cues: tuple[str, ...] = ()
    author: str = ""
    followers: int = 0
    #: How likely a real, independent person speaks, in thousandths, and why it is below 1000.
    organic_pm: int = 1000
    organic_reasons: tuple[str, ...] = ()
    #: press, verified, owned (the brand's own account), public_figure.
    author_marks: tuple[str, ...] = ()
    root_id: str = ""
    parent_id: str = ""
    #: Canonical URL of the first link in the mention, or of the mention itself for an article.
    link: str = ""
    #: Where the mention itself stands; the hash for its author's handle or id, but for articles and the brand's own posts.
    url: str = ""
    #: 64-bit near-copy signature as 16 hexadecimal digits; "" for a text too short to sign.
    copy_key: str = ""
    hashtags: tuple[str, ...] = ()
    #: Salient terms, folded, without the brand's own names, stop words and numbers.
    terms: tuple[str, ...] = ()
    replies: int = 0
    reshares: int = 0
    likes: int = 0
    country: str = ""
    #: Published later than the clock allows and moved to it.
    early: bool = False
    #: An engagement update of a mention that is known: updates reach, counts no mention.
    update: bool = False


class Watermarks(msgspec.Struct, frozen=True, kw_only=True):
    """{raw partition: watermark in ms} of all raw partitions that one worker owns. Type ``veille.watermarks``."""

    watermarks: dict[int, int]


class SourceState(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A source fell silent or came back, as one raw partition's clocks tell. Type ``veille.source``.

    Derived from the raw log alone (a source whose clock lags the partition's watermark by more than
    the setting is silent), so that every replay agrees. Identity is (``partition``, ``offset``).
    """

    source_id: str
    up: bool
    partition: int
    offset: int
    applies_ms: int
    #: Last clock of the source before this change.
    last_ms: int


class BrandSettings(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What detect must know of a brand, sent once for each raw partition and watchlist version. Type ``veille.brand``.

    Identity is (``partition``, ``offset``, ``brand``) with the marker's offset (-1 for the version that the
    worker started with).
    """

    brand: str
    version: int
    partition: int
    offset: int
    applies_ms: int
    alarms_per_week: float = 0.5
    timezone: str = "UTC"
    page_severity: int = 3
    #: A short hash of what decides which mentions match: a change of it rebases the baseline.
    match_hash: str = ""
    #: Planned happenings: (from_ms, to_ms, terms, expected factor).
    calendar: tuple[tuple[int, int, tuple[str, ...], float], ...] = ()
    #: The brand's even share of the ceiling for all brands together, a week; 0: there is no such ceiling.
    share_per_week: float = 0.0


class LearnedBaseline(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What an export of old mentions says is usual for a brand (`veille warm`). Type ``veille.baseline``.

    Detect takes it at its place in the log where the brand knows fewer ``hours`` by itself. ``numbers`` are those that detect learns, by
    name: ``rate`` (Gamma a, b, and the shadow's), ``dispersion`` by window, ``season.*``, shares as (yes, no), ``story``, and two tails.
    """

    brand: str
    #: Hours that were learned, and the end of the last one (ms).
    hours: float
    until_ms: int
    match_hash: str = ""
    numbers: dict[str, tuple[float, ...]] = {}
    #: {source: (votes, its first mention in ms)}
    sources: dict[str, tuple[float, int]] = {}
