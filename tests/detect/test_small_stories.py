"""What is kept of a story: little while it is small, little once nobody speaks of it, and still enough to find it again."""

from __future__ import annotations

from streams.detect.samples import Sample, keep
from streams.detect.stories import MAX_FADED_KEYS, Story
from tests.detect.worlds import HOUR, START, World


def _talk(world: World, at: int, count: int) -> str:
    """A post with answers that are long and all different; return the post's id."""
    world.say(at, "first")
    root = f"m{world._offset - 1}"
    for number in range(count):
        world.say(at + number * 1000, f"b{number}", root_id=root, parent_id=root, kind="reply")
    world.until(at + 60_000)
    return root


def _story(world: World) -> Story:
    (story,) = world.stage.brands["acme"].book.stories.values()
    return story


def test_a_story_that_nobody_speaks_of_fades() -> None:
    """After hours of silence one text and a few keys are left; an answer to its root joins it all the same, and counts go on."""
    world = World()
    world.watch()
    root = _talk(world, START, 30)
    assert len(_story(world).keys) > MAX_FADED_KEYS
    assert len(_story(world).samples) == 4
    for hour in range(1, 7):  # each hour somebody speaks of something else, and the brand looks at its stories
        world.say(START + hour * HOUR, f"other{hour}")
        world.until(START + hour * HOUR + 60_000)
    story = _story(world)
    assert len(story.keys) == MAX_FADED_KEYS
    assert (len(story.samples), story.mentions) == (1, 31)
    world.say(START + 6 * HOUR + 120_000, "late", root_id=root, parent_id=root, kind="reply")
    world.until(START + 6 * HOUR + 180_000)
    assert (_story(world).id, _story(world).mentions) == (story.id, 32)


def test_what_rings_does_not_fade() -> None:
    """A story that rings keeps its texts however long it is silent."""
    world = World()
    world.watch()
    _talk(world, START, 30)
    for brand in world.stage._awake.values():
        for story in brand.book.stories.values():
            story.rings_ms = START
        brand.book.expire(START + 60 * HOUR)
    assert len(_story(world).samples) == 4


def test_a_small_story_keeps_one_short_text() -> None:
    """One text of 140 characters up to three mentions, two up to seven, then four of 280, the loudest first."""
    samples: list[Sample] = []
    found = []
    for mentions in range(1, 20):
        keep(samples, f"m{mentions}", "x", f"{mentions} " * 200, 100 + mentions, mentions)
        found.append((len(samples), max(len(sample[2]) for sample in samples)))
    assert found[:3] == [(1, 140)] * 3
    assert found[3:7] == [(2, 140)] * 4
    assert found[-1] == (4, 280)
    assert [sample[3] for sample in samples] == [119, 118, 117, 116]
    keep(samples, "quiet", "x", "too quiet to be told", 50, 20)
    assert "quiet" not in [sample[0] for sample in samples]
