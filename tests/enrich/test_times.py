"""Dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.enrich.times import header_time, loose_ms, rfc3339_ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01 00:00:01+00:00", 1000),
        ("1970-01-01T01:00:00.25+01:00", 250),
        ("1970-01-01T00:00:00.123456789Z", 123),
        ("1970-01-01T00:00:00-00:00", 0),
        ("2016-12-31T23:59:60Z", 1483228800000),
        ("2016-12-31T23:59:60.500Z", 1483228800000),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_every_legal_form_is_read(text: str, ms: int) -> None:
    """All forms that RFC 3339 allows mean the same moment."""
    assert rfc3339_ms(text) == ms


@pytest.mark.parametrize("text", ["", "yesterday", "2015-02-24T11:35:52", "2015-13-01T00:00:00Z", "2015-02-30T00:00:00Z"])
def test_what_is_no_date_is_refused(text: str) -> None:
    """A date without an offset, or of no calendar, is refused."""
    with pytest.raises(ValueError):
        rfc3339_ms(text)


def test_what_publishers_send_instead_is_understood() -> None:
    """Seconds, milliseconds and the old Twitter form name a moment too."""
    assert loose_ms(1424160067) == loose_ms(1424160067000) == 1424160067000
    assert loose_ms("Wed Aug 27 13:08:45 +0000 2008") == 1219842525000


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-8)), timezone(timedelta(hours=5, minutes=45))])))
def test_reading_inverts_writing(moment: datetime) -> None:
    """A date written by Python is read as the same millisecond."""
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert rfc3339_ms(moment.isoformat()) == expected


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_header_times_name_the_second(ms: int) -> None:
    """The date of a header is the second that the time lies in."""
    assert rfc3339_ms(header_time(ms)) == ms // 1000 * 1000
