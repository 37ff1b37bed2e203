"""A ring of the brand as a whole, without a story to tell which crisis it is of."""

from __future__ import annotations

import pytest

from tests.crisis.make import MINUTE, START, events, log, run, signal, story


@pytest.mark.parametrize(
    ("eased", "last_said", "crises"),
    [(False, 5, 1), (True, 5, 2), (True, 140, 1)],
    ids=["still burns", "eased and silent", "eased, but spoken of"],
)
def test_it_belongs_to_what_burns_or_is_still_spoken_of(eased: bool, last_said: int, crises: int) -> None:
    """What eased and fell silent takes no new ring of the brand to itself: that would hide the crisis that begins there."""
    first, later = (story("s1", last_ms=START + said * MINUTE) for said in (5, last_said))
    found = events(run(log(
        signal(1, 5, over=True, margin=20.0, stories=(first,)),
        signal(2, 140, stories=(later,), eased=eased),
        signal(3, 150, over=True, margin=20.0, stories=()),
    )))  # fmt: skip
    assert len({card.crisis_id for _, card in found}) == crises


def test_a_crisis_without_stories_takes_it_back() -> None:
    """What rang by the brand's count alone and eased grows again by the same count."""
    found = events(run(log(
        signal(1, 5, over=True, margin=20.0, stories=()),
        signal(2, 140, stories=(), eased=True),
        signal(3, 150, over=True, margin=20.0, stories=()),
    )))  # fmt: skip
    assert [name for name, _ in found][-1] == "updated"
    assert len({card.crisis_id for _, card in found}) == 1
