"""Subscribing, and holding what opened against the truth."""

from __future__ import annotations

import msgspec
from confluent_kafka import Producer
from typer.testing import CliRunner

from schemas.cloudevents import header_maker
from schemas.crisis import Crisis
from streams.cli.crises import Once
from streams.cli.main import app
from streams.cli.truth import Score, lead_words
from streams.engine.embedded import EmbeddedBroker
from streams.simulate import simulate


def test_a_second_delivery_is_dropped() -> None:
    """An id is new once, within what is remembered."""
    once = Once(capacity=2)
    assert [once.new(name) for name in ("a", "a", "b", "c", "a")] == [True, False, True, True, True]


def test_openings_are_matched_with_what_was_planted() -> None:
    """An opening inside a planted event has a lead time; one elsewhere is a false alarm; a decoy says so."""
    made = simulate(7)
    score = Score(made)
    crisis = next(event for event in made.truth if event.crisis)
    lead = score.opened(crisis.brand, crisis.onset_ms + 600_000)
    assert lead is not None
    assert lead.event is crisis
    assert round(lead.minutes) == 10
    assert 0 < lead.share < 1
    assert score.opened(crisis.brand, crisis.onset_ms - 48 * 3_600_000) is None
    decoy = next(event for event in made.truth if not event.crisis)
    from streams.clock import rfc3339

    words = lead_words(score, {"data": {"brand": decoy.brand}, "time": rfc3339(decoy.onset_ms + 60_000)})
    assert "decoy" in words
    lines = score.lines()
    assert lines[0] == "1 of 5 planted crises opened, 1 of 3 decoys, 1 other alarms"
    assert "missed:" in lines[-1]


def test_what_is_no_event_is_passed_over_and_nothing_steers_the_terminal() -> None:
    """Records of nobody between two events: both events are printed, the others named by where they lie; no escape gets through."""
    card = Crisis(crisis_id="acme-1\x1b[31m\u202e", brand="acme", phase="open", onset="2026-01-01T00:00:00Z", headline="Fire\nin the plant")
    good = (msgspec.json.encode(card), header_maker("veille.crisis.opened\x1b[2J")("e1", "acme-1", "2026-01-01T00:00:00Z"))
    again = (good[0], header_maker("veille.crisis.updated")("e2", "acme-1", "2026-01-01T00:00:00Z"))
    hostile: list[tuple[bytes, list[tuple[str, bytes | None]]]] = [(b"\xff{", []), (b"[" * 5000, [("ce_type", None)]), (b'{"data":1}', [])]
    with EmbeddedBroker() as broker:
        sender = Producer({"bootstrap.servers": broker.bootstrap})
        for value, headers in (good, *hostile, again):
            sender.produce("crisis.events", value, key=b"acme", partition=0, headers=headers)
        sender.flush(10)
        done = CliRunner().invoke(app, ["crises", "--broker", broker.bootstrap])
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 2
    assert all(line.isprintable() for line in done.stdout.splitlines())
    assert [f"offset {place} is no crisis event" in done.stderr for place in (0, 1, 2, 3, 4)] == [False, True, True, True, False]


def test_what_is_there_is_printed_in_the_order_of_time() -> None:
    """Two brands in two partitions: people read a day from its morning on, and do not begin again with each partition."""
    times = ["2026-01-01T06:00:00Z", "2026-01-01T07:00:00Z", "2026-01-01T08:00:00Z"]
    with EmbeddedBroker() as broker:
        sender = Producer({"bootstrap.servers": broker.bootstrap})
        for number, (time, brand) in enumerate(zip(times, ("a", "b", "a"), strict=True)):
            card = msgspec.json.encode(Crisis(crisis_id=f"{brand}-1", brand=brand, phase="open", onset=time, headline="Fire"))
            headers = header_maker("veille.crisis.opened")(f"{brand}-{number}", f"{brand}-1", time)
            sender.produce("crisis.events", card, key=brand.encode(), partition=int(brand == "b"), headers=headers)
        sender.flush(10)
        done = CliRunner().invoke(app, ["crises", "--broker", broker.bootstrap])
    assert [line[11:16] for line in done.stdout.splitlines()] == ["06:00", "07:00", "08:00"]


def test_nothing_to_print_is_said() -> None:
    """No topic, a topic without crises and a brand without any are told apart, on stderr; programs read an empty output."""
    run = CliRunner().invoke
    with EmbeddedBroker() as broker:
        at = ["--broker", broker.bootstrap]
        assert "veille topics apply --run try creates it" in run(app, ["crises", "--run", "try", *at]).stderr
        assert "veille topics apply --run try le cr" in run(app, ["crises", "--run", "try", "--language", "fr", *at]).stderr
        assert run(app, ["topics", "apply", *at]).exit_code == 0
        empty, other, program = (run(app, ["crises", *words, *at]) for words in ([], ["--brand", "acme"], ["--json"]))
    assert (empty.stdout, empty.stderr) == ("", "crisis.events holds no crisis yet\n")
    assert (other.stdout, other.stderr) == ("", "crisis.events holds no crisis of acme\n")
    assert (program.stdout, program.stderr) == ("", "")
