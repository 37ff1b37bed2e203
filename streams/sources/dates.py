"""Dates as foreign files write them, turned into ms since 1970 UTC."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from dateutil import parser as slow_parser
from dateutil import tz

_SPACE_BEFORE_OFFSET: Final = re.compile(r" (?=[+-]\d\d:?\d\d$)")
_NUMBER: Final = re.compile(r"\d{9,13}(\.\d+)?")
#: RFC 3339 as the public mention wants it; such a value travels on unchanged.
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
#: A number from here on is ms since 1970, below it seconds.
_MS_FROM: Final = 100_000_000_000
_ZONES: Final = {"UTC": tz.UTC, "GMT": tz.UTC, "Z": tz.UTC}


def is_rfc3339(value: str) -> bool:
    """Say whether ``value`` is written as RFC 3339 already."""
    return _RFC3339.fullmatch(value) is not None


def parse_time(value: Any) -> int | None:
    """Return ms since 1970 UTC, or None where ``value`` is no date. A date without an offset is taken as UTC.

    Understands RFC 3339, ISO 8601, seconds or ms since 1970, and what python-dateutil reads
    (``Tue Feb 24 11:35:52 -0800 2015``).
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _from_number(float(value))
    if not isinstance(value, str) or len(value) > 64:
        return None
    return _parse_text(value.strip())


def _from_number(number: float) -> int | None:
    if not 0 <= number < 1e14:
        return None
    return int(number) if number >= _MS_FROM else round(number * 1000)


@lru_cache(maxsize=65_536)
def _parse_text(text: str) -> int | None:
    if _NUMBER.fullmatch(text):
        return _from_number(float(text))
    try:
        moment = datetime.fromisoformat(_SPACE_BEFORE_OFFSET.sub("", text))
    except ValueError:
        try:
            with warnings.catch_warnings():
                # It would quote the mention's word for a time zone on stderr.
                warnings.simplefilter("ignore", slow_parser.UnknownTimezoneWarning)
                moment = slow_parser.parse(text, tzinfos=_ZONES, default=datetime(1970, 1, 1))
        except (ValueError, OverflowError, TypeError, AttributeError):
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (OverflowError, ValueError):  # an offset of a day and more, which dateutil lets through
        return None
    ms = since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
    return ms if ms >= 0 else None
