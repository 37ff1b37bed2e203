"""Who speaks where, what is unanswered, and what an answer changed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.crisis import Crisis, Effect
from schemas.signal import Forecast, ImpactRow, StoryReading, Voice
from streams.crisis.effect import HOUR, begin, look
from streams.crisis.impact import add_up, unanswered, voices_of
from tests.crisis.make import approved, command, events, log, run, signal, story

C1 = "acme-20140513T155320-1"
START = 1_400_000_000_000


def row(audience: str = "customer", network: str = "x", **more: Any) -> ImpactRow:
    """One row: 40 mentions, 30 of them negative, 20 of the last hour."""
    base: dict[str, Any] = {"mentions": 40, "authors": 30, "reach": 3000, "negative": 30, "last_hour": 20, "hour_before": 10}
    return ImpactRow(audience=audience, network=network, **{**base, **more})


def told(mentions: int, negative: int, last_hour: int = 20, story_id: str = "s1", to_come: float = 60, **more: Any) -> StoryReading:
    """A story with one row and a forecast of so many mentions more."""
    impact = (row(mentions=mentions, negative=negative, last_hour=last_hour),)
    end = mentions + to_come
    return story(
        story_id, mentions=mentions, impact=impact, forecast=Forecast(median=end, low=end - to_come / 2, high=end + to_come), **more
    )


def test_rows_of_several_stories_add_up() -> None:
    """One row for each audience and network; the three loudest voices of all stories remain, each once."""
    voices = tuple(Voice(mention_id=f"m{n}", network="x", audience="customer", loudness=n) for n in range(4))
    found = add_up([(row(voices=voices[:3]), row("press")), (row(voices=voices[1:]),)])
    assert [(r.audience, r.mentions, r.reach) for r in found] == [("customer", 80, 6000), ("press", 40, 3000)]
    assert [voice.mention_id for voice in found[0].voices] == ["m3", "m2", "m1"]
    assert voices_of(found) == found[0].voices


def test_it_burns_where_nothing_was_answered() -> None:
    """Angry or growing rows are listed until the brand is seen on that network, or a published statement is meant for them."""
    rows = (row(), row("press", "rss", negative=0, hour_before=30), row("other", "facebook", negative=2), row("other", "vk", last_hour=1))
    burning = (("customer", "x"), ("other", "facebook"))
    assert unanswered(rows, {}, ()) == burning
    assert unanswered(rows, {"x": 1}, ()) == (("other", "facebook"),)
    meant = Effect(statement_id="s", published_at="", audiences=("customer",))
    assert unanswered(rows, {}, (meant,)) == (("other", "facebook"),)
    assert unanswered(rows, {}, (Effect(statement_id="s", published_at=""),)) == ()


@pytest.mark.parametrize(
    ("mentions", "negative", "shown", "word"),
    [
        (45, 34, True, "fewer than forecast"),  # 5 came where about 50 were forecast
        (95, 71, False, "no effect shown"),
        (360, 270, True, "more than forecast"),
        (95, 34, True, "less negative"),
        (95, 85, True, "more negative"),
    ],
)
def test_an_effect_is_shown_against_the_forecast(mentions: int, negative: int, shown: bool, word: str) -> None:
    """Three hours after an answer what came is held against the forecast of just before, and the negative share against before."""
    answered = begin("s", START, (), (), [told(40, 30)])
    effect = look(answered, START + 3 * HOUR, [told(mentions, negative)])
    assert effect is not None
    assert (effect.shown, effect.text.startswith(word)) == (shown, True)
    assert effect.expected is not None
    assert effect.expected.low < effect.expected.median < effect.expected.high
    assert effect.text_fr != effect.text


def test_an_effect_needs_time_and_numbers() -> None:
    """Within the first hour, or where hardly anything was to come, no effect is shown; after a day it stays as it was."""
    answered = begin("s", START, (), (), [told(40, 30)])
    early = look(answered, START + HOUR // 2, [told(40, 30)])
    assert early is not None
    assert not early.shown
    quiet = look(begin("s", START, (), (), [told(40, 30, 1, to_come=2)]), START + 5 * HOUR, [told(40, 30)])
    assert quiet is not None
    assert not quiet.shown
    last = look(answered, START + 24 * HOUR, [told(45, 34)])
    assert last is not None
    assert last.shown
    assert look(answered, START + 30 * HOUR, [told(900, 34)]) == last


def test_stories_that_join_or_merge_bring_no_growth() -> None:
    """What a story had before the answer is not counted as come since, however it comes in."""
    answered = begin("s", START, (), (), [told(40, 30)])
    joined = [told(40, 30), told(500, 400, story_id="s2", onset_ms=START - HOUR)]
    effect = look(answered, START + 2 * HOUR, joined)
    assert effect is not None
    assert effect.mentions == 0
    merged = look(answered, START + 3 * HOUR, [told(550, 430, story_id="s3", merged=("s1", "s2"))])
    assert merged is not None
    assert merged.mentions == 10


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 2000), st.floats(0, 5000), st.integers(0, 48))
def test_an_effect_is_always_sane(before: int, more: int, angry: int, to_come: float, hours: int) -> None:
    """Whatever the counts, intervals hold their middle, shares lie between 0 and 1, and it can be written."""
    answered = begin("s", START, (), (), [told(before, min(before, angry), to_come=to_come)])
    effect = look(answered, START + hours * HOUR, [told(before + more, min(before + more, angry))])
    assert effect is not None
    assert 0.0 <= effect.negative_before <= 1.0
    assert 0.0 <= effect.negative_after <= 1.0
    if effect.negative_change is not None:
        assert effect.negative_change.low <= effect.negative_change.mean + 1e-9 <= effect.negative_change.high + 2e-9
    assert msgspec.json.decode(msgspec.json.encode(effect), type=Effect) == effect


def test_the_card_shows_impact_and_effect() -> None:
    """The table, the voices and what is unanswered stand on the card; the effect does from `published` on, if the gate let it out."""
    voice = Voice(mention_id="m1", network="x", audience="customer", loudness=9)
    before = story(impact=(row(voices=(voice,)),), forecast=Forecast(median=100, low=60, high=200))
    after = story(mentions=42, impact=(row(mentions=42, negative=31, last_hour=1),), forecast=Forecast(median=60, low=50, high=90))
    found = events(run(log(
        signal(1, 0, over=True, margin=20.0, stories=(before,)), *approved(C1, "st1", "We pay."),
        command("published", 6, crisis_id=C1, statement="st1"),
        command("release", 7, crisis_id=C1, role="lead", statement="st1"),
        command("published", 8, crisis_id=C1, statement="st1", audiences=["customer"], networks=["x"]),
        signal(2, 200, over=True, stories=(after,)),
        command("published", 9, crisis_id=C1, statement="st2", audiences=["everybody"]),
    )))  # fmt: skip
    cards = [card for _, card in found[1:]]
    opened, (early, _, published, updated, refused) = cards[0], cards[-5:]
    assert found[-5][0] == "refused"
    assert (early.effects, early.unanswered) == ((), (("customer", "x"),))
    assert early.note == "only a released statement can be published; this one is approved"
    assert [r.audience for r in opened.impact] == ["customer"]
    assert (opened.voices, opened.unanswered) == ((voice,), (("customer", "x"),))
    assert published.unanswered == ()
    assert not published.effects[0].shown
    assert updated.effects[0].text.startswith("fewer than forecast")
    assert isinstance(updated, Crisis)
    assert refused.note.startswith("audiences must be one of press")
