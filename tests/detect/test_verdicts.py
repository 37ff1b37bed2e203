"""Verdicts move an offset and four weights, within bounds, and the same log gives the same weights."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas.cloudevents import header_maker
from schemas.command import Command, ForwardedCommand
from streams.detect.score import SHIPPED
from streams.detect.verdicts import Verdicts
from streams.engine.stage import InputRecord
from tests.detect.worlds import HOUR, START, World


def _tell(world: World, offset: int, command: str, **args: Any) -> None:
    given = Command(id=f"c{offset}", command=command, brand="acme", by="somebody", at_ms=START, args=args)
    value = msgspec.json.encode(ForwardedCommand(command=given, partition=0, offset=offset))
    headers = header_maker("veille.command.forwarded")("id", "acme", "time")
    world.stage.process([InputRecord(world._offset, 0, b"acme", value, headers)])
    world._offset += 1


def _alarm(world: World) -> None:
    world.watch()
    for i in range(60):
        world.say(
            START + i * 20_000, f"b{i}", polarity="negative", negative_pm=900, crisis_words=("safety:poison",), root_id="r",
            parent_id="r", kind="reply",
        )  # fmt: skip
    world.until(START + HOUR)
    assert world.over()


@pytest.mark.parametrize(("command", "args", "lower"), [("cancel", {}, True), ("ack", {}, False)])
def test_a_verdict_reaches_the_weights(command: str, args: dict[str, Any], lower: bool) -> None:
    """A refused alarm lowers what made it ring, a confirmed one never does; a repeat of the command changes nothing."""
    world = World()
    _alarm(world)
    brand = world.stage.brands["acme"]
    assert brand.weights == SHIPPED
    _tell(world, 0, command, **args)
    once = brand.weights
    assert (once[0] < 0.0) is lower
    _tell(world, 0, command, **args)
    assert brand.weights == once


def test_the_same_log_and_verdicts_give_these_weights() -> None:
    """The golden figures: an alarm that was refused, then confirmed after all, leaves what one confirmation leaves."""
    found = []
    for words in (("cancel", "ack"), ("ack",)):
        world = World()
        _alarm(world)
        for offset, word in enumerate(words):
            _tell(world, offset, word)
        found.append(world.stage.brands["acme"].weights)
    assert found[0] == found[1]


def test_weights_stay_within_a_factor_of_two() -> None:
    """However one-sided the verdicts are, no weight leaves [0.5, 2] and no offset the logarithm of that; only the newest 60 are kept."""
    for confirmed in (True, False):
        verdicts = Verdicts()
        for day in range(100):
            weights = verdicts.learn_one(day, (4.0, -3.0, 4.0, -4.0), confirmed=confirmed)
        assert all(0.5 <= weight <= 2.0 for weight in weights[1:])
        assert abs(weights[0]) <= 0.6932
        assert len(verdicts.rows) == 60
