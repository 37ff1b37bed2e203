"""RFC 3339 dates to milliseconds since 1970 UTC, and back to the seconds of CloudEvents headers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)
_LEAP = re.compile(r"^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d):60(.*)$", re.ASCII)
_MINUTES: dict[int, str] = {}


def _from_parts(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError("no offset from UTC")
    return (moment - EPOCH) // MS


def rfc3339_ms(text: str) -> int:
    """Return the time in ms of an RFC 3339 date, in any legal form; raise `ValueError` for anything else.

    Lower-case letters, a space for the ``T``, any number of fraction digits and leap seconds (which count as the
    second that follows) are legal. A date without an offset from UTC is not.
    """
    try:
        return _from_parts(datetime.fromisoformat(text))
    except ValueError:
        pass
    upper = text.strip().upper()
    leap = _LEAP.match(upper)
    if leap:
        return rfc3339_ms(f"{leap[1]}:59{leap[2]}") // 1000 * 1000 + 1000
    return _from_parts(datetime.fromisoformat(upper))


def loose_ms(value: object) -> int:
    """Return the time in ms of what publishers send though it is no RFC 3339: seconds or ms since 1970, or a Twitter date.

    Raises `ValueError` for what names no moment.
    """
    if isinstance(value, bool) or value is None:
        raise ValueError("no date")
    if isinstance(value, int | float):
        if not -1e14 < value < 1e14:
            raise ValueError("out of range")
        return int(value if abs(value) >= 1e11 else value * 1000)
    text = str(value)
    try:
        return rfc3339_ms(text)
    except (ValueError, OverflowError):
        pass
    for form in ("%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z"):
        try:
            return _from_parts(datetime.strptime(text, form))
        except (ValueError, OverflowError):
            continue
    raise ValueError("no date")


def day_ms(text: str, zone: timezone | None = None) -> int:
    """Return the first ms of a day written as ``2026-12-01``, or the moment of a full date."""
    if len(text) == 10:
        return _from_parts(datetime.fromisoformat(text).replace(tzinfo=zone or UTC))
    return rfc3339_ms(text)


def header_time(ms: int) -> str:
    """Write ``ms`` as RFC 3339 in whole seconds, UTC. Minutes are remembered, since mentions come close together."""
    minute, rest = divmod(ms, 60_000)
    text = _MINUTES.get(minute)
    if text is None:
        if len(_MINUTES) > 10_000:
            _MINUTES.clear()
        moment = EPOCH + timedelta(minutes=minute)
        text = _MINUTES[minute] = f"{moment.year:04d}{moment.strftime('-%m-%dT%H:%M:')}"
    return f"{text}{rest // 1000:02d}Z"
