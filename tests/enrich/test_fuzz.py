"""A short run of the fuzzer."""

from __future__ import annotations

from tests.enrich.fuzz import main


def test_a_short_fuzz_finds_nothing() -> None:
    """Some thousand broken records raise nothing, and each gives an output."""
    assert main(3000, 7) == 0
