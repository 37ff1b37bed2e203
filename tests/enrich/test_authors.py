"""How likely a real person is behind an account, by the age that its publisher states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.mention import Author
from streams.enrich.authors import organic
from streams.enrich.times import loose_ms

_DAY = 86_400_000
_FORMS: tuple[Any, ...] = (
    lambda moment: moment.isoformat(),
    lambda moment: moment.isoformat().replace("T", " ").lower(),
    lambda moment: f" {moment.isoformat()}",
    lambda moment: moment.strftime("%Y%m%dT%H%M%S%z"),
    lambda moment: f"{moment.isocalendar()[0]:04d}-W{moment.isocalendar()[1]:02d}-{moment.isocalendar()[2]}T00:00:00Z",
    lambda moment: moment.strftime("%a %b %d %H:%M:%S %z %Y"),
    lambda moment: str(int(moment.timestamp())),
    lambda moment: moment.date().isoformat(),
)
_ZONES = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))


def expected(created: str, posts: int | None, published_ms: int) -> list[str]:
    """The reasons that follow from an account's age, from its date as it is read."""
    try:
        age = published_ms - loose_ms(created)
    except (ValueError, OverflowError):
        return []
    reasons = []
    if 0 <= age < 60 * _DAY:
        reasons.append("new_account" if age < 7 * _DAY else "young_account")
    if posts is not None and posts > 150 * max(age // _DAY, 1):
        reasons.append("posts_too_much")
    return reasons


@settings(max_examples=500, deadline=None)
@given(
    published=st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)),
    days=st.one_of(st.floats(-3, 90), st.floats(-40_000, 40_000)),
    zone=_ZONES,
    form=st.sampled_from(_FORMS),
    posts=st.none() | st.integers(0, 20_000),
)
def test_age_counts_whatever_the_form_of_its_date(published: datetime, days: float, zone: timezone, form: Any, posts: int | None) -> None:
    """New and young accounts, and those that post too much for their age, are told in every form of date that can be read."""
    moment = published.replace(tzinfo=UTC)
    try:
        created = form((moment - timedelta(days=days)).astimezone(zone))
    except (OverflowError, ValueError):
        return
    published_ms = int(moment.timestamp() * 1000)
    assert list(organic(Author(created_at=created, posts=posts), published_ms)[1]) == expected(created, posts, published_ms)


@pytest.mark.parametrize("created", ["", "1", "2", "20", "soon", "9999-12-31T00:00:00Z", "0001-01-01T00:00:00Z", "2024-02-31"])
@pytest.mark.parametrize("published_ms", [-62_135_596_800_000, 0, 1_700_000_000_000, 253_402_300_799_999])
def test_dates_that_say_nothing_are_no_reason(created: str, published_ms: int) -> None:
    """What cannot be read, and the ends of time, raise nothing and agree with the date as it is read."""
    assert list(organic(Author(created_at=created, posts=5), published_ms)[1]) == expected(created, 5, published_ms)
