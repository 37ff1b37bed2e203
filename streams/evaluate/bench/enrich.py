"""``enrich``: what each part of enrichment costs, beside its peers; needs no broker."""

from __future__ import annotations

from typing import Any

from streams.evaluate.enrich_bench import enrich_bench, simulated


def run(broker: str, quick: bool) -> dict[str, Any]:
    """Return ``parts``, ``total_us`` and ``peers``; see the package."""
    values, watchlist = simulated(500 if quick else 20_000)
    return enrich_bench(values, watchlist, rounds=1 if quick else 7, brands=(100,) if quick else (100, 100_000))
