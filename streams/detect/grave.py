"""How bad what is about to ring would be: severity 4 and 5 may exceed the alarm budget once a day."""

from __future__ import annotations

from collections.abc import Iterable

from streams import gravity
from streams.detect.brand import Brand
from streams.detect.stories import Story
from streams.detect.telling import read_story

#: From this severity on an alarm may ring though the budget is spent.
LEAST = 4


def severity_of(brand: Brand, stories: Iterable[Story], t_ms: int) -> int:
    """Return the severity that a crisis of ``stories``, or without any of the brand's last hour, would have on its card."""
    readings = [read_story(story, t_ms) for story in stories]
    authors = sum(reading.authors for reading in readings) if readings else brand.hour_people
    forecast = gravity.authors_forecast(readings, t_ms)
    return gravity.assess(forecast, authors, brand.usual_day()[1], readings).level
