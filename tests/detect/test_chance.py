"""A number is a score until people have said often enough what was a crisis; then it is a chance too."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.detect import chance as module
from streams.detect.chance import LEAST, chance
from streams.detect.verdicts import Verdicts
from streams.errors import BadInput
from streams.evaluate.chance_train import MOMENTS, fit
from tests.detect.test_verdicts import _alarm, _tell
from tests.detect.worlds import World


@given(st.floats(0, 12), st.floats(0, 12), st.integers(0, LEAST), st.integers(0, 30))
def test_a_chance_rises_with_the_number_and_with_confirmations(one: float, other: float, confirmed: int, more: int) -> None:
    """It is a probability, monotone in both, and None with too few verdicts."""
    verdicts = [1.0] * confirmed + [0.0] * (LEAST - confirmed)
    low, high = (chance(peak, verdicts) for peak in sorted((one, other)))
    surer = chance(max(one, other), [*verdicts, *[1.0] * more])
    assert low is not None
    assert high is not None
    assert surer is not None
    assert 0.0 <= low <= high <= surer <= 1.0
    assert chance(one, verdicts[1:]) is None


def test_examples_hold() -> None:
    """What the docstring shows is what comes out."""
    assert doctest.testmod(module).failed == 0


def test_thirty_verdicts_make_a_score_a_chance() -> None:
    """A signal has none while its brand has 29 verdicts; with one more it says how alarms of this brand go, here mostly for nothing."""
    world = World()
    _alarm(world)
    assert {signal.chance for signal in world.over()} == {None}
    brand = world.stage.brands["acme"]
    brand.verdicts = Verdicts([(day, 2.0, 1.0, 1.0, 1.0, float(day % 10 == 0)) for day in range(LEAST - 1)])
    _tell(world, 0, "ack")
    world.say(world.over()[-1].at_ms + 3_600_000, "late", polarity="negative", negative_pm=900, root_id="r", parent_id="r", kind="reply")
    world.until(world.over()[-1].at_ms + 2 * 3_600_000)
    last = [signal for signal in world.signals if signal.kind == "reading"][-1]
    assert last.chance == chance(brand.ring.peak if brand.ring else 0.0, [row[5] for row in brand.verdicts.rows])
    assert last.chance is not None
    assert last.chance < 0.5


def test_the_map_is_learned_from_what_was_planted() -> None:
    """Crises that reach greater numbers than decoys give a rising map; where they do not it is flat; one class alone teaches nothing."""
    rising = [("a", crisis, number + crisis) for crisis in (True, False) for number in (2.0, 2.5, 3.0, 3.5)]
    assert fit(rising).slope > 0.5
    assert fit(rising).rings == len(rising) // len(MOMENTS)
    falling = [("a", not crisis, number) for _, crisis, number in rising]
    assert (fit(falling).offset, fit(falling).slope) == (0.0, 0.0)
    with pytest.raises(BadInput, match="both planted crises and decoys"):
        fit(rising[:4])
