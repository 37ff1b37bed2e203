"""What a watchlist says that can be meant, and mostly is not: told by ``veille watchlist check``, refused by nobody."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.brand import Watchlist
from streams.enrich.fold import fold

#: Shared names that are told; a list that is generated may share thousands.
_MOST = 10


def advice(watchlist: Watchlist) -> Iterator[str]:
    """Yield a sentence for each brand whose names are all excluded, and for each name that several brands have without context words.

    >>> from schemas.brand import Brand
    >>> acme, other = Brand(id="acme", names=("Acme",), exclude=("ACME",)), Brand(id="other", names=("acme", "Other"))
    >>> list(advice(Watchlist(brands=(acme, other))))[0]
    'acme: each of its names is excluded too, so no text names it'
    """
    named: dict[str, list[str]] = {}
    for brand in watchlist.brands:
        names, excluded = {fold(name) for name in brand.names}, {fold(word) for word in brand.exclude}
        if names <= excluded:
            yield f"{brand.id}: each of its names is excluded too, so no text names it"
        for name in sorted(names - excluded):
            if not brand.context:
                named.setdefault(name, []).append(brand.id)
    shared = {name: brands for name, brands in named.items() if len(brands) > 1}
    for name in sorted(shared)[:_MOST]:
        brands = " and ".join(shared[name])
        yield f"{brands} share the name “{name}”: each mention of it counts for all of them (context words tell them apart)"
    if len(shared) > _MOST:
        yield f"{len(shared) - _MOST} more names are shared"
