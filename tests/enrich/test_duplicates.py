"""Seen ids: bounded, and saved as deltas."""

from __future__ import annotations

from streams.enrich.duplicates import DUPLICATE, NEW, SeenIds

HOUR = 3_600_000


def test_the_oldest_hour_goes_when_the_capacity_is_reached() -> None:
    """Beyond the capacity the oldest hour is forgotten, counted; younger ids are still known."""
    seen = SeenIds(24 * HOUR, 10)
    for offset in range(11):
        assert seen.judge("x", f"id{offset}", offset, offset // 5 * HOUR, None) == NEW
    assert (seen.forgotten, len(seen)) == (5, 6)
    assert seen.judge("x", "id9", 20, 0, None) == DUPLICATE
    assert seen.judge("x", "id0", 21, 0, None) == NEW


def test_only_what_is_new_is_saved() -> None:
    """A second save holds what came since the first; a bucket that is forgotten leaves records without a value."""
    seen = SeenIds(24 * HOUR, 1000)
    seen.judge("x", "a", 0, 0, None)
    first = seen.save(1, full=False)
    assert seen.save(1, full=False) == []
    seen.judge("x", "b", 1, 0, None)
    second = seen.save(2, full=False)
    assert first[0].key != second[0].key
    seen.advance(30 * HOUR)
    gone = seen.save(3, full=False)
    assert {record.key for record in gone} == {first[0].key, second[0].key}
    assert all(record.value is None for record in gone)


def test_a_full_save_replaces_the_deltas() -> None:
    """After a full save nothing of the older deltas is needed."""
    seen = SeenIds(24 * HOUR, 1000)
    kept: dict[bytes, bytes] = {}
    for offset in range(5):
        seen.judge("x", f"id{offset}", offset, 0, None)
        for record in seen.save(offset + 1, full=offset == 4):
            if record.value is None:
                kept.pop(record.key, None)
            else:
                kept[record.key] = record.value
    assert len(kept) == 1
    other = SeenIds(24 * HOUR, 1000)
    other.load(kept)
    assert [other.judge("x", f"id{n}", 10 + n, 0, None) for n in range(6)] == [DUPLICATE] * 5 + [NEW]


def test_an_id_is_not_its_own_duplicate() -> None:
    """The record that was first stays new when it is read again; networks have ids of their own."""
    seen = SeenIds(24 * HOUR, 1000)
    assert seen.judge("x", "a", 5, 0, None) == NEW
    assert seen.judge("x", "a", 5, 0, None) == NEW
    assert seen.judge("y", "a", 6, 0, None) == NEW
    assert seen.judge("x", "a", 6, 0, None) == DUPLICATE
