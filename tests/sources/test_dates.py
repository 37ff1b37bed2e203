"""Dates of foreign files."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.clock import rfc3339
from streams.sources.dates import is_rfc3339, parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-12-02 00:00:10+00:00", "2021-12-02T00:00:10Z"),
        ("2015-02-24 11:35:52 -0800", "2015-02-24T19:35:52Z"),
        ("Tue Feb 24 11:35:52 -0800 2015", "2015-02-24T19:35:52Z"),
        ("2025-03-03T10:00:00.250Z", "2025-03-03T10:00:00.250Z"),
        ("2025-03-03", "2025-03-03T00:00:00Z"),
        ("1740960000", "2025-03-03T00:00:00Z"),
        (1740960000, "2025-03-03T00:00:00Z"),
        (1740960000123, "2025-03-03T00:00:00.123Z"),
    ],
)
def test_common_forms_are_understood(text: object, expected: str) -> None:
    """Dates as archives and exports write them name the moment that their author meant."""
    ms = parse_time(text)
    assert ms is not None
    assert rfc3339(ms) == expected


@pytest.mark.parametrize(
    "value", ["", "soon", "2021-13-45", None, True, [], {}, -5, 1e30, "x" * 100, "0001-01-01T00:00:00+14:00", "1 Jan 2026 UTC+99"]
)
def test_what_is_no_date_gives_none(value: object) -> None:
    """A value that is no date is told apart from any moment."""
    assert parse_time(value) is None


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC)))
def test_what_is_written_as_rfc3339_reads_back(moment: datetime) -> None:
    """Writing a time and reading it gives the same time."""
    ms = int(moment.timestamp()) * 1000 + moment.microsecond // 1000
    text = rfc3339(ms)
    assert is_rfc3339(text)
    assert parse_time(text) == ms


@given(st.text(max_size=40))
def test_no_text_raises(text: str) -> None:
    """Any text gives a time or None."""
    result = parse_time(text)
    assert result is None or result >= 0


def test_no_word_of_a_mention_reaches_the_terminal(recwarn: pytest.WarningsRecorder) -> None:
    """A time zone that nobody knows is no reason to quote it."""
    assert parse_time("Jan 1 2026 10:00 EVIL") is not None
    assert len(recwarn) == 0
