"""Which reasons of a crisis are told: the brief and the line of ``veille crises`` tell the same ones."""

from __future__ import annotations

import msgspec
import pytest

from schemas.signal import Contribution
from streams.cli.crisis_words import crisis_line
from streams.reasons import CALM, ended_by, speaking_for
from streams.respond.brief import brief
from tests.respond.make import card

RANG, MORE = (Contribution(name=name, log_odds=1.0, text=f"it has {name}") for name in ("tone.negative", "spread.authors"))
AGAINST = Contribution(name="growth.rate", log_odds=-3.0, text="hardly any now")
NEUTRAL = Contribution(name="volume.searched", log_odds=0.0, text="one of many pairs")
OVER = Contribution(name=CALM, log_odds=0.0, text="nothing has rung for 11 h")


def test_what_speaks_against_it_is_no_reason_for_it() -> None:
    """In the card's order; where nothing speaks for it, what there is is told; what ended it never speaks for it."""
    assert speaking_for([OVER, AGAINST, RANG, NEUTRAL, MORE]) == [RANG, MORE]
    assert speaking_for([AGAINST, NEUTRAL]) == [AGAINST, NEUTRAL]
    assert speaking_for([OVER]) == []


def test_what_is_open_was_ended_by_nothing() -> None:
    """A crisis that came back has the reason that ended it once still on its card."""
    assert ended_by("resolved", [OVER, RANG]) == OVER
    assert [ended_by(phase, [OVER, RANG]) for phase in ("open", "escalated", "eased")] == [None] * 3
    assert ended_by("resolved", [RANG]) is None
    assert ended_by("resolved", []) is None


@pytest.mark.parametrize("phase", ["open", "resolved"])
@pytest.mark.parametrize("reasons", [(AGAINST, NEUTRAL, RANG), (OVER, AGAINST, RANG), (AGAINST, NEUTRAL)])
def test_brief_and_line_tell_the_same(phase: str, reasons: tuple[Contribution, ...]) -> None:
    """The reason on the line of a crisis is the one that its brief names first."""
    crisis = card(phase=phase, contributions=reasons)
    line = crisis_line({"type": "veille.crisis.updated", "data": msgspec.to_builtins(crisis)})
    told = [one for one in reasons if line.endswith(f"  {one.text}")]
    assert len(told) == 1
    assert brief(crisis)[9].partition(": ")[2].startswith(told[0].text)
