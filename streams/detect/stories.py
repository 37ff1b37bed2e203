"""One story: what is said about a brand by many, held together by a cascade, a link, a near-copy or terms."""

from __future__ import annotations

import math

import msgspec

from schemas.enriched import Enriched
from schemas.signal import Originator, StoryReading
from streams.detect.authors import Authors
from streams.detect.evidence import Weight
from streams.detect.forecast import forecast, kind_of
from streams.detect.formulas import six
from streams.detect.growth import Growth

HOUR = 3_600_000.0
MAX_KEYS = 32
MAX_SAMPLES = 4
_MAX_NAMES = 12


class Seed(msgspec.Struct, array_like=True):
    """The first mention of what may become a story."""

    mention_id: str
    network: str
    published_ms: int
    applies_ms: int
    author: str
    source: str
    network_class: str
    loudness: int
    marks: int
    weight: tuple[float, float, float]
    #: Votes with crisis words, votes in doubt.
    flags: tuple[float, float]
    cues: tuple[str, ...]
    crisis_words: tuple[str, ...]
    text: str
    keys: list[str] = []


class Story(msgspec.Struct, array_like=True):
    """Counts of one story. Times in ms; ``votes``, ``negative`` and ``trouble`` in votes (see `evidence`)."""

    id: str
    by: str
    onset_ms: int
    growth: Growth
    mention_id: str
    network: str
    author: str
    last_ms: int = 0
    keys: list[str] = []
    terms: tuple[str, ...] = ()
    mentions: int = 0
    votes: float = 0.0
    negative: float = 0.0
    trouble: float = 0.0
    crisis: float = 0.0
    doubt: float = 0.0
    #: Trouble within about the last 1 h and 6 h (decayed sums).
    trouble_1h: float = 0.0
    trouble_6h: float = 0.0
    authors: Authors = msgspec.field(default_factory=Authors)
    organic_pm: int = 0
    copies: int = 0
    originals: int = 0
    networks: dict[str, int] = {}
    network_classes: dict[str, int] = {}
    press: int = 0
    press_at: int = 0
    own_post: bool = False
    replies: int = 0
    reshares: int = 0
    #: Answers and reshares of another mention than the root.
    indirect: int = 0
    cues: dict[str, int] = {}
    crisis_words: dict[str, int] = {}
    relays: dict[str, int] = {}
    sources: list[str] = []
    merged: tuple[str, ...] = ()
    #: (mention id, network, text, loudness), the loudest first.
    samples: list[tuple[str, str, str, int]] = []
    #: Rings since (ms), 0: it does not.
    rings_ms: int = 0
    score: float = 0.0

    def decayed(self, t_ms: float) -> tuple[float, float]:
        """Return trouble of about the last hour and the last six hours, as at ``t_ms``."""
        dt = max(0.0, t_ms - self.last_ms)
        return self.trouble_1h * math.exp(-dt / HOUR), self.trouble_6h * math.exp(-dt / (6 * HOUR))

    def _take(self, at_ms: int, vote: float, negative: float, trouble: float) -> None:
        self.trouble_1h, self.trouble_6h = self.decayed(at_ms)
        self.last_ms = max(self.last_ms, at_ms)
        self.trouble_1h += trouble
        self.trouble_6h += trouble
        self.votes += vote
        self.negative += negative
        self.trouble += trouble
        self.growth.learn_one(at_ms, vote)
        self.mentions += 1

    def plant(self, seed: Seed) -> None:
        """Take the first mention, which came before there was a story."""
        self._take(seed.applies_ms, *seed.weight)
        self._place(seed.network, seed.network_class, seed.source)
        self.authors.learn_one(seed.author)
        self.crisis += seed.flags[0]
        self.doubt += seed.flags[1]
        self._count_words(seed.cues, seed.crisis_words)
        self.originals += 1
        self.organic_pm += round(1000 * seed.weight[0]) if not seed.marks & 2 else 1000
        if seed.marks & 1:
            self.press += 1
            self.press_at = 1
        if seed.marks & 2:
            self.own_post = True
        self._sample(seed.mention_id, seed.network, seed.text, seed.loudness + 1_000_000)

    def _place(self, network: str, network_class: str, source: str) -> None:
        self.networks[network] = self.networks.get(network, 0) + 1
        self.network_classes[network_class] = self.network_classes.get(network_class, 0) + 1
        if source and len(self.sources) < 8 and source not in self.sources:
            self.sources.append(source)

    def learn_one(self, mention: Enriched, weight: Weight, copied: bool) -> None:
        """Take one mention of the story."""
        vote, negative, trouble, silent, crisis, doubt = weight
        if silent and self.votes > 0.0:  # a bare reshare says what it shares
            negative, trouble = vote * self.negative / self.votes, vote * self.trouble / self.votes
            self.crisis += vote * self.crisis / self.votes
            self.doubt += vote * self.doubt / self.votes
        else:
            self.crisis += vote if crisis else 0.0
            self.doubt += vote if doubt else 0.0
        self._take(mention.applies_ms, vote, negative, trouble)
        if mention.published_ms < self.onset_ms:
            self.onset_ms = mention.published_ms
            self.mention_id, self.network, self.author = mention.id, mention.network, mention.author
        self._place(mention.network, mention.network_class, mention.source)
        self.authors.learn_one(mention.author)
        self.organic_pm += mention.organic_pm
        kind = mention.kind
        passed_on = bool(mention.parent_id) and bool(mention.root_id) and mention.parent_id != mention.root_id
        self.indirect += passed_on
        if kind == "reshare":
            self.reshares += 1
            if passed_on and mention.parent_id:
                self._relay(mention.parent_id)
        else:
            self.originals += 1
            self.copies += copied
            if kind in ("reply", "comment"):
                self.replies += 1
        if mention.author_marks:
            if "press" in mention.author_marks:
                self.press += 1
                self.press_at = self.press_at or self.mentions
            if "owned" in mention.author_marks and not mention.root_id:
                self.own_post = True
        self._count_words(mention.cues, mention.crisis_words)
        if kind != "reshare":
            self._sample(mention.id, mention.network, mention.text, loudness(mention))

    def _count_words(self, cues: tuple[str, ...], crisis_words: tuple[str, ...]) -> None:
        for cue in cues:
            self.cues[cue] = self.cues.get(cue, 0) + 1
        for word in crisis_words:
            if word in self.crisis_words or len(self.crisis_words) < _MAX_NAMES:
                self.crisis_words[word] = self.crisis_words.get(word, 0) + 1

    def _relay(self, parent: str) -> None:
        if parent in self.relays or len(self.relays) < _MAX_NAMES:
            self.relays[parent] = self.relays.get(parent, 0) + 1

    def _sample(self, mention_id: str, network: str, text: str, loud: int) -> None:
        if not text or (len(self.samples) >= MAX_SAMPLES and loud <= self.samples[-1][3]):
            return
        cut = text[:280]
        if any(sample[2] == cut for sample in self.samples):
            return
        place = len(self.samples)
        while place and self.samples[place - 1][3] < loud:
            place -= 1
        self.samples.insert(place, (mention_id, network, cut, loud))
        del self.samples[MAX_SAMPLES:]

    def absorb(self, other: Story) -> None:
        """Merge another story into this one."""
        at = max(self.last_ms, other.last_ms)
        mine, theirs = self.decayed(at), other.decayed(at)
        self.trouble_1h, self.trouble_6h = mine[0] + theirs[0], mine[1] + theirs[1]
        self.last_ms = at
        for name in ("mentions", "votes", "negative", "trouble", "crisis", "doubt", "organic_pm", "copies", "originals", "press",
                     "replies", "reshares", "indirect"):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.growth.absorb(other.growth, at)
        self.authors.merge(other.authors)
        for name in ("networks", "network_classes", "cues", "crisis_words", "relays"):
            into = getattr(self, name)
            for key, count in getattr(other, name).items():
                into[key] = into.get(key, 0) + count
        if other.onset_ms < self.onset_ms:
            self.onset_ms, self.mention_id, self.network, self.author = (
                other.onset_ms, other.mention_id, other.network, other.author,
            )  # fmt: skip
            self.press_at = other.press_at or self.press_at
        self.own_post = self.own_post or other.own_post
        for sample in other.samples:
            self._sample(*sample)
        self.sources += [source for source in other.sources if source not in self.sources][: 8 - len(self.sources)]
        rings = [t for t in (self.rings_ms, other.rings_ms) if t]
        self.rings_ms = min(rings, default=0)
        self.merged = (*self.merged, other.id, *other.merged)[:16]

    @property
    def press_first(self) -> bool:
        """The press was among the first voices."""
        return bool(self.press) and 0 < self.press_at <= max(3, self.mentions // 10)

    @property
    def organic(self) -> float:
        """Mean organic share, 0 to 1."""
        return self.organic_pm / (1000.0 * self.mentions) if self.mentions else 1.0

    def reading(self, t_ms: int) -> StoryReading:
        """Return the story as it stands at ``t_ms``."""
        top = sorted(self.relays.items(), key=lambda item: (-item[1], item[0]))[:3]
        authors = self.authors.distinct()
        foreseen, quantile = forecast(
            self.growth, t_ms, float(self.mentions), float(authors), float(self.indirect), kind_of(self.by, self.network)
        )
        return StoryReading(
            story_id=self.id, by=self.by, score=six(self.score), terms=self.terms,
            mentions=self.mentions, authors=authors, effective_authors=six(self.authors.effective()),
            organic_pm=round(1000 * self.organic), negative_share=six(self.negative / self.votes if self.votes > 0 else 0.0),
            growth=self.growth.interval(t_ms), growth_quantile=quantile,
            p_growing=six(self.growth.p_growing(t_ms)), doubling_minutes=self.growth.doubling_minutes(t_ms),
            forecast=foreseen,
            onset_ms=self.onset_ms, last_ms=self.last_ms,
            originator=Originator(
                mention_id=self.mention_id, network=self.network, published_ms=self.onset_ms, author=self.author,
                sources=tuple(self.sources),
            ),
            networks=dict(self.networks), network_classes=dict(self.network_classes),
            press=self.press, press_first=self.press_first, own_post=self.own_post,
            replies=self.replies, reshares=self.reshares,
            cues=dict(self.cues), crisis_words=dict(self.crisis_words),
            relays=tuple((parent, six(count / self.mentions)) for parent, count in top),
            merged=self.merged, samples=tuple(sample[0] for sample in self.samples),
        )  # fmt: skip


def loudness(mention: Enriched) -> int:
    """Return how loud a mention is: audience and reactions."""
    return mention.followers + 50 * mention.reshares + 20 * mention.replies + 5 * mention.likes
