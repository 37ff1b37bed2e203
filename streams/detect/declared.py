"""What people declared: a crisis by its terms and addresses, whose mentions are collected from the first one on."""

from __future__ import annotations

import msgspec

from schemas.command import Command
from schemas.desk import declared_story
from schemas.enriched import Enriched
from schemas.signal import Originator, StoryReading
from streams.detect.authors import Authors
from streams.detect.impact import Impact, spoken
from streams.detect.seeds import loudness
from streams.folding import words_of
from streams.rounding import six

#: So long after its last mention (or its declaration) nothing is collected any more.
_KEEP_MS = 7 * 24 * 3_600_000
_SAMPLES = 4
_MOST = 24


class Declared(msgspec.Struct, array_like=True, gc=False):
    """One declared crisis as a story: its words (see `words_of`), addresses, and what was collected."""

    story_id: str
    at_ms: int
    words: list[str]
    links: list[str]
    last_ms: int = 0
    told: int = 0
    mentions: int = 0
    negative: int = 0
    press: int = 0
    authors: Authors = msgspec.field(default_factory=Authors)
    networks: dict[str, int] = {}
    classes: dict[str, int] = {}
    first: tuple[str, str, int, str, str] | None = None
    #: (mention id, network, text, loudness), the loudest first.
    samples: list[tuple[str, str, str, int]] = []
    impact: Impact = msgspec.field(default_factory=Impact)

    @classmethod
    def of(cls, command: Command, at_ms: int) -> Declared | None:
        """Return what ``command`` (an `open`) declares, or None where it names neither terms nor addresses."""

        def given(name: str) -> list[str]:
            value = command.args.get(name, [])
            return [str(one) for one in (value if isinstance(value, list) else [value])][:_MOST]

        words = list(dict.fromkeys(word for term in given("terms") if (word := words_of(term[:60])).strip()))
        links = list(dict.fromkeys(link.strip().rstrip("/") for link in given("urls") if link.strip()))
        return cls(declared_story(command.brand, command.id), at_ms, words, links) if words or links else None

    def over(self, t_ms: int) -> bool:
        """Say whether nothing more is collected."""
        return t_ms - max(self.at_ms, self.last_ms) > _KEEP_MS

    def takes(self, mention: Enriched, words: str) -> bool:
        """Say whether a mention (its ``words``) belongs to it: it holds one of the terms, or leads to one of the addresses."""
        if any(word in words for word in self.words):
            return True
        here = (mention.link.rstrip("/"), mention.url.rstrip("/"))
        return any(link in here or link in mention.text for link in self.links)

    def learn_one(self, mention: Enriched, times: int) -> None:
        """Take one of its mentions, which stands for ``times``."""
        negative = mention.polarity == "negative"
        self.last_ms = max(self.last_ms, mention.applies_ms)
        self.mentions += times
        self.negative += times if negative else 0
        self.press += "press" in mention.author_marks
        self.authors.learn_one(mention.author)
        self.networks[mention.network] = self.networks.get(mention.network, 0) + times
        self.classes[mention.network_class] = self.classes.get(mention.network_class, 0) + times
        if self.first is None or mention.published_ms < self.first[2]:
            self.first = (mention.id, mention.network, mention.published_ms, mention.author, mention.source)
        one = (mention.id, mention.network, mention.text[:280], loudness(mention))
        self.samples = sorted([*self.samples, one], key=lambda s: (-s[3], s[0]))[:_SAMPLES]
        self.impact.learn_one(spoken(mention, negative, times, False))

    @property
    def news(self) -> bool:
        """Say whether there is something to tell: the first mention, and each time that they doubled."""
        return self.mentions >= max(1, 2 * self.told)

    def reading(self, t_ms: int) -> StoryReading:
        """Return it as a story at ``t_ms``."""
        mention_id, network, published_ms, author, source = self.first or ("", "", 0, "", "")
        return StoryReading(
            story_id=self.story_id, by="terms", terms=tuple(word.strip() for word in self.words), mentions=self.mentions,
            authors=self.authors.distinct(), effective_authors=six(self.authors.effective()),
            negative_share=six(self.negative / self.mentions if self.mentions else 0.0), onset_ms=published_ms, last_ms=self.last_ms,
            originator=Originator(
                mention_id=mention_id, network=network, published_ms=published_ms, author=author, sources=(source,) if source else (),
            ), networks=dict(self.networks), network_classes=dict(self.classes), press=self.press,
            samples=tuple(sample[0] for sample in self.samples), impact=self.impact.reading(t_ms),
        )  # fmt: skip
