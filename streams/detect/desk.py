"""What the crisis desk asks of a brand's mentions: who speaks where, and what hangs on the brand's own posts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
import xxhash

from schemas.command import ForwardedCommand
from schemas.enriched import Enriched
from schemas.signal import ImpactRow, StoryReading
from streams.detect.declared import Declared
from streams.detect.impact import Impact, Spoken, spoken
from streams.detect.stories import Story
from streams.folding import words_of
from streams.rounding import six

if TYPE_CHECKING:
    from streams.detect.ring import Ring

#: Declared crises of a brand that are collected at a time, and how much of a text is looked at.
_MAX_DECLARED, _SEARCHED = 16, 4000
_MAX_POSTS = 64
_MAX_STORIES = 256
#: Mentions of stories that do not ring yet, so that the first voices are in the table once they do.
MAX_FIRST = 64
_FIRST_OF_STORY = 16
#: After so long a post has had its answers: it joins what is usual.
_USUAL_AFTER_MS = 96 * 3_600_000
#: Weight that an earlier post keeps at each further one.
_KEEP = 0.97
#: From so many posts on an account's usual is known.
_KNOWN_POSTS = 3.0


class Post(msgspec.Struct, array_like=True, gc=False):
    """One post or page of an owned account; ``answer``: it answers what rings."""

    at_ms: int
    digest: int
    story: str = ""
    answer: bool = False
    answers: int = 0
    negative: int = 0
    reshares: int = 0
    likes: int = 0
    altered: bool = False


class Hanging(msgspec.Struct, array_like=True, gc=False):
    """What of one story hangs on own posts; ``posts``: their ids, at most four."""

    answers: int = 0
    negative: int = 0
    reshares: int = 0
    posts: list[str] = []


class Desk(msgspec.Struct, array_like=True, gc=False):
    """Kept for each brand. Bounded: the latest 64 own posts, 256 stories, 64 first mentions, tables of what rings."""

    posts: dict[str, Post] = {}
    #: {address of an own page or post: id of the post}
    links: dict[str, str] = {}
    hanging: dict[str, Hanging] = {}
    first: list[tuple[str, Spoken]] = []
    impacts: dict[str, Impact] = {}
    #: {story that rings: its terms}; addresses at which a person said that an answer stands, the latest last.
    about: dict[str, tuple[str, ...]] = {}
    published: list[str] = []
    #: Posts of the brand that answer what rings, and {network: of them}.
    answers: int = 0
    networks: dict[str, int] = {}
    #: Usual posts: how many (forgetting), their answers, negative answers, reshares and likes.
    usual_posts: float = 0.0
    usual_answers: float = 0.0
    usual_negative: float = 0.0
    usual_liked: float = 0.0
    #: What people declared; {partition of crisis.commands: highest offset seen}.
    declared: list[Declared] = []
    commands: dict[int, int] = {}

    def told(self, forwarded: ForwardedCommand, t_ms: int) -> bool:
        """Take a command; return False where it was seen before. An `open` with terms or addresses starts to collect."""
        if forwarded.offset <= self.commands.get(forwarded.partition, -1):
            return False
        self.commands[forwarded.partition] = forwarded.offset
        if forwarded.command.command == "published" and (url := str(forwarded.command.args.get("url", "")).strip().rstrip("/")):
            self.published = [*self.published, url][-_MAX_DECLARED:]
            post = self.posts.get(self.links.get(url, ""))
            # The post that burns is no answer to itself, whatever is said of it.
            if post is not None and not post.answer and post.story not in self.about:
                post.answer, self.answers = True, self.answers + 1
        fresh = Declared.of(forwarded.command, t_ms) if forwarded.command.command == "open" else None
        if fresh is not None and all(old.story_id != fresh.story_id for old in self.declared):
            self.declared = [*(old for old in self.declared if not old.over(t_ms)), fresh][-_MAX_DECLARED:]
        return True

    def passes_on(self, mention: Enriched) -> bool:
        """Say whether a mention only passes on an answer of the brand, which nobody may count as growth."""
        if mention.kind not in ("reshare", "quote"):
            return False
        post = self._post_of(mention)[1]
        return post is not None and post.answer

    def learn_one(
        self, mention: Enriched, story: Story | None, ring: Ring | None, quoted: bool = False, times: int = 1, author: int | None = None
    ) -> None:
        """Take one mention of ``story`` while ``ring`` rings.

        ``quoted``: see `passes_on`; ``times``: mentions that it stands for; ``author``: see `spoken`.
        """
        name = story.id if story is not None else ""
        if "owned" in mention.author_marks:
            self._publish(mention, name, ring is not None and self._answers(mention, story))
            return
        if self.declared:
            words = words_of(mention.text[:_SEARCHED])
            for one in self.declared:
                if not quoted and not one.over(mention.applies_ms) and one.takes(mention, words):
                    one.learn_one(mention, times)
        negative = mention.polarity == "negative"
        post_id, post = self._post_of(mention) if self.posts else ("", None)
        if post is not None:
            reshare = mention.kind == "reshare"
            if reshare:
                post.reshares += times
            else:
                post.answers += times
                post.negative += times if negative else 0
            if name and not post.answer:
                self._hang(name, post_id, reshare, negative, times)
        rings = story is not None and story.rings_ms > 0
        if rings and story is not None:
            self.about[name] = story.terms
        if ring is not None and (ring.whole or rings):
            place = name if rings else ""
            table = self.impacts.get(place) or self._table(place)
            table.learn_one(spoken(mention, negative, times, quoted, author))
        elif story is not None and story.mentions <= _FIRST_OF_STORY:
            self.first.append((name, spoken(mention, negative, times, quoted, author)))

    def make_room(self, stories: Mapping[str, Story]) -> None:
        """Forget the first mentions of stories that are gone or were not heard of for longest, down to three quarters of the places."""
        counts = Counter(name for name, _ in self.first if name in stories)
        room, kept = MAX_FIRST * 3 // 4, set()
        for name in sorted(counts, key=lambda name: (-stories[name].last_ms, name)):
            room -= counts[name]
            if room < 0:
                break
            kept.add(name)
        self.first = [entry for entry in self.first if entry[0] in kept]

    def update(self, mention: Enriched) -> None:
        """Take news of a known mention: an own post whose text changed was altered, its likes are what counts against answers."""
        post = self.posts.get(mention.id)
        if post is not None:
            post.likes = max(post.likes, mention.likes)
            post.altered = post.altered or _digest(mention.text) != post.digest

    def _answers(self, mention: Enriched, story: Story | None) -> bool:
        """Say whether an own post answers what rings: it replies, belongs to it, speaks of it, or a person said that it stands there."""
        if mention.kind in ("reply", "comment", "quote") or (story is not None and story.rings_ms > 0):
            return True
        if mention.url.rstrip("/") in self.published or mention.link.rstrip("/") in self.published:
            return True
        return any(term in mention.terms for terms in self.about.values() for term in terms)

    def _publish(self, mention: Enriched, story: str, answer: bool) -> None:
        if mention.kind == "reshare" or mention.id in self.posts:
            return
        if answer:
            self.answers += 1
            self.networks[mention.network] = self.networks.get(mention.network, 0) + 1
        self._settle(mention.applies_ms)
        self.posts[mention.id] = Post(mention.applies_ms, _digest(mention.text), story, answer, likes=mention.likes)
        for link in (mention.url, mention.link):
            if link:
                self.links[link.rstrip("/")] = mention.id
        while len(self.posts) > _MAX_POSTS:
            self._drop(next(iter(self.posts)))

    def _post_of(self, mention: Enriched) -> tuple[str, Post | None]:
        posts = self.posts
        name = mention.parent_id if mention.parent_id in posts else mention.root_id
        if name not in posts:
            name = self.links.get(mention.link.rstrip("/"), "") if mention.link else ""
        return name, posts.get(name)

    def _settle(self, t_ms: int) -> None:
        """Let posts that had their time join what is usual; those that rang say nothing of it."""
        for name in [name for name, post in self.posts.items() if t_ms - post.at_ms > _USUAL_AFTER_MS]:
            self._drop(name)

    def _drop(self, name: str) -> None:
        post = self.posts.pop(name)
        self.links = {link: of for link, of in self.links.items() if of != name}
        if post.answer or post.story in self.impacts:
            return
        self.usual_posts = self.usual_posts * _KEEP + 1.0
        self.usual_answers = self.usual_answers * _KEEP + post.answers
        self.usual_negative = self.usual_negative * _KEEP + post.negative
        self.usual_liked = self.usual_liked * _KEEP + post.reshares + post.likes

    def _hang(self, story: str, post: str, reshare: bool, negative: bool, times: int) -> None:
        found = self.hanging.get(story)
        if found is None:
            if len(self.hanging) >= _MAX_STORIES:
                del self.hanging[next(iter(self.hanging))]
            found = self.hanging[story] = Hanging()
        if reshare:
            found.reshares += times
        else:
            found.answers += times
            found.negative += times if negative else 0
        if post not in found.posts and len(found.posts) < 4:
            found.posts.append(post)

    def _table(self, story: str) -> Impact:
        table = self.impacts.get(story)
        if table is None:
            table = self.impacts[story] = Impact()
            for name, one in self.first:
                if name == story:
                    table.learn_one(one)
            self.first = [entry for entry in self.first if entry[0] != story]
        return table

    def fall_silent(self) -> None:
        """What rang is over: its tables are told."""
        self.impacts, self.networks, self.about, self.answers = {}, {}, {}, 0
        for post in self.posts.values():
            post.answer = False

    def usual(self) -> tuple[float, float]:
        """Return of the usual own post: answers for one reshare or like, and the negative share of answers; 0 where not known."""
        if self.usual_posts < _KNOWN_POSTS or self.usual_answers < 1.0:
            return 0.0, 0.0
        return six(self.usual_answers / (1.0 + self.usual_liked)), six(self.usual_negative / self.usual_answers)

    def whole(self, t_ms: int, seq: int) -> tuple[tuple[ImpactRow, ...], bool]:
        """Return the table of what rings outside of any story, or its changes (see `Impact.tell`)."""
        table = self.impacts.get("")
        return table.tell(t_ms, seq) if table is not None else ((), False)

    def tell(self, reading: StoryReading, t_ms: int, seq: int) -> StoryReading:
        """Return ``reading`` with its table and what hangs on own posts; what was merged into the story is summed.

        ``seq``: the signal that tells it.
        """
        for old in reading.merged:
            if (table := self.impacts.pop(old, None)) is not None:
                self._table(reading.story_id).absorb(table)
            if (hanging := self.hanging.pop(old, None)) is not None:
                mine = self.hanging.setdefault(reading.story_id, Hanging())
                mine.answers, mine.negative = mine.answers + hanging.answers, mine.negative + hanging.negative
                mine.reshares += hanging.reshares
                mine.posts = [*mine.posts, *(post for post in hanging.posts if post not in mine.posts)][:4]
        known, table = self.hanging.get(reading.story_id) or Hanging(), self.impacts.get(reading.story_id)
        posts = [post for name in known.posts if (post := self.posts.get(name)) is not None]
        rows, as_before = table.tell(t_ms, seq) if table is not None else ((), False)
        return msgspec.structs.replace(
            reading, own_post=known.answers + known.reshares > 0, own_answers=known.answers, own_negative=known.negative,
            own_reshares=known.reshares, own_likes=sum(post.likes for post in posts), own_altered=any(post.altered for post in posts),
            impact=rows, impact_as_before=as_before,
        )  # fmt: skip


def _digest(text: str) -> int:
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "replace"))
