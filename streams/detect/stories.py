"""One story: what is said about a brand by many, held together by a cascade, a link, a near-copy or terms."""

from __future__ import annotations

import math

import msgspec

from schemas.enriched import Enriched
from streams.detect.authors import Authors
from streams.detect.evidence import Weight
from streams.detect.growth import Growth
from streams.detect.samples import Sample, keep
from streams.detect.seeds import Seed, loudness, reactions
from streams.rounding import on_grid

HOUR = 3_600_000.0
MAX_KEYS, MAX_FADED_KEYS = 32, 4
MINUTE_MS = 60_000
_MAX_NAMES = 12
#: Mentions whose reactions are followed by updates, the loudest of a story.
_MAX_FOLLOWED = 6


class Story(msgspec.Struct, array_like=True, gc=False):
    """Counts of one story. Times in ms; ``votes``, ``negative`` and ``trouble`` in votes (see `evidence`).

    What a minute brings is added up and joins the decaying sums and the growth when the next minute begins or someone looks.
    """

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
    #: The running minute, its trouble and votes; when the sums above were last brought up, ms.
    minute: int = 0
    minute_trouble: float = 0.0
    minute_votes: float = 0.0
    summed_ms: int = 0
    #: Trouble at the last scoring; a story is scored anew when it changed enough.
    scored_trouble: float = 0.0
    authors: Authors = msgspec.field(default_factory=Authors)
    organic_pm: int = 0
    copies: int = 0
    originals: int = 0
    networks: dict[str, int] = {}
    #: {network: class}
    classes: dict[str, str] = {}
    #: Followers of those who spoke; {mention: reactions} of the loudest, raised by updates.
    followers: int = 0
    reactions: dict[str, int] = {}
    press: int = 0
    press_at: int = 0
    own_post: bool = False
    replies: int = 0
    reshares: int = 0
    #: Answers and reshares of another mention than the root.
    indirect: int = 0
    cues: dict[str, int] = {}
    crisis_words: dict[str, int] = {}
    #: {mention that was passed on: [times, of them in about the last hour, ms of that]}
    relays: dict[str, list[float]] = {}
    sources: list[str] = []
    merged: tuple[str, ...] = ()
    #: (mention id, network, text, loudness), the loudest first.
    samples: list[Sample] = []
    #: Rings since (ms), 0: it does not; it rang and that is over: it rings again only where it rises anew.
    rings_ms: int = 0
    rang: bool = False
    score: float = 0.0
    #: Votes of the texts told apart: reshares and copies bring no new one. Of these negative, with crisis words, in doubt.
    told: float = 0.0
    told_negative: float = 0.0
    told_crisis: float = 0.0
    told_doubt: float = 0.0
    #: The brand's signal that told it last (-1: none), a digest of its head and its mentions as told there.
    shown: tuple[int, int, int] = (-1, 0, 0)

    def decayed(self, t_ms: float) -> tuple[float, float]:
        """Return trouble of about the last hour and the last six hours, as at ``t_ms``."""
        dt, now = t_ms - self.summed_ms, self.minute_trouble
        if dt <= 0.0:
            return self.trouble_1h + now, self.trouble_6h + now
        return self.trouble_1h * math.exp(-dt / HOUR) + now, self.trouble_6h * math.exp(-dt / (6 * HOUR)) + now

    def sum_up(self) -> None:
        """Let the running minute join the decaying sums and the growth."""
        if self.minute_votes or self.minute_trouble:
            at = self.last_ms
            self.trouble_1h, self.trouble_6h = map(on_grid, self.decayed(at))
            self.summed_ms = at
            self.growth.learn_one(float(at), self.minute_votes)
            self.minute_trouble = self.minute_votes = 0.0

    def _take(self, at_ms: int, vote: float, negative: float, trouble: float) -> None:
        minute = at_ms // MINUTE_MS
        if minute != self.minute or not self.mentions:
            self.sum_up()
            self.minute = minute
        if at_ms > self.last_ms:
            self.last_ms = at_ms
        self.minute_trouble += trouble
        self.minute_votes += vote
        self.votes += vote
        self.negative += negative
        self.trouble += trouble

    def _tell(self, weight: Weight) -> None:
        """Take a text that is no copy of an earlier one."""
        vote, negative, _, _, crisis, doubt = weight
        self.told += vote
        self.told_negative += negative
        if crisis:
            self.told_crisis += vote
        if doubt:
            self.told_doubt += vote

    def plant(self, seed: Seed) -> None:
        """Take the first mention, which came before there was a story."""
        self.last_ms = self.summed_ms = seed.applies_ms
        vote, negative, trouble, _, crisis, doubt = seed.weight
        self._take(seed.applies_ms, vote, negative, trouble)
        self.sum_up()
        self._tell(seed.weight)
        self.mentions += 1
        self._place(seed.network, seed.network_class, seed.source, 1)
        self.authors.learn_one(seed.author)
        self.crisis += vote if crisis else 0.0
        self.doubt += vote if doubt else 0.0
        if seed.cues or seed.crisis_words:
            self._count_words(seed.cues, seed.crisis_words, 1)
        self.originals += 1
        self.organic_pm += seed.organic_pm
        if "press" in seed.author_marks:
            self.press = self.press_at = 1
        self.own_post = "owned" in seed.author_marks
        self.followers += seed.followers
        keep(self.samples, seed.id, seed.network, seed.text, loudness(seed) + 1_000_000, 1)
        self.follow(seed.id, reactions(seed))

    def _place(self, network: str, network_class: str, source: str, times: int) -> None:
        networks = self.networks
        if network in networks:
            networks[network] += times
        elif len(networks) < _MAX_NAMES:
            networks[network] = times
            self.classes[network] = network_class
        if source and source not in self.sources and len(self.sources) < 8:
            self.sources.append(source)

    def echo(self, vote: float) -> tuple[float, float]:
        """Return what of the vote of somebody who only passes the story on is negative, and what is trouble."""
        part = vote / self.votes
        return on_grid(part * self.negative), on_grid(part * self.trouble)

    def learn_one(self, mention: Enriched, weight: Weight, copied: bool, times: int = 1) -> None:
        """Take one mention of the story; it stands for ``times`` where mentions are sampled, and ``weight`` holds that factor already."""
        vote, negative, trouble, silent, crisis, doubt = weight
        if silent and self.votes > 0.0:  # a bare reshare says what it shares
            negative, trouble = self.echo(vote)
            part = vote / self.votes
            self.crisis += on_grid(part * self.crisis)
            self.doubt += on_grid(part * self.doubt)
        else:
            if crisis:
                self.crisis += vote
            if doubt:
                self.doubt += vote
        self._take(mention.applies_ms, vote, negative, trouble)
        self.mentions += times
        if mention.published_ms < self.onset_ms:
            self.onset_ms = mention.published_ms
            self.mention_id, self.network, self.author = mention.id, mention.network, mention.author
        self._place(mention.network, mention.network_class, mention.source, times)
        self.authors.learn_one(mention.author)
        self.organic_pm += mention.organic_pm * times
        self.followers += mention.followers * times
        kind = mention.kind
        passed_on = bool(mention.parent_id) and bool(mention.root_id) and mention.parent_id != mention.root_id
        if passed_on:
            self.indirect += times
        if kind == "reshare":
            self.reshares += times
            if passed_on:
                self._relay(mention.parent_id, mention.applies_ms, times)
        else:
            self.originals += times
            if copied:
                self.copies += times
            else:
                self._tell(weight)
            if kind in ("reply", "comment"):
                self.replies += times
            keep(self.samples, mention.id, mention.network, mention.text, loudness(mention), self.mentions)
            if mention.reshares or mention.replies or mention.likes:
                self.follow(mention.id, reactions(mention))
        if mention.author_marks:
            if "press" in mention.author_marks:
                self.press += 1
                self.press_at = self.press_at or self.mentions
            if "owned" in mention.author_marks and not mention.root_id:
                self.own_post = True
        if mention.cues or mention.crisis_words:
            self._count_words(mention.cues, mention.crisis_words, times)

    def _count_words(self, cues: tuple[str, ...], crisis_words: tuple[str, ...], times: int) -> None:
        for cue in cues:
            self.cues[cue] = self.cues.get(cue, 0) + times
        for word in crisis_words:
            if word in self.crisis_words or len(self.crisis_words) < _MAX_NAMES:
                self.crisis_words[word] = self.crisis_words.get(word, 0) + times

    def _relay(self, parent: str, at_ms: int, times: int) -> None:
        entry = self.relays.get(parent)
        if entry is not None:
            entry[1] = entry[1] * math.exp(-max(0.0, at_ms - entry[2]) / HOUR) + times
            entry[0] += times
            entry[2] = float(at_ms)
        elif len(self.relays) < _MAX_NAMES:
            self.relays[parent] = [float(times), float(times), float(at_ms)]

    def follow(self, mention_id: str, count: int) -> None:
        """Take a mention's reactions (replies, reshares, likes), when it came or by an update; only a higher count changes anything."""
        followed = self.reactions
        if count <= followed.get(mention_id, 0):
            return
        followed[mention_id] = count
        if len(followed) > _MAX_FOLLOWED:
            del followed[min(followed, key=lambda name: (followed[name], name))]

    @property
    def reach(self) -> int:
        """Followers of those who spoke, and reactions to the loudest mentions."""
        return self.followers + sum(self.reactions.values())

    def absorb(self, other: Story) -> None:
        """Merge another story into this one."""
        self.sum_up()
        other.sum_up()
        at = max(self.last_ms, other.last_ms)
        mine, theirs = self.decayed(at), other.decayed(at)
        self.trouble_1h, self.trouble_6h = on_grid(mine[0] + theirs[0]), on_grid(mine[1] + theirs[1])
        self.last_ms = self.summed_ms = at
        for name in ("mentions", "votes", "negative", "trouble", "crisis", "doubt", "organic_pm", "copies", "originals", "press",
                     "replies", "reshares", "followers", "indirect", "told", "told_negative", "told_crisis", "told_doubt"):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.growth.absorb(other.growth, float(at))
        self.authors.merge(other.authors)
        for name in ("networks", "cues", "crisis_words"):
            into = getattr(self, name)
            for key, count in getattr(other, name).items():
                into[key] = into.get(key, 0) + count
        self.classes |= other.classes
        for parent, entry in other.relays.items():
            if parent in self.relays or len(self.relays) < _MAX_NAMES:
                known = self.relays.get(parent, [0.0, 0.0, 0.0])
                self.relays[parent] = [known[0] + entry[0], known[1] + entry[1], max(known[2], entry[2])]
        if other.onset_ms < self.onset_ms:
            self.onset_ms, self.mention_id, self.network, self.author = (
                other.onset_ms, other.mention_id, other.network, other.author,
            )  # fmt: skip
            self.press_at = other.press_at or self.press_at
        self.own_post = self.own_post or other.own_post
        for sample in other.samples:
            keep(self.samples, *sample, self.mentions)
        for mention_id, count in other.reactions.items():
            self.follow(mention_id, count)
        self.sources += [source for source in other.sources if source not in self.sources][: 8 - len(self.sources)]
        self.rings_ms = min((t for t in (self.rings_ms, other.rings_ms) if t), default=0)
        self.rang = self.rang or other.rang
        self.merged = (*self.merged, other.id, *other.merged)[:16]

    def fade(self) -> None:
        """Keep less of a story of which nothing was heard for hours: its first keys, by which another may still join, and one text."""
        del self.keys[MAX_FADED_KEYS:], self.samples[1:]

    @property
    def press_first(self) -> bool:
        """The press was among the first voices."""
        return bool(self.press) and 0 < self.press_at <= max(3, self.mentions // 10)

    @property
    def organic(self) -> float:
        """Mean organic share, 0 to 1."""
        return self.organic_pm / (1000.0 * self.mentions) if self.mentions else 1.0
