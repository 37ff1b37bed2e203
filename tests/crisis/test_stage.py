"""The crisis stage: one life after another, and what disturbs it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas.signal import Contribution
from streams.engine.stage import InputRecord
from streams.errors import LogGap
from tests.crisis.make import MINUTE, START, command, events, fresh, log, names, opened, run, signal, story, watermark


def test_the_first_step_over_the_threshold_opens() -> None:
    """The threshold is the alarm budget's: what passes it is paid for."""
    assert names(run(log(signal(1, 0, over=True)))) == ["suspected", "opened"]
    assert names(run(log(signal(1, 0, over=False)))) == []


def test_whoever_wants_it_surer_waits_for_two_of_three_steps() -> None:
    """One step over the threshold is a suspicion then, and a second within three steps opens; a wide margin needs none."""

    def told(*records: InputRecord) -> list[str]:
        return names(run(log(*records), fresh(open_steps=2)))

    assert told(*opened()) == ["suspected", "opened"]
    assert told(signal(1, 0, over=True), signal(2, 10, over=True)) == ["suspected", "opened"]
    assert told(signal(1, 0, over=True), signal(2, 15, over=True)) == ["suspected"]
    assert told(signal(1, 0, over=True), signal(2, 1, over=True)) == ["suspected"]
    assert told(signal(1, 0, over=True, margin=10.0)) == ["suspected", "opened"]


def test_whole_life() -> None:
    """Opened, escalated as severity rises, eased, resolved, and reopened within a day."""
    bigger: dict[str, Any] = {"forecast_authors_24h": {"median": 900.0, "low": 500.0, "high": 1500.0}}
    records = log(
        *opened(), signal(3, 12, over=True, **bigger), signal(4, 45, over=True, stories=(story(mentions=50),), **bigger),
        signal(5, 200, eased=True),
        signal(6, 900, eased=True, quiet=True), signal(7, 1000, over=True), signal(8, 1005, over=True),
    )  # fmt: skip
    assert names(run(records)) == ["suspected", "opened", "escalated", "updated", "eased", "resolved", "reopened"]
    cards = [card for _, card in events(run(records))]
    assert {card.crisis_id for card in cards} == {cards[0].crisis_id}
    assert [card.seq for card in cards] == list(range(1, len(cards) + 1))
    assert cards[1].page
    assert cards[1].references == ("acme-1",)
    assert cards[1].kinds
    assert cards[0].onset == "2014-05-13T15:53:20Z"


def test_a_resolved_crisis_says_what_ended_it() -> None:
    """The first reason of a resolved crisis is that it is calm, and since when; reasons that count nothing any more are left out."""
    silent = Contribution(name="volume.story", log_odds=-4.0, text="0 troubled mentions", values={"trouble": 0.0, "times": 0.0})
    rate = Contribution(name="growth.rate", log_odds=-0.4, text="0 troubled mentions an hour now", values={"rate": 0.0})
    angry = Contribution(name="tone.negative", log_odds=2.0, text="80 % negative", values={"share": 80, "usual": 20})
    quiet = signal(9, 14 * 60 + 5, eased=True, quiet=True, contributions=(silent, angry, rate))
    records = log(signal(1, 0, over=True), signal(2, 5, over=True), *(signal(n, 5 * n, eased=True) for n in range(3, 9)), quiet)
    name, resolved = events(run(records))[-1]
    assert (name, [c.name for c in resolved.contributions]) == ("resolved", ["calm", "tone.negative"])
    assert resolved.contributions[0].text == "nothing has rung for 14 h"
    assert resolved.contributions[0].text_fr == "plus aucune alerte depuis 14 h"


def test_escalation_waits() -> None:
    """A rise within ten minutes of the opening is told when they are over, by the watermark."""
    bigger: dict[str, Any] = {"forecast_authors_24h": {"median": 900.0, "low": 500.0, "high": 1500.0}}
    outputs = run(log(*opened(), signal(3, 6, over=True, **bigger), watermark(9), watermark(11)))
    assert names(outputs) == ["suspected", "opened", "escalated"]
    assert dict(outputs[-1].headers)["ce_time"] == b"2014-05-13T17:03:20Z"


def test_quiet_brand_ends_by_time() -> None:
    """Without any more signals a suspicion is withdrawn, an open crisis eases and resolves; watermarks drive it."""
    assert names(run(log(signal(1, 0, over=True), watermark(180), watermark(181)), fresh(open_steps=2))) == ["suspected", "cancelled"]
    assert names(run(log(*opened(), watermark(48 * 60)))) == ["suspected", "opened", "eased", "resolved"]


