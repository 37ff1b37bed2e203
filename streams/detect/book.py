"""All live stories of a brand: which story a mention belongs to, merging, forgetting."""

from __future__ import annotations

import msgspec
import xxhash

from schemas.enriched import Enriched
from streams.detect.evidence import Weight
from streams.detect.growth import Growth
from streams.detect.stories import MAX_KEYS, Seed, Story, loudness
from streams.detect.terms import Terms

MAX_SEEDS = 48
#: A story of which nothing was heard for so long is forgotten.
FORGET_MS = 72 * 3_600_000
_BY = {"r": "cascade", "l": "link", "c": "copy", "t": "terms"}


class Book(msgspec.Struct, array_like=True):
    """Stories by evidence. Keys: ``r:`` root of a cascade, ``l:`` link, ``c:`` near-copy signature, ``t:`` pair of terms.

    A mention joins the story that holds one of its keys and brings its other keys along; two stories that one mention
    ties together by root, link or copy are one story, the smaller goes into the larger. Without a story its keys wait until a
    second author brings one of them. Pairs of terms make a story only once the brand's usual talk is known.
    """

    stories: dict[str, Story] = {}
    index: dict[str, str] = {}
    seeds: dict[str, Seed] = {}
    waiting: dict[str, str] = {}
    terms: Terms = msgspec.field(default_factory=Terms)
    #: Stories touched since the last judgement.
    touched: list[str] = []

    def learn_one(self, mention: Enriched, weight: Weight, repeats: int, copy_key: str, max_stories: int, known: bool) -> Story | None:
        """Take one mention; return its story, if it has one.

        ``repeats``: near-copies of it within the hour, ``copy_key``: their signature; ``known``: the brand's usual talk is known.
        """
        keys = _keys(mention, copy_key)
        story = self._find(keys)
        if story is None:
            for key in keys:
                seed_id = self.waiting.get(key)
                if seed_id is not None:
                    seed = self.seeds[seed_id]
                    if seed.author != mention.author or not seed.author:
                        story = self._start(mention.brand, seed, key)
                        break
        if mention.kind != "reshare" and weight.vote > 0.0 and (mention.terms or mention.hashtags):
            words = (*mention.terms, *("#" + tag for tag in mention.hashtags[:3]))
            pairs = self.terms.learn_one(mention.applies_ms, words, mention.author, weight.vote)
            if pairs and known:
                story = self._by_pairs(mention, story, ["t:" + pair for pair in pairs])
        if story is None:
            self._wait(mention, weight, keys)
            return None
        for key in keys:
            self._hold(story, key)
        story.learn_one(mention, weight, copied=repeats > 0)
        if story.id not in self.touched:
            self.touched.append(story.id)
        if len(self.stories) > max_stories:
            self._forget(mention.applies_ms, max_stories, story.id)
        return story

    def _find(self, keys: list[str]) -> Story | None:
        """Return the story that holds a key; where several do, merge them."""
        index = self.index
        found: Story | None = None
        for key in keys:
            story_id = index.get(key)
            if story_id is None or (found is not None and story_id == found.id):
                continue
            story = self.stories[story_id]
            if found is None:
                found = story
            elif found.mentions >= story.mentions:
                self._merge(found, story)
            else:
                self._merge(story, found)
                found = story
        return found

    def _by_pairs(self, mention: Enriched, story: Story | None, keys: list[str]) -> Story | None:
        if story is None:
            for key in keys:
                story_id = self.index.get(key)
                if story_id is not None:
                    story = self.stories[story_id]
                    break
        if story is None:
            story = self._new(mention.brand, keys[0], mention.applies_ms, mention.published_ms, mention)
            story.terms = tuple(keys[0][2:].split("|"))
        for key in keys:
            if key not in self.index:
                self._hold(story, key)
        if len(story.terms) < 4:
            more = [term for key in keys for term in key[2:].split("|") if term not in story.terms]
            story.terms = (*story.terms, *dict.fromkeys(more))[:4]
        return story

    def _hold(self, story: Story, key: str) -> None:
        if key not in self.index and len(story.keys) < MAX_KEYS:
            self.index[key] = story.id
            story.keys.append(key)

    def _new(self, brand: str, key: str, applies_ms: int, published_ms: int, first: Enriched | Seed) -> Story:
        mention_id = first.mention_id if isinstance(first, Seed) else first.id
        digest = xxhash.xxh3_64_hexdigest(f"{brand}\n{key}\n{mention_id}".encode("utf-8", "replace"))[:12]
        story = Story(
            id=f"s-{digest}", by=_BY[key[0]], onset_ms=published_ms, growth=Growth(network_class=first.network_class),
            mention_id=mention_id, network=first.network, author=first.author, last_ms=applies_ms,
        )  # fmt: skip
        self.stories[story.id] = story
        self._hold(story, key)
        return story

    def _start(self, brand: str, seed: Seed, key: str) -> Story:
        story = self._new(brand, key, seed.applies_ms, seed.published_ms, seed)
        story.plant(seed)
        self._drop_seed(seed.mention_id)
        for other in seed.keys:
            self._hold(story, other)
        return story

    def _wait(self, mention: Enriched, weight: Weight, keys: list[str]) -> None:
        if not keys or mention.id in self.seeds:
            return
        marks = mention.author_marks
        self.seeds[mention.id] = Seed(
            mention_id=mention.id, network=mention.network, published_ms=mention.published_ms, applies_ms=mention.applies_ms,
            author=mention.author, source=mention.source, network_class=mention.network_class, loudness=loudness(mention),
            marks=("press" in marks) + 2 * ("owned" in marks), weight=(weight.vote, weight.negative, weight.trouble),
            flags=(weight.vote if weight.crisis else 0.0, weight.vote if weight.doubt else 0.0),
            cues=mention.cues, crisis_words=mention.crisis_words, text=mention.text[:200], keys=keys,
        )  # fmt: skip
        for key in keys:
            self.waiting.setdefault(key, mention.id)
        while len(self.seeds) > MAX_SEEDS:
            self._drop_seed(next(iter(self.seeds)))

    def _drop_seed(self, mention_id: str) -> None:
        seed = self.seeds.pop(mention_id)
        for key in seed.keys:
            if self.waiting.get(key) == mention_id:
                del self.waiting[key]

    def _merge(self, into: Story, story: Story) -> None:
        into.absorb(story)
        self._remove(story)
        for key in story.keys:
            self._hold(into, key)

    def _remove(self, story: Story) -> None:
        del self.stories[story.id]
        for key in story.keys:
            if self.index.get(key) == story.id:
                del self.index[key]
        if story.id in self.touched:
            self.touched.remove(story.id)

    def _forget(self, t_ms: int, keep: int, spare: str) -> None:
        """Forget the least interesting: no alarm, least recent trouble."""

        def worth(story: Story) -> tuple[bool, float, int, str]:
            return story.rings_ms > 0 or story.id == spare, story.decayed(t_ms)[1], story.last_ms, story.id

        ranked = sorted(self.stories.values(), key=worth)
        for story in ranked[: len(ranked) - max(1, keep - keep // 10)]:
            if story.id != spare:
                self._remove(story)

    def expire(self, t_ms: int) -> None:
        """Forget stories and waiting keys of which nothing was heard for three days."""
        for story in [
            s for s in self.stories.values() if not s.rings_ms and t_ms - s.last_ms > (FORGET_MS if s.mentions > 5 else FORGET_MS // 6)
        ]:
            self._remove(story)
        for mention_id in [seed.mention_id for seed in self.seeds.values() if t_ms - seed.applies_ms > FORGET_MS]:
            self._drop_seed(mention_id)


def _keys(mention: Enriched, copy_key: str) -> list[str]:
    keys = []
    if mention.root_id:
        keys.append("r:" + mention.root_id)
    elif mention.parent_id:
        keys.append("r:" + mention.parent_id)
    if mention.kind != "reshare":
        keys.append("r:" + mention.id)
        if mention.link:
            keys.append("l:" + mention.link)
        if copy_key:
            keys.append("c:" + copy_key)
    return keys
