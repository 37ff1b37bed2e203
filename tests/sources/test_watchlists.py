"""Watchlists in the topic: short ones in a record, long ones in parts."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.brand import Brand, LearnedPolarity, Watchlist
from streams.cli.definitions import apply_watchlist, latest_watchlist
from streams.engine.topics import partition_counts
from streams.sources import watchlists
from streams.sources.watchlists import Parts, following, is_whole, split, version_of
from tests.stories.road import story_settings

KNOWN = LearnedPolarity(shipped="p", version="v", verdicts=3, weights={"bias": (1, 2, 3)})


def long_list(brands: int, version: int = 1, names: int = 1) -> Watchlist:
    """Return a list of so many brands, of the last of which something was learned."""
    made = tuple(Brand(id=f"b{n}", names=tuple(f"Brandname {n} of {one}" for one in range(names))) for n in range(brands))
    return Watchlist(brands=made, press=("press",), version=version, learned={f"b{brands - 1}": KNOWN}, alarms_per_week=2.0)


@given(st.integers(1, 40), st.integers(1, 30), st.randoms(use_true_random=False))
def test_parts_make_the_list_again_whatever_their_order(brands: int, names: int, random) -> None:  # type: ignore[no-untyped-def]
    """Each part fits, each brand is in one, and a list is there once and only when all its parts are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watchlists, "PART_BYTES", 2_000)
        lists = [long_list(brands, 7, names), long_list(brands + 1, 8, names)]
        records = [record for one in lists for record in split(one)]
    assert len({key for key, _ in records}) == len(records)
    random.shuffle(records)
    parts, found = Parts(), []
    for key, value in records:
        assert is_whole(key.encode())
        assert version_of(key.encode()) == value.version
        packed = msgspec.json.encode(value)
        assert len(packed) < 2_400 or len(value.brands) == 1
        if (whole := parts.add(msgspec.json.decode(packed, type=Watchlist))) is not None:
            found.append(whole)
    assert sorted(found, key=lambda one: one.version) == lists


def test_a_short_list_is_one_record_as_ever() -> None:
    """Its bytes name no parts."""
    ((key, value),) = split(long_list(3, 4))
    assert key == "@4"
    assert b"part" not in msgspec.json.encode(value)


async def test_a_list_that_is_too_long_for_a_record_is_put_in_force(embedded_broker: str) -> None:
    """More than a megabyte of brands: the topic gives the whole list again, to commands and to a worker that follows it."""
    settings = story_settings(embedded_broker, "long-list")
    await partition_counts(settings, ["watchlist", "mentions.raw"])
    given_ = long_list(3_500, names=15)
    assert len(msgspec.json.encode(given_)) > 1_100_000
    assert await apply_watchlist(settings, long_list(2)) == 1
    assert await apply_watchlist(settings, given_) == 2
    latest = await latest_watchlist(settings)
    assert latest is not None
    assert (latest.version, latest.press, latest.alarms_per_week) == (2, ("press",), 2.0)
    assert [brand.id for brand in latest.brands] == [brand.id for brand in given_.brands]
    followed: list[Watchlist] = []
    async with asyncio.timeout(30), following(settings, followed.append, print):
        while len(followed) < 2:
            await asyncio.sleep(0.05)
    assert [one.version for one in followed] == [1, 2]
    assert followed[1] == latest
