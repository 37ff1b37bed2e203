"""Dead letters: the two limits, and headers as Kafka Connect writes them."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition

from streams.engine.deadletters import DeadLetterLimit, rejected_headers
from streams.engine.stage import InputRecord, Output
from streams.errors import TooManyRejected

PLACE = TopicPartition("numbers", 0)


def records(first: int, count: int) -> list[InputRecord]:
    """Records with ascending offsets."""
    return [InputRecord(offset, 0, b"k", b"v") for offset in range(first, first + count)]


def refusals(*offsets: int) -> list[Output]:
    """Refused records."""
    return [Output("x.rejected", b"k", b"v", rejected_headers("x", 0, offset, "s", "bad")) for offset in offsets]


def test_a_run_of_refused_records_stops_the_worker() -> None:
    """The run is followed over pieces, exactly."""
    limit = DeadLetterLimit(PLACE, 1.0, 5)
    assert limit.count(records(0, 4), refusals(2, 3)) == 2
    with pytest.raises(TooManyRejected):
        limit.count(records(4, 4), refusals(4, 5, 6))


def test_a_good_record_ends_a_run() -> None:
    """One good record in between starts the count anew."""
    limit = DeadLetterLimit(PLACE, 1.0, 5)
    for first in range(0, 400, 4):
        limit.count(records(first, 4), refusals(first, first + 2, first + 3))


def test_the_share_is_judged_over_a_thousand() -> None:
    """More than half of the last thousand stops the worker; few bad ones at the start do not."""
    limit = DeadLetterLimit(PLACE, 0.5, 10_000)
    limit.count(records(0, 100), refusals(*range(100)))
    limit.count(records(100, 900), [Output("fine", b"", b"")])
    limit.count(records(1_000, 500), refusals(*range(1_000, 1_500)))
    with pytest.raises(TooManyRejected):
        limit.count(records(1_500, 500), refusals(*range(1_500, 2_000)))


def test_headers_name_the_place_and_the_reason() -> None:
    """Kafka Connect's header names, so that its tools read them."""
    headers = dict(rejected_headers("mentions.raw", 3, 77, "enrich", "no_text"))
    assert headers["__connect.errors.topic"] == b"mentions.raw"
    assert headers["__connect.errors.partition"] == b"3"
    assert headers["__connect.errors.offset"] == b"77"
    assert headers["__connect.errors.stage"] == b"enrich"
    assert headers["__connect.errors.exception.class.name"] == b"no_text"
    assert headers["__connect.errors.exception.message"] == b"no_text"


def test_what_is_set_aside_as_it_should_be_stops_nobody() -> None:
    """Records marked as expected, however many, count neither for the run nor for the share."""
    limit = DeadLetterLimit(PLACE, 0.1, 5)
    aside = [Output("x.rejected", b"k", b"v", [("veille-expected", b"1")]) for _ in range(100)]
    assert sum(limit.count(records(first, 100), aside) for first in range(0, 5000, 100)) == 0
