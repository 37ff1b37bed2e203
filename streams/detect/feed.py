"""What one source brings to one brand, and which sources are silent."""

from __future__ import annotations

import msgspec

from schemas.enriched import SourceState


class Feed(msgspec.Struct, array_like=True, gc=False):
    """Votes that one source brings. ``recent``: of about the last hour (decaying), as at ``at_ms``; ``fresh``: since the last line."""

    since_ms: int
    at_ms: int
    recent: float = 0.0
    fresh: float = 0.0
    #: The last line at which it passed its 1 % tail, ms.
    passed: int = 0
    #: A feed that was switched on is new up to this full hour (ms; 0: it is known); votes of the 24 full hours before it.
    until_ms: int = 0
    taught: float = 0.0
    #: Suspicion: since when, and when it was last there (ms; 0: never). At night it may rest.
    suspect_ms: int = 0
    suspected_ms: int = 0


#: What is compared of a brand: its last line, its volume class, and (source, since, last line above its tail) of each feed.
Marks = tuple[int, int, tuple[tuple[str, int, int], ...]]
NO_MARKS: Marks = (0, -1, ())


def silent_since(silent: dict[str, dict[int, int]], source: SourceState) -> int:
    """Take a change into {source: {raw partition: silent since ms}}; return since when the source is silent anywhere, 0: it is not."""
    places = silent.setdefault(source.source_id, {})
    if source.up:
        places.pop(source.partition, None)
    else:
        places[source.partition] = source.last_ms
    if not places:
        del silent[source.source_id]
    return min(places.values(), default=0)
