"""Brands that sleep: the same results in little memory; and how large a brand is as bytes."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from schemas.cloudevents import header_maker
from schemas.command import Command, ForwardedCommand
from schemas.enriched import BrandSettings, Enriched, SourceState
from schemas.signal import Signal
from streams.detect.brand import Brand
from streams.detect.packing import FORMAT, load, pack, save, unpack
from streams.detect.settings import DetectSettings
from streams.engine.stage import InputRecord
from streams.errors import Fatal
from tests.detect.worlds import HOUR, START, World, burst, ordinary

_BRANDS = ("acme", "bolt", "calm", "dorm")


def _told(world: World, offset: int, at_ms: int, brand: str, command: str) -> None:
    said = Command(id=f"c{offset}", command=command, brand=brand, at_ms=at_ms, by="kim", args={"terms": ["fire"]})
    forwarded = ForwardedCommand(command=said, partition=0, offset=offset)
    headers = header_maker("veille.command.forwarded")("id", "subject", "time")
    world.signals += [
        msgspec.json.decode(out.value or b"", type=Signal)
        for out in world.stage.process([InputRecord(world._offset, 0, None, msgspec.json.encode(forwarded), headers)])
    ]
    world._offset += 1


def _mention(r: random.Random, number: int, at: int, brand: str) -> Enriched:
    root = f"m{r.randrange(max(1, number - 40), number)}" if number > 1 and r.random() < 0.4 else ""
    angry = r.random() < (0.9 if brand == "acme" and 30 * HOUR < at - START < 31 * HOUR else 0.15)
    return Enriched(
        brand=brand, id=f"m{number}", network=r.choice(("x", "reddit")), partition=0, offset=number, applies_ms=at, published_ms=at,
        author=f"a{r.randrange(400)}", source=r.choice(("feed", "hook")), text=f"text {number}",
        polarity="negative" if angry else "neutral", negative_pm=800 if angry else 0, crisis_words=("safety:fire",) if angry else (),
        terms=tuple(r.sample(("fire", "soup", "glass", "late", "staff", "queue"), 3)), root_id=root, parent_id=root,
        kind="reply" if root else "post", copy_key=f"{r.randrange(30) * 0x9E3779B97F4A7C15 % (1 << 64):016x}",
    )  # fmt: skip


def _life(seed: int, *, sleepy: bool) -> tuple[list[bytes], list[tuple[bytes, int, bytes | None]]]:
    """Return the signals of two and a half days of four brands, and the states at the end; ``sleepy``: all that may sleep do, always."""
    r, world = random.Random(seed), World(DetectSettings(max_awake=0 if sleepy else 1000))
    for version, at in ((1, START), (2, START + 20 * HOUR)):
        for number, brand in enumerate(_BRANDS):
            if version == 1 or number < 2:
                world.watch(brand, version=version, at=at, match_hash=f"h{version if number == 1 else 0}", timezone="Europe/Paris")
    number = slept = 0
    for minute in range(60 * 60):
        at = START + minute * 60_000
        busy = 3.0 if 30 * 60 < minute < 31 * 60 else 0.4
        for _ in range(int(busy + r.random())):
            number += 1
            world.send(_mention(r, number, at + r.randrange(60_000), r.choice(_BRANDS[:3] if minute < 40 * 60 else _BRANDS)))
        if minute in (600, 700):
            world.send(SourceState(source_id="hook", up=minute == 700, partition=0, offset=10**6 + minute, applies_ms=at, last_ms=at))
        if minute == 32 * 60:
            _told(world, 5, at, "dorm", "open")
            _told(world, 6, at, "acme", "ack")
        world.until(at + 60_000)
        if sleepy:
            world.stage._brands.rest(0, world.stage._dirty)
            slept += len(world.stage._brands.asleep)
    assert (slept > 5_000) is sleepy
    states: list[Any] = world.stage.checkpoint(world._offset, full=True).states
    return [msgspec.json.encode(signal) for signal in world.signals], [tuple(state) for state in states]


@pytest.mark.parametrize("seed", [1, 2])
def test_sleeping_changes_nothing(seed: int) -> None:
    """Brands that sleep after every step give the bytes of brands that never do: signals, and states at the end."""
    signals, states = _life(seed, sleepy=True)
    assert len(signals) > 5
    assert {state[0].decode() for state in states} >= set(_BRANDS)
    assert (signals, states) == _life(seed, sleepy=False)


def test_states_of_another_version_are_refused() -> None:
    """A state that another version saved stops the worker with a sentence; it is never taken for something else."""
    world = World()
    world.watch()
    ordinary(world, 1, 6.0)
    saved = _saved(world)
    for other in (bytes((FORMAT - 1,)) + saved[1:], msgspec.msgpack.encode(unpack(load(saved)))):
        with pytest.raises(Fatal, match="another version"):
            World().stage.restore({b"acme": other}, None)


def test_packing_leaves_a_brand_as_it_is() -> None:
    """A brand that was packed and unpacked is the same brand, and packing it again gives the same bytes."""
    world = World()
    world.watch()
    ordinary(world, 1, 20.0)
    burst(world, START + 24 * HOUR, 40)
    brand = world.stage.brands["acme"]
    index = dict(brand.book.index)
    first = pack(brand)
    assert brand.book.index == index != {}
    again = unpack(first)
    assert again.book.index == index
    assert save(pack(again)) == save(first)


def test_a_quiet_brand_is_small() -> None:
    """Known by its settings alone: under 200 bytes; spoken of once a day: under 2 KB, when nobody spoke of it today; an hour: 9 KB."""
    for per_day, most in ((0, 200), (1, 2_048), (24, 9_000)):
        world = World()
        world.watch(match_hash="m")
        for number in range(5 * per_day):
            r = random.Random(number)
            at = START + number * 24 * HOUR // per_day
            world.until(at)
            terms = tuple(f"term{r.randrange(300)}" for _ in range(8))
            world.say(at, f"author{number:012x}", terms=terms, copy_key=f"{r.getrandbits(64):016x}")
        world.until(START + 9 * 24 * HOUR if per_day == 1 else START + 5 * 24 * HOUR)
        assert len(_saved(world)) < most


def _saved(world: World) -> bytes:
    state = next(state for state in world.stage.checkpoint(world._offset, full=True).states if state.key == b"acme")
    assert state.value is not None
    return state.value


def test_a_large_state_is_compressed() -> None:
    """What is larger than 4 KB takes less than half of it, and comes back whole."""
    world = World()
    world.watch()
    ordinary(world, 2, 60.0)
    brand: Brand = world.stage.brands["acme"]
    plain = msgspec.msgpack.encode(brand)
    assert len(plain) > 10_000
    assert len(_saved(world)) < len(plain) / 2
    assert unpack(load(_saved(world))).digest == brand.digest


def test_no_more_brands_stay_awake_than_may() -> None:
    """Where hundreds of brands are spoken of one after the other, few are awake at any time, and each counted what was said."""
    world = World(DetectSettings(max_awake=40))
    most = 0
    for round_ in range(2):
        for number in range(300):
            at = START + (round_ * 300 + number) * 20_000
            world.say(at, "ann", brand=f"b{number}")
            world.until(at + 1)
            most = max(most, len(world.stage._awake))
    assert most <= 45
    assert len(world.stage.brands) == 300
    world.stage.checkpoint(world._offset)  # what waits for its line is counted too
    assert {round(brand.counts.read(at + 60_000)[3][0][0]) for brand in world.stage.brands.values()} == {2}


def test_what_was_said_since_a_checkpoint_is_not_slept_over() -> None:
    """A brand that was saved, spoken of again and put to sleep is saved with both mentions; one that was not is kept as it was saved."""
    world = World()
    for brand in ("acme", "bolt"):
        world.say(START, "ann", brand=brand)
    world.until(START + HOUR)
    world.stage.checkpoint(world._offset)
    world.say(START + HOUR + 1, "bob")
    world.until(START + 2 * HOUR)
    world.stage._brands.rest(0, world.stage._dirty)
    saved = {state.key: load(state.value or b"") for state in world.stage.checkpoint(world._offset, full=True).states}
    assert [round(sum(unpack(saved[name]).sources.values())) for name in (b"acme", b"bolt")] == [2, 1]


def test_a_brand_that_was_only_told_is_the_brand_that_was_told() -> None:
    """Its settings are all that is kept until somebody speaks of it, and it then is as if it had been there all the time."""
    told = BrandSettings(
        brand="acme", version=3, partition=0, offset=-1, applies_ms=START, alarms_per_week=2.0, timezone="Asia/Tokyo", page_severity=4,
        match_hash="m", calendar=((START, START + HOUR, ("fire",), 3.0),), share_per_week=0.1,
    )  # fmt: skip
    world = World()
    world.send(told)
    world.until(START + HOUR)
    assert len(_saved(world)) < 250
    brand = Brand(id="acme", w=START + HOUR)
    brand.settle(told)
    assert unpack(load(_saved(world))) == brand


def test_a_restart_does_not_write_every_state_anew() -> None:
    """After a restart each raw partition tells the settings of each brand again: nobody wakes, and no state has to be saved."""
    world = World()
    for number in range(20):
        world.watch(f"b{number}", match_hash="m")
    world.until(START + HOUR)
    saved = world.stage.checkpoint(world._offset, full=True)
    fresh = World()
    fresh.stage.restore({state.key: state.value for state in saved.states if state.value is not None}, saved.cut)
    for number in range(20):
        fresh.watch(f"b{number}", match_hash="m", at=START + HOUR)
    fresh.until(START + 2 * HOUR)
    assert len(fresh.stage.brands) == 20
    assert not fresh.stage._awake
    assert fresh.stage.checkpoint(20).states == []
    fresh.watch("b7", match_hash="other", version=2, at=START + 3 * HOUR)
    fresh.until(START + 4 * HOUR)
    assert [state.key for state in fresh.stage.checkpoint(21).states] == [b"b7"]
