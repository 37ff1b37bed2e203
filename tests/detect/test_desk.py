"""What the desk asks of a brand's mentions: the table of who speaks where, and what hangs on own posts."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.command import Command, ForwardedCommand
from schemas.enriched import Enriched
from schemas.signal import StoryReading
from streams.detect.desk import Desk
from streams.detect.growth import Growth
from streams.detect.impact import EXACT_AUTHORS, Impact, spoken
from streams.detect.ring import Ring
from streams.detect.stories import Story

HOUR = 3_600_000
DAY = 24 * HOUR
OWNED: dict[str, Any] = {"author_marks": ("owned",), "author": "brand"}


def mention(n: int, t_ms: int = 0, **more: Any) -> Enriched:
    """Mention number ``n`` at ``t_ms`` by an author of its own."""
    base: dict[str, Any] = {"network": "x", "author": f"a{n}", "followers": 100, "polarity": "negative", "kind": "reply"}
    return Enriched(brand="acme", id=f"m{n}", partition=0, offset=n, applies_ms=t_ms, published_ms=t_ms, **{**base, **more})


def ringing(story_id: str = "s1", **more: Any) -> Story:
    """A story that rings."""
    return Story(id=story_id, by="cascade", onset_ms=0, growth=Growth(), mention_id="m0", network="x", author="a0", rings_ms=1, **more)


def told(desk: Desk, t_ms: int = 0, **more: Any) -> StoryReading:
    """What the desk tells of the story s1."""
    return desk.tell(StoryReading(story_id="s1", by="cascade", **more), t_ms, -1)


def test_authors_count_once_and_reach_is_theirs() -> None:
    """Ten mentions by three people are three authors; their followers add up once, wherever they speak next."""
    table = Impact()
    for n in range(10):
        table.learn_one(spoken(mention(n, author=f"p{n % 3}", cues=("customer",) if n > 5 else ()), True, 1, False))
    rows = table.reading(0)
    assert sum(row.authors for row in rows) == 3
    assert sum(row.reach for row in rows) == 300
    assert sum(row.mentions for row in rows) == sum(row.negative for row in rows) == 10


def test_reach_is_an_upper_bound_beyond_what_is_known_by_name() -> None:
    """With more authors than are kept by name reach is never too small."""
    table = Impact()
    for n in range(EXACT_AUTHORS + 500):
        table.learn_one(spoken(mention(n), True, 1, False))
    for n in range(EXACT_AUTHORS, EXACT_AUTHORS + 500):
        table.learn_one(spoken(mention(n), True, 1, False))
    (row,) = table.reading(0)
    assert row.authors >= EXACT_AUTHORS + 500
    assert row.reach == 100 * row.authors


def test_growth_is_of_the_last_hour() -> None:
    """The last sixty minutes stand beside the sixty before; what is older is in neither."""
    table = Impact()
    for n, minute in enumerate((0, 70, 80, 130, 140, 150)):
        table.learn_one(spoken(mention(n, minute * 60_000), True, 1, False))
    (row,) = table.reading(175 * 60_000)
    assert (row.last_hour, row.hour_before, row.mentions) == (3, 2, 6)
    (row,) = table.reading(900 * 60_000)
    assert (row.last_hour, row.hour_before, row.mentions) == (0, 0, 6)


def test_the_loudest_angry_voices_come_first() -> None:
    """Three voices, an author once, praise after anger."""
    table = Impact()
    for n, (loud, angry) in enumerate([(10, True), (90, False), (50, True), (70, True), (60, True)]):
        table.learn_one(spoken(mention(n, followers=loud), angry, 1, False))
    table.learn_one(spoken(mention(9, author="a3", followers=80), True, 1, False))
    assert [voice.mention_id for voice in table.reading(0)[0].voices] == ["m9", "m4", "m2"]


def test_first_voices_are_in_the_table_once_it_rings() -> None:
    """What came of a story before it rang is there when it rings."""
    desk, quiet = Desk(), ringing()
    quiet.rings_ms, quiet.mentions = 0, 3
    for n in range(3):
        desk.learn_one(mention(n), quiet, None)
    assert told(desk).impact == ()
    desk.learn_one(mention(3), ringing(), Ring())
    assert told(desk).impact[0].mentions == 4
    desk.fall_silent()
    assert told(desk).impact == ()


def test_what_hangs_on_an_own_post() -> None:
    """Answers, quotes, reshares and links to a post of an owned account count for the story; others do not."""
    desk = Desk()
    desk.learn_one(mention(0, kind="post", likes=40, url="https://acme.example/p", **OWNED), None, None)
    story = ringing()
    for hanging in (
        mention(1, root_id="m0"), mention(1, parent_id="m0", kind="quote"), mention(1, link="https://acme.example/p", kind="post")
    ):  # fmt: skip
        desk.learn_one(hanging, story, Ring())
    desk.learn_one(mention(2, root_id="m0", kind="reshare"), story, Ring())
    desk.learn_one(mention(3, root_id="elsewhere", addressed=True), story, Ring())
    found = told(desk)
    assert (found.own_post, found.own_answers, found.own_negative, found.own_reshares, found.own_likes) == (True, 3, 3, 1, 40)
    assert not found.own_altered
    desk.update(mention(0, text="another text", kind="post", likes=50, **OWNED))
    assert (told(desk).own_altered, told(desk).own_likes) == (True, 50)


def test_an_answer_of_the_brand_is_no_own_post_crisis() -> None:
    """What only passes on an answer is quoted, in no other figure; replies to it are growth, but not against an own post."""
    desk, story, ring = Desk(), ringing(), Ring()
    desk.learn_one(mention(0, kind="post", **OWNED), story, ring)
    share, reply = mention(1, root_id="m0", kind="reshare"), mention(2, root_id="m0")
    assert (desk.passes_on(share), desk.passes_on(reply)) == (True, False)
    for one in (share, reply):
        desk.learn_one(one, story, ring, desk.passes_on(one))
    (row,) = told(desk).impact
    assert (row.mentions, row.quoted, row.authors) == (1, 1, 1)
    assert told(desk).own_answers == 0
    assert desk.networks == {"x": 1}


def test_the_usual_post_is_learned_from_old_ones() -> None:
    """Posts that had four days join what is usual; those in a story that rings do not."""
    desk = Desk()
    for day in range(10):
        desk.learn_one(mention(100 * day, day * DAY, kind="post", likes=9, **OWNED), None, None)
        for n in range(1, 3):
            desk.learn_one(mention(100 * day + n, day * DAY, root_id=f"m{100 * day}", polarity="negative" if n == 1 else ""), None, None)
    ratio, angry = desk.usual()
    assert 0.2 < ratio < 0.25
    assert 0.4 < angry < 0.6


def test_stories_that_merge_are_summed() -> None:
    """Tables and own posts of what was merged are told as one, and authors of both count once."""
    desk, ring = Desk(), Ring()
    desk.learn_one(mention(0, kind="post", **OWNED), None, None)
    for n, story_id in ((1, "s1"), (2, "s2"), (1, "s2")):
        desk.learn_one(mention(n, root_id="m0"), ringing(story_id), ring)
    found = told(desk, merged=("s2",))
    assert found.own_answers == 3
    assert (found.impact[0].mentions, found.impact[0].authors) == (3, 2)


def test_saved_and_loaded_it_goes_on_the_same() -> None:
    """A desk that was saved and loaded tells the same, byte for byte."""
    desk, ring = Desk(), Ring()
    desk.learn_one(mention(0, kind="post", **OWNED), None, None)
    for n in range(1, 40):
        desk.learn_one(mention(n, n * 60_000, root_id="m0"), ringing(), ring)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(desk), type=Desk)
    for one in (desk, again):
        one.learn_one(mention(77, 41 * 60_000, root_id="m0"), ringing(), ring)
    assert msgspec.msgpack.encode(desk) == msgspec.msgpack.encode(again)
    assert told(desk, 45 * 60_000) == told(again, 45 * 60_000)


def test_not_every_own_post_is_an_answer() -> None:
    """What the brand posts while something else rings is no answer, unless it replies, speaks of it, or a person said so."""
    ring, burning = Ring(), ringing(terms=("belt", "fire"))
    for more, story, answer in (
        ({"kind": "post", "terms": ("summer", "sale")}, None, False),
        ({"kind": "post", "terms": ("belt", "checked")}, None, True),
        ({"kind": "reply"}, None, True),
        ({"kind": "post", "url": "https://acme.example/answer"}, None, True),
    ):
        desk = Desk()
        desk.learn_one(mention(9), burning, ring)
        said = Command(id="c", command="published", brand="acme", by="ada", at_ms=0, args={"url": "https://acme.example/answer/"})
        desk.told(ForwardedCommand(command=said, partition=0, offset=1), 0)
        desk.learn_one(mention(0, **{**OWNED, **more}), story, ring)
        assert desk.passes_on(mention(1, root_id="m0", kind="quote")) == answer, more


def test_a_post_becomes_an_answer_once_a_person_says_so() -> None:
    """`published` with the address of a post that was seen already makes it an answer from then on."""
    desk = Desk()
    desk.learn_one(mention(0, kind="post", url="https://acme.example/p", **OWNED), None, Ring())
    share = mention(1, root_id="m0", kind="reshare")
    assert not desk.passes_on(share)
    said = Command(id="c", command="published", brand="acme", by="ada", at_ms=0, args={"url": "https://acme.example/p"})
    assert desk.told(ForwardedCommand(command=said, partition=0, offset=1), 0)
    assert not desk.told(ForwardedCommand(command=said, partition=0, offset=1), 0)
    assert desk.passes_on(share)


def test_the_post_that_burns_is_no_answer_to_itself() -> None:
    """Whoever says that an answer stands at its address does not take what hangs on it out of the count."""
    desk = Desk()
    desk.learn_one(mention(0, kind="post", url="https://acme.example/p", **OWNED), ringing(), None)
    desk.learn_one(mention(1, root_id="m0", kind="quote"), ringing(), Ring())
    said = Command(id="c", command="published", brand="acme", by="ada", at_ms=0, args={"url": "https://acme.example/p"})
    desk.told(ForwardedCommand(command=said, partition=0, offset=1), 0)
    assert not desk.passes_on(mention(2, root_id="m0", kind="quote"))
