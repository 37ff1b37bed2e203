"""The bench of enrichment."""

from __future__ import annotations

from streams.evaluate.enrich_bench import enrich_bench, simulated


def test_the_bench_reports_parts_total_and_peers() -> None:
    """The object has the fields of the contract, whatever the figures are."""
    values, watchlist = simulated(200)
    result = enrich_bench(values, watchlist, rounds=1, brands=(10,))
    assert result["mentions"] == 200
    assert {"decode", "brands", "polarity", "rest"} <= result["parts"].keys()
    assert result["total_us"] > 0
    assert "json_and_regex" in result["peers"]
    assert result["brands"][0]["count"] == 10
