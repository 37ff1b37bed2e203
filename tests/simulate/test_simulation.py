"""The demo's mentions."""

from __future__ import annotations

import gzip
import itertools
import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from schemas.mention import KINDS, Mention
from streams.errors import BadInput
from streams.simulate import Simulation, simulate
from streams.simulate.simulation import START_MS
from streams.sources.files import read_mentions

EXAMPLE = Path(__file__).parents[2] / "examples" / "demo.yaml"


@pytest.fixture(scope="module")
def made() -> Simulation:
    """One simulation for all tests of this file."""
    return simulate(7)


def test_the_same_seed_gives_the_same_mentions(made: Simulation) -> None:
    """A simulation is a function of its seed, and another seed gives another."""
    assert list(simulate(7).rows()) == list(made.rows())
    assert list(simulate(8).rows())[:50] != list(made.rows())[:50]


def test_mentions_come_by_time_with_ids_of_their_own(made: Simulation) -> None:
    """Ids are unique, times ascend within the three days, and what a mention answers came before it."""
    seen: set[str] = set()
    for published_ms, mention in made.mentions:
        assert START_MS <= published_ms < START_MS + 3 * 86_400_000
        assert mention.id not in seen
        assert mention.parent_id is None or mention.parent_id in seen
        assert mention.root_id is None or mention.root_id in seen
        assert mention.kind in KINDS
        assert mention.text
        assert len(mention.text) < 600
        assert "{" not in mention.text
        seen.add(mention.id)
    assert all(before[0] <= after[0] for before, after in itertools.pairwise(made.mentions))


def test_it_is_the_size_of_a_demo(made: Simulation) -> None:
    """Seven brands give 25,000 to 40,000 mentions, and every one is read as a public mention."""
    assert 25_000 <= len(made.mentions) <= 40_000
    for _, value, _ in itertools.islice(made.rows(), 0, None, 97):
        msgspec.json.decode(value, type=Mention)


def test_five_crises_and_three_decoys_are_planted(made: Simulation) -> None:
    """The truth names each planted event with its mentions, the first of which is its onset."""
    assert Counter(event.crisis for event in made.truth) == {True: 5, False: 3}
    assert {event.kind for event in made.truth if event.crisis} == {"snowball", "rumour", "corporate", "own_post"}
    times = {mention.id: ms for ms, mention in made.mentions}
    for event in made.truth:
        assert min(times[identity] for identity in event.mention_ids) == event.onset_ms
        assert event.onset_ms >= START_MS + 24 * 3_600_000
        assert len(event.mention_ids) >= 50
    planted = [identity for event in made.truth for identity in event.mention_ids]
    assert len(planted) == len(set(planted))


def test_people_sleep(made: Simulation) -> None:
    """Far less is written in the middle of the night than in the evening."""
    hours = Counter(ms // 3_600_000 % 24 for ms, _ in made.mentions)
    assert hours[2] * 5 < hours[19]


def test_an_own_post_is_published_by_the_brand_itself(made: Simulation) -> None:
    """The event that begins with an own post has an owned account at its root."""
    by_id = {mention.id: mention for _, mention in made.mentions}
    event = next(event for event in made.truth if event.kind == "own_post")
    author = by_id[event.mention_ids[0]].author
    assert author is not None
    assert author.handle == event.brand


def test_ordinary_texts_are_many(made: Simulation) -> None:
    """The grammar says ordinary things in so many ways that few posts are the same."""
    planted = {identity for event in made.truth for identity in event.mention_ids}
    posts = [mention.text for _, mention in made.mentions if mention.kind == "post" and mention.id not in planted]
    assert len(set(posts)) > 0.9 * len(posts)


def test_the_watchlist_is_the_example(made: Simulation) -> None:
    """The watchlist that is written is the one under examples."""
    assert made.watchlist_yaml() == EXAMPLE.read_text(encoding="utf-8")


def test_a_written_folder_reads_back(made: Simulation, tmp_path: Path) -> None:
    """The folder holds the mentions, the watchlist and the truth, and writing it again gives the same bytes."""
    made.write(tmp_path / "a")
    made.write(tmp_path / "b")
    for name in ("mentions.jsonl.gz", "watchlist.yaml", "truth.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    rows = list(read_mentions([tmp_path / "a" / "mentions.jsonl.gz"]))
    assert [(row.published_ms, row.value, row.id) for row in rows] == list(made.rows())
    truth = json.loads((tmp_path / "a" / "truth.json").read_text())
    assert {"name", "brand", "onset", "mention_ids", "crisis"} <= set(truth[0])
    assert gzip.decompress((tmp_path / "a" / "mentions.jsonl.gz").read_bytes()).count(b"\n") == len(rows)


def test_two_days_hold_only_what_begins_in_them() -> None:
    """Events that would begin at the very end are not planted, and impossible lengths are refused."""
    names = {event.name for event in simulate(7, days=2).truth}
    assert "data-leak" in names
    assert "tired-faces" not in names
    with pytest.raises(BadInput):
        simulate(7, days=1)


def test_a_greater_volume_makes_brands_and_events_greater() -> None:
    """Three times the volume is about three times the mentions, of the same events; what cannot be made is told."""
    usual, large = simulate(7, days=2), simulate(7, days=2, volume=3.0)
    assert 2.6 < len(large.mentions) / len(usual.mentions) < 3.4
    assert [event.name for event in large.truth] == [event.name for event in usual.truth]
    sizes = [len(more.mention_ids) / len(less.mention_ids) for more, less in zip(large.truth, usual.truth, strict=True)]
    assert 1.8 < sum(sizes) / len(sizes) < 4.2
    with pytest.raises(BadInput, match="volume"):
        simulate(7, volume=0.0)