def test_blind_stops_patience() -> None:
    """While a source is silent nothing eases; the card says which source and since when."""
    blind = signal(3, 10, kind="blind", blind={"feed": 1_400_000_000_000})
    outputs = run(log(*opened(), blind, watermark(48 * 60)))
    assert names(outputs) == ["suspected", "opened", "updated"]
    assert events(outputs)[-1][1].blind == {"feed": "2014-05-13T16:53:20Z"}
    back = signal(4, 49 * 60, kind="sighted")
    assert names(run(log(*opened(), blind, watermark(48 * 60), back, watermark(50 * 60), watermark(56 * 60)))) == [
        "suspected", "opened", "updated", "updated", "eased",
    ]  # fmt: skip


def test_other_cause_is_another_crisis() -> None:
    """A story that shares neither id nor terms is a crisis of its own; one that shares terms belongs to the first."""
    other = (story("s2", terms=("strike", "pilots")),)
    kin = (story("s3", terms=("broken", "guitar", "song")),)
    ids = {card.crisis_id for _, card in events(run(log(*opened(), signal(3, 10, over=True, stories=other))))}
    assert len(ids) == 2
    ids = {card.crisis_id for _, card in events(run(log(*opened(), signal(3, 10, over=True, stories=kin))))}
    assert len(ids) == 1


def test_gap_stops() -> None:
    """A hole in a brand's sequence stops the worker."""
    with pytest.raises(LogGap):
        run(log(signal(1, 0), signal(3, 5)))


def test_garbage_passes() -> None:
    """Records that are not ours change nothing."""
    junk = [InputRecord(-1, 0, b"k", b"\xff{", (("ce_type", name),)) for name in (b"veille.signal", b"veille.watermark", b"x", b"")]
    assert run(log(*junk)) == []


def test_cards_rebuild_from_events() -> None:
    """The latest card of crisis.state is the latest event's, refusals left out."""
    refused = command("cancel", 0, role="watch", crisis_id="nobody")
    outputs = run(log(*opened(), refused, command("open", 1, headline="fire"), watermark(400)))
    rebuilt = {card.crisis_id: card for name, card in events(outputs) if name != "refused"}
    state = {output.key: output.value for output in outputs if output.topic == "crisis.state"}
    assert state == {card.crisis_id.encode(): _encode(card) for card in rebuilt.values()}


def _encode(card: object) -> bytes:
    return msgspec.json.encode(card)


def test_no_news_no_update() -> None:
    """Readings that change nothing are told every six hours only."""
    records = [*opened(), *(signal(3 + i, 40 + 30 * i, over=True) for i in range(13))]
    assert names(run(log(*records))) == ["suspected", "opened", "updated"]


def test_one_cause_is_one_crisis() -> None:
    """A second story joins by its terms, by what is said in both, or by what both are angry about; one of another cause does not."""
    first = story("s1", terms=("flight", "late"), samples=("m1",), crisis_words={"outage:stranded": 9})
    samples = (("m1", "x", "No flight at all: Bankrupt, they say"), ("m2", "x", "On dit que l'avion est vendu, flight LATE"))
    second = {
        "terms": story("s2", terms=("late", "gate")),
        "said": story("s2", terms=("bankrupt", "sold")),
        "heard": story("s2", terms=("vendu", "avion"), samples=("m2",)),
        "anger": story("s2", terms=("strike", "pay"), crisis_words={"outage:offline": 6}),
        "other": story("s2", terms=("strike", "pay"), crisis_words={"labour:strike": 6}),
    }
    for why, lead in second.items():
        loud = msgspec.structs.replace(lead, score=9.0)
        found = events(run(log(
            signal(1, 0, over=True, margin=20.0, stories=(first,), samples=samples),
            signal(2, 20, over=True, margin=20.0, stories=(first, loud), samples=samples),
        )))  # fmt: skip
        assert len({card.crisis_id for _, card in found}) == (2 if why == "other" else 1), why


@pytest.mark.parametrize(("calm", "born", "crises"), [(True, 100, 2), (True, 4, 1), (False, 35, 1), (False, 100, 2)])
def test_an_alarm_that_was_none_does_not_hide_the_crisis_after_it(calm: bool, born: int, crises: int) -> None:
    """Of stories without terms nobody can tell what they share: another cause is what began once the first was over (or eased)."""
    samples = (("m1", "x", "Thanks for the lovely scarf, Janet"), ("m2", "x", "Nobody answers the hotline, bankrupt"))
    first = story("s1", terms=(), samples=("m1",), negative_share=0.0)
    second = story("s2", terms=(), samples=("m2",), score=9.0, onset_ms=START + born * MINUTE)
    eased = [signal(2, 90, stories=(first,), samples=samples, eased=True)] if calm else []
    found = events(run(log(
        signal(1, 5, over=True, margin=20.0, stories=(first,), samples=samples), *eased,
        signal(2 + len(eased), 110, over=True, margin=20.0, stories=(first, second), samples=samples),
    )))  # fmt: skip
    assert len({card.crisis_id for _, card in found}) == crises
