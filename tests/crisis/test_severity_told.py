"""The crisis stage: when a severity that rises or falls is told, and what growing again and easing make of it."""

from __future__ import annotations

from tests.crisis.make import events, log, opened, run, signal, story


def _far(days: float) -> dict[str, float]:
    """Return a forecast of so many usual days of authors."""
    return {"median": 30 + 50 * days, "low": 30 + 40 * days, "high": 30 + 62 * days}


def test_a_severity_near_a_border_does_not_flap() -> None:
    """A forecast that swings around a border escalates once; only when the higher class is hardly possible does it fall."""
    press = (story(press=1),)
    swing = [signal(2 + n, 40 + 40 * n, over=True, stories=(story(press=1, mentions=50 + n),), forecast_authors_24h=_far(days))
             for n, days in enumerate([3.6, 2.8, 3.6, 2.8, 3.6, 0.1])]  # fmt: skip
    found = events(run(log(signal(1, 0, over=True, margin=20.0, stories=press, forecast_authors_24h=_far(2.0)), *swing)))
    assert [name for name, _ in found][1:] == ["opened", "escalated", *["updated"] * 5]
    assert [card.severity for _, card in found][1:] == [4, 5, 5, 5, 5, 5, 2]


def test_a_severity_alone_lets_nothing_grow_again() -> None:
    """While nothing passes the threshold, what eased stays so: its severity is told with the updates, and up and down at their pace."""
    swing = [
        signal(2 + n, 80 + 10 * n, eased=True, forecast_authors_24h=_far(days), stories=(story(mentions=50 + n),))
        for n, days in enumerate([0.1, 2.0, 3.6, 0.1, 3.6, 2.0, 90.0, 90.0, 90.0])
    ]
    found = events(run(log(signal(1, 0, over=True, margin=20.0), *swing)))[2:]
    assert [name for name, _ in found] == ["eased", "updated", "updated"]
    assert {card.phase for _, card in found} == {"eased"}
    assert found[-1][1].severity == 5
    over = signal(3, 100, over=True, forecast_authors_24h=_far(90.0))
    grown = events(run(log(signal(1, 0, over=True, margin=20.0), *swing[:1], over)))
    assert [(name, card.phase) for name, card in grown][1:] == [("opened", "open"), ("eased", "eased"), ("escalated", "escalated")]


def test_growing_again_stands_before_easing_is_told_again() -> None:
    """What eased and is over again is told as growing; that it eased once more is told after the time between two updates."""
    calm = [signal(5 + n, 205 + 5 * n, eased=True) for n in range(8)]
    found = events(run(log(*opened(), signal(3, 60, eased=True), signal(4, 200, over=True), *calm)))
    assert [(name, card.phase) for name, card in found][2:] == [("eased", "eased"), ("updated", "open"), ("eased", "eased")]
    assert [card.updated_at[11:16] for _, card in found][3:] == ["20:13", "20:43"]


def test_easing_lowers_no_severity_that_lies_near_a_border() -> None:
    """Easing alone is no reason to take a severity back; one that is hardly possible any more falls with it."""
    press = (story(press=1),)
    for days, severity in ((2.8, 5), (0.1, 2)):
        found = events(run(log(
            signal(1, 0, over=True, margin=20.0, stories=press, forecast_authors_24h=_far(3.6)),
            signal(2, 90, eased=True, stories=press, forecast_authors_24h=_far(days)),
        )))  # fmt: skip
        assert (found[-1][0], found[-1][1].severity) == ("eased", severity)
