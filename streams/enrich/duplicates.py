"""Seen ids of one raw partition, in buckets of event time, with each id's first offset: bounded, and saved as deltas."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping

from xxhash import xxh3_64_intdigest

from schemas.mention import Engagement
from streams.engine.stage import StateRecord

_BUCKET_MS = 3_600_000
#: Ids of one state record: 16 bytes each, well below what a broker takes.
_CHUNK = 32_768
_HEAD = struct.Struct("<I")
PREFIX = b"seen:"

NEW, UPDATE, DUPLICATE = "new", "update", "duplicate"


def _fingerprint(engagement: Engagement | None) -> int:
    """Return 16 bits that differ, but for one case in 65,536, when any number of the engagement differs; 0 for none."""
    if engagement is None:
        return 0
    numbers = (engagement.replies, engagement.reshares, engagement.quotes, engagement.likes, engagement.views)
    if not any(numbers):
        return 0
    return xxh3_64_intdigest(repr(numbers).encode()) & 0xFFFF or 1


class SeenIds:
    """Which ids of a raw partition were seen within the window, exactly up to a capacity.

    A duplicate is an id whose first offset is lower, so reading a record again never makes it its own duplicate, and facts
    that another owner saved are harmless. Buckets are hours of event time: an id is forgotten when its whole hour is older
    than the window before the watermark, or when the capacity is reached, the oldest hour first (`forgotten` counts these).
    """

    def __init__(self, window_ms: int, capacity: int) -> None:
        self._window_ms = window_ms
        self._capacity = capacity
        self._first: dict[int, int] = {}
        #: bucket -> (hashes, packed first offsets), in the order of the log.
        self._buckets: dict[int, tuple[array[int], array[int]]] = {}
        #: bucket -> how many of its entries are saved, and under which keys.
        self._saved: dict[int, int] = {}
        self._keys: dict[int, list[bytes]] = {}
        self._dropped: list[bytes] = []
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._first)

    def judge(self, network: str, identity: str, offset: int, applies_ms: int, engagement: Engagement | None) -> str:
        """Return `NEW`, `UPDATE` (a known id with other engagement numbers) or `DUPLICATE`, and remember the id."""
        if self._window_ms == 0:
            return NEW
        name = f"{network}\0{identity}".encode()
        key = xxh3_64_intdigest(name)
        mark = _fingerprint(engagement) if engagement is not None else 0
        packed = self._first.get(key)
        if packed is None:
            entries = self._buckets.get(applies_ms // _BUCKET_MS)
            if entries is None or len(self._first) >= self._capacity:
                self._remember(key, offset << 16 | mark, applies_ms)
            else:
                # As `_remember` does it, without the call: nearly every mention comes here.
                entries[0].append(key)
                entries[1].append(offset << 16 | mark)
                self._first[key] = offset << 16 | mark
            return NEW
        first = packed >> 16
        if first >= offset:
            return NEW
        if mark == 0 or mark == packed & 0xFFFF:
            return DUPLICATE
        key = xxh3_64_intdigest(b"%s\0%d" % (name, mark))
        packed = self._first.get(key)
        if packed is None:
            self._remember(key, offset << 16 | mark, applies_ms)
            return UPDATE
        return UPDATE if packed >> 16 >= offset else DUPLICATE

    def _remember(self, key: int, packed: int, applies_ms: int) -> None:
        bucket = applies_ms // _BUCKET_MS
        entries = self._buckets.get(bucket)
        if entries is None:
            entries = self._buckets[bucket] = (array("Q"), array("Q"))
        entries[0].append(key)
        entries[1].append(packed)
        self._first[key] = packed
        if len(self._first) > self._capacity:
            oldest = min(self._buckets)
            self.forgotten += len(self._buckets[oldest][0])
            self._forget(oldest)

    def advance(self, watermark_ms: int) -> None:
        """Forget every bucket that ends at or before the window's start."""
        limit = (watermark_ms - self._window_ms) // _BUCKET_MS
        if self._buckets and min(self._buckets) < limit:
            for bucket in sorted(self._buckets):
                if bucket < limit:
                    self._forget(bucket)

    def _forget(self, bucket: int) -> None:
        hashes, packed = self._buckets.pop(bucket)
        first = self._first
        for key, value in zip(hashes, packed, strict=True):
            if first.get(key) == value:
                del first[key]
        self._saved.pop(bucket, None)
        self._dropped += self._keys.pop(bucket, ())

    def save(self, next_offset: int, *, full: bool) -> list[StateRecord]:
        """Return what was learned since the last call as new state records; forgotten buckets as records without a value."""
        records = [StateRecord(key, next_offset, None) for key in self._dropped]
        self._dropped = []
        for bucket in sorted(self._buckets):
            hashes, packed = self._buckets[bucket]
            begin = 0 if full else self._saved.get(bucket, 0)
            if full:
                replaced = set(self._keys.pop(bucket, ()))
            new: list[bytes] = []
            for start in range(begin, len(hashes), _CHUNK):
                # Named by where it begins, so that the same key always holds a beginning of the same list.
                key = PREFIX + b"%d:%d" % (bucket, packed[start] >> 16)
                part = slice(start, start + _CHUNK)
                chunk_hashes, chunk_packed = hashes[part], packed[part]
                value = _HEAD.pack(len(chunk_hashes)) + chunk_hashes.tobytes() + chunk_packed.tobytes()
                records.append(StateRecord(key, next_offset, value))
                new.append(key)
            if full:
                records += [StateRecord(key, next_offset, None) for key in sorted(replaced - set(new))]
            self._keys.setdefault(bucket, []).extend(new)
            self._saved[bucket] = len(hashes)
        return records

    def load(self, states: Mapping[bytes, bytes]) -> None:
        """Take over saved records (other keys are ignored); of two facts about one id the lower offset stands."""
        for key in sorted(states, key=_place):
            if not key.startswith(PREFIX):
                continue
            bucket = int(key.split(b":")[1])
            value = states[key]
            (count,) = _HEAD.unpack_from(value)
            hashes, packed = array("Q"), array("Q")
            hashes.frombytes(value[_HEAD.size : _HEAD.size + 8 * count])
            packed.frombytes(value[_HEAD.size + 8 * count :])
            entries = self._buckets.setdefault(bucket, (array("Q"), array("Q")))
            for fact, where in zip(hashes, packed, strict=True):
                known = self._first.get(fact)
                if known is None or where < known:
                    self._first[fact] = where
                    entries[0].append(fact)
                    entries[1].append(where)
            self._keys.setdefault(bucket, []).append(key)
            self._saved[bucket] = len(entries[0])


def _place(key: bytes) -> tuple[int, int]:
    if not key.startswith(PREFIX):
        return (-1 << 62, 0)
    _, bucket, first = key.split(b":")
    return int(bucket), int(first)
