"""What became of the mentions of a file, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from streams.engine.stage import InputRecord

#: Reasons of clock records, which stand in ``mentions.rejected`` too and are no mentions.
_CLOCKS = frozenset({"bad_clock", "clock_ahead"})


def refused_for(record: InputRecord) -> str:
    """Return the reason of a record of ``mentions.rejected``."""
    return dict(record.headers)["__connect.errors.exception.message"].decode()


def summary(read: int, refused: Mapping[str, int]) -> str:
    """Say what became of the mentions, so that silence is not taken for calm: ``refused`` counts the reasons of ``mentions.rejected``.

    >>> summary(9, {"no_brand": 3, "not_json": 1, "bad_time": 2})
    '9 mentions read: 3 of brands of the watchlist, 3 of none, 3 refused (bad_time 2, not_json 1)'
    >>> summary(2, {"clock_ahead": 8})
    '2 mentions read: 2 of brands of the watchlist'
    """
    refused = {reason: count for reason, count in refused.items() if reason not in _CLOCKS}
    others = {"no_brand": "of none", "duplicate": "double"}
    bad = sorted((reason, count) for reason, count in refused.items() if reason not in others)
    words = [f"{read} mentions read: {read - sum(refused.values())} of brands of the watchlist"]
    words += [f"{refused[reason]} {word}" for reason, word in others.items() if refused.get(reason)]
    if bad:
        words.append(f"{sum(count for _, count in bad)} refused ({', '.join(f'{reason} {count}' for reason, count in bad)})")
    return ", ".join(words)
