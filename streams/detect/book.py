"""All live stories of a brand: which story a mention belongs to, merging, forgetting."""

from __future__ import annotations

import msgspec
import xxhash

from schemas.enriched import Enriched
from streams.detect.evidence import CALL, Weight
from streams.detect.growth import Growth
from streams.detect.seeds import Seed, reactions
from streams.detect.stories import MAX_FADED_KEYS, MAX_KEYS, Story
from streams.detect.terms import Terms

MAX_SEEDS = 24
#: How often a waiting mention that speaks of trouble is spared.
_SPARED = 4
#: A story of which nothing was heard for so long is forgotten.
FORGET_MS = 72 * 3_600_000
FADE_MS = 4 * 3_600_000
_BY = {"r": "cascade", "l": "link", "c": "copy", "t": "terms", "w": "calls"}
#: The key of calls to act against the brand that hang on nothing else.
_CALLS = "w:calls"


class Book(msgspec.Struct, array_like=True, gc=False):
    """Stories by evidence. Keys: ``r:`` root of a cascade, ``l:`` link, ``c:`` near-copy signature, ``t:`` pair of terms,
    ``w:`` calls to act against the brand (boycott, petition).

    A mention joins the story that holds one of its keys and brings its other keys along; two stories that one mention
    ties together by root, link or copy are one story, the smaller goes into the larger. Without a story its keys wait until a
    second author brings one of them. Pairs of terms make a story only once the brand's usual talk is known.
    """

    stories: dict[str, Story] = {}
    #: {key: id of the story that holds it}, which the stories' keys say too.
    index: dict[str, str] = {}
    seeds: dict[str, Seed] = {}
    waiting: dict[str, str] = {}
    terms: Terms = msgspec.field(default_factory=Terms)
    #: Stories touched since the last judgement.
    touched: dict[str, None] = {}

    def learn_one(
        self,
        mention: Enriched,
        weight: Weight,
        copies: int,
        copy_key: str,
        max_stories: int,
        known: bool,
        times: int = 1,
        call: bool = False,
    ) -> Story | None:
        """Take one mention; return its story, if it has one.

        ``copies``: near-copies of it within the hour, ``copy_key``: their signature; ``known``: the brand's usual talk is known;
        ``times``: mentions that it stands for; ``call``: whether it calls on others to act against the brand.
        """
        index, waiting = self.index, self.waiting
        reshare = mention.kind == "reshare"
        root = mention.root_id or mention.parent_id
        keys = ["r:" + root] if root else []
        if not reshare:
            if mention.link:
                keys.append("l:" + mention.link)
            if copy_key:
                keys.append("c:" + copy_key)
        # Whoever answered before may have brought this mention's own key.
        sought = keys if reshare else [*keys, "r:" + mention.id]
        story: Story | None = None
        for key in sought:
            story_id = index.get(key)
            if story_id is not None and (story is None or story_id != story.id):
                story = self.stories[story_id] if story is None else self._one(story, self.stories[story_id])
        if story is None:
            seeds = self.seeds
            seed_id = root if root and root in seeds else ""
            for key in sought:
                if not seed_id and key not in waiting:
                    continue
                seed = seeds.get(seed_id or waiting[key])
                if seed is not None:
                    if seed.author != mention.author or not seed.author:
                        story = self._start(mention.brand, seed, key)
                        break
                    seed_id = ""
        if not reshare and weight[0] > 0.0 and (mention.terms or mention.hashtags):
            words = mention.terms
            if mention.hashtags:
                words = (*words[:6], *["#" + tag for tag in mention.hashtags[:3]])
            pairs = self.terms.learn_one(mention.applies_ms, words, mention.author, weight[0], known)
            if pairs:
                story = self._by_pairs(mention, story, ["t:" + pair for pair in pairs])
        if story is None and not reshare and call and weight[0] > 0.0:
            story = self._by_calls(mention)
            keys = [*keys, _CALLS]
        if story is None:
            self._wait(mention, weight, keys)
            return None
        if len(story.keys) < MAX_KEYS:
            for key in sought:
                self._hold(story, key)
        story.learn_one(mention, weight, copies > 0, times)
        self.touched[story.id] = None
        if len(self.stories) > max_stories:
            self._forget(mention.applies_ms, max_stories, story.id)
        return story

    def update(self, mention: Enriched) -> None:
        """Take newer reactions to a mention that is known."""
        story_id = self.index.get("r:" + mention.id)
        if story_id is not None:
            self.stories[story_id].follow(mention.id, reactions(mention))
        elif (seed := self.seeds.get(mention.id)) is not None:
            seed.likes = max(seed.likes, mention.likes)
            seed.replies, seed.reshares = max(seed.replies, mention.replies), max(seed.reshares, mention.reshares)

    def _one(self, one: Story, other: Story) -> Story:
        """Merge two stories, the smaller into the larger; return it."""
        into, story = (one, other) if one.mentions >= other.mentions else (other, one)
        into.absorb(story)
        self._remove(story)
        for key in story.keys:
            self._hold(into, key)
        return into

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

    def _by_calls(self, mention: Enriched) -> Story | None:
        """Return the story of those who call for the same without answering or copying each other; a second author begins it."""
        story_id = self.index.get(_CALLS)
        if story_id is not None:
            return self.stories[story_id]
        seed = self.seeds.get(self.waiting.get(_CALLS, ""))
        if seed is None or (seed.author == mention.author and seed.author):
            return None
        story = self._start(mention.brand, seed, _CALLS)
        story.terms = (next((word.partition(":")[2] for word in seed.crisis_words if word.startswith(CALL)), "petition"),)
        return story

    def _hold(self, story: Story, key: str) -> None:
        if key not in self.index and len(story.keys) < MAX_KEYS:
            self.index[key] = story.id
            story.keys.append(key)

    def _new(self, brand: str, key: str, applies_ms: int, published_ms: int, first: Enriched | Seed) -> Story:
        digest = xxhash.xxh3_64_hexdigest(f"{brand}\n{key}\n{first.id}".encode("utf-8", "replace"))[:12]
        story = Story(
            id=f"s-{digest}", by=_BY[key[0]], onset_ms=published_ms, growth=Growth(network_class=first.network_class),
            mention_id=first.id, network=first.network, author=first.author, last_ms=applies_ms,
        )  # fmt: skip
        self.stories[story.id] = story
        self._hold(story, key)
        return story

    def _start(self, brand: str, seed: Seed, key: str) -> Story:
        story = self._new(brand, key, seed.applies_ms, seed.published_ms, seed)
        story.plant(seed)
        del self.seeds[seed.id]
        for other in (*seed.keys, "r:" + seed.id):
            if other != _CALLS:  # A story that begins by something else does not take all calls along.
                self._hold(story, other)
        return story

    def _wait(self, mention: Enriched, weight: Weight, keys: list[str]) -> None:
        """Keep a mention as what a story may begin with. A reshare of something unknown waits by what it shares."""
        seeds, waiting = self.seeds, self.waiting
        if mention.id in seeds:
            return
        seeds[mention.id] = Seed(
            mention.id, mention.network, mention.published_ms, mention.applies_ms, mention.author, mention.source,
            mention.network_class, mention.author_marks, mention.organic_pm, mention.cues, mention.crisis_words, mention.text[:140],
            mention.followers, mention.replies, mention.reshares, mention.likes, weight, keys,
        )  # fmt: skip
        for key in keys:
            known = waiting.get(key)
            if known is None:
                waiting[key] = mention.id
            elif known not in seeds:
                del waiting[key]  # as if it had been tidied away
                waiting[key] = mention.id
        if len(seeds) > MAX_SEEDS:
            self._make_room()
            if len(waiting) > 4 * MAX_SEEDS:
                self.tidy()

    def _make_room(self) -> None:
        """Forget the oldest waiting mention; one that speaks of trouble only when its turn comes for the fifth time.

        Among the talk of a big brand the root of a crisis would else be gone before its second answer is there.
        """
        seeds = self.seeds
        for _ in range(_SPARED):
            first = seeds.pop(next(iter(seeds)))
            if first.weight[2] < 0.5 * first.weight[0] or first.spared >= _SPARED:
                return
            first.spared += 1
            seeds[first.id] = first
        del seeds[next(iter(seeds))]

    def find_keys(self) -> None:
        """Make ``index`` anew."""
        self.index = {key: story.id for story in self.stories.values() for key in story.keys}

    def tidy(self) -> None:
        """Drop keys of mentions that wait no more. When that is done changes nothing: nobody finds them."""
        self.waiting = {key: mention_id for key, mention_id in self.waiting.items() if mention_id in self.seeds}

    def _remove(self, story: Story) -> None:
        del self.stories[story.id]
        for key in story.keys:
            if self.index.get(key) == story.id:
                del self.index[key]
        self.touched.pop(story.id, None)

    def _forget(self, t_ms: int, keep: int, spare: str) -> None:
        """Forget the least interesting: no alarm, least recent trouble."""

        def worth(story: Story) -> tuple[bool, float, int, str]:
            return story.rings_ms > 0 or story.id == spare, story.decayed(t_ms)[1], story.last_ms, story.id

        ranked = sorted(self.stories.values(), key=worth)
        for story in ranked[: len(ranked) - max(1, keep - keep // 10)]:
            if story.id != spare:
                self._remove(story)

    def expire(self, t_ms: int) -> None:
        """Forget stories and waiting keys of which nothing was heard for three days (small ones: half a day); others fade after hours."""
        for story in [
            s for s in self.stories.values() if not s.rings_ms and t_ms - s.last_ms > (FORGET_MS if s.mentions > 5 else FORGET_MS // 6)
        ]:
            self._remove(story)
        for story in self.stories.values():
            if not story.rings_ms and t_ms - story.last_ms > FADE_MS and len(story.keys) + len(story.samples) > 1:
                for key in story.keys[MAX_FADED_KEYS:]:
                    if self.index.get(key) == story.id:
                        del self.index[key]
                story.fade()
        for mention_id in [seed.id for seed in self.seeds.values() if t_ms - seed.applies_ms > FORGET_MS]:
            del self.seeds[mention_id]
