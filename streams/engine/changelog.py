"""A stage's states in Kafka: written at checkpoints, read back in batches.

Keys are ``<generation>:<state key>`` for a state and ``<generation>!`` for the cut; values start with one byte of kind and
the state's progress. A worker that lost its partitions without knowing it (a zombie) may write late: under its own
generation, so that it overwrites nothing. Recovery keeps, of each state key, the value with the greatest progress,
and the cut of the greatest generation. Older generations of a key are cleared only after the new owner's copy **and cut**
are confirmed: a cut is never left without the states that it vouches for.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from streams.engine.access import start
from streams.engine.connection import close, connection
from streams.engine.outbox import RECORD_OVERHEAD, Outbox
from streams.engine.records import BatchReader
from streams.engine.settings import KafkaSettings
from streams.engine.stage import Checkpoint, Output, Record
from streams.errors import LogGap

_HEAD = struct.Struct(">Bq")
_STATE, _FORGOTTEN, _CUT = 1, 2, 3


def changelog_topic(settings: KafkaSettings, stage: str) -> str:
    """Return the logical name of a stage's changelog topic (on the broker: ``<group>-<stage>-changelog``)."""
    return f"{settings.group}-{stage}-changelog"


@dataclass
class Recovered:
    """What a changelog partition says.

    ``states`` are what `PartitionStage.restore` gets; ``cut`` is None at the very start, as is ``commit``, the input offset that was
    committed with it. ``generation`` is the greatest one seen (0: none), ``stale`` names for each state key (and b"" for the cut)
    every changelog key that holds some of it.
    """

    states: dict[bytes, bytes] = field(default_factory=dict)
    cut: bytes | None = None
    commit: int | None = None
    generation: int = 0
    stale: dict[bytes, list[bytes]] = field(default_factory=dict)
    forgotten: list[bytes] = field(default_factory=list)
    records: int = 0
    size: int = 0


class Recovery:
    """Folds changelog records, in any cutting, into a `Recovered`."""

    def __init__(self) -> None:
        self._best: dict[bytes, tuple[int, bool, bytes]] = {}
        self._live: dict[bytes, dict[bytes, None]] = {}
        self._cut: tuple[int, bytes, int] | None = None
        self._generation = 0
        self._records = 0
        self._size = 0

    def add(self, records: Sequence[Record]) -> None:
        """Take records in the order of the log."""
        unpack, head = _HEAD.unpack_from, _HEAD.size
        best, live = self._best, self._live
        for record in records:
            key, value = record.key, record.value
            if not key:
                continue
            self._records += 1
            generation, is_cut, name = _parse(key)
            if generation > self._generation:
                self._generation = generation
            if value is None:
                held = live.get(name)
                if held is not None:
                    held.pop(key, None)
                continue
            self._size += len(value)
            _, progress = unpack(value)
            kind = value[0]
            live.setdefault(name, {})[key] = None
            if is_cut:
                if self._cut is None or generation >= self._cut[0]:
                    self._cut = (generation, value[head:], progress)
                continue
            known = best.get(name)
            # Among equals the later write wins: states with the same progress are equal anyway.
            if known is None or progress >= known[0]:
                best[name] = (progress, kind == _STATE, value[head:])

    def result(self) -> Recovered:
        """Return what was found."""
        return Recovered(
            states={name[1:]: value for name, (_, alive, value) in self._best.items() if alive},
            cut=self._cut[1] if self._cut is not None else None,
            commit=self._cut[2] if self._cut is not None else None,
            generation=self._generation,
            stale={name: list(keys) for name, keys in self._live.items() if keys},
            forgotten=[name for name, (_, alive, _) in self._best.items() if not alive],
            records=self._records,
            size=self._size,
        )


def _parse(key: bytes) -> tuple[int, bool, bytes]:
    """Split a changelog key into generation, whether it is the cut's, and the state key (b"" for the cut)."""
    digits, colon, name = key.partition(b":")
    if colon and digits.isdigit():
        return int(digits), False, b":" + name
    return int(key.rstrip(b"!")), True, b""


class Changelog:
    """One partition of a stage's changelog, as its owner writes it.

    ``rewrite_bytes``: `full` asks for all states after so many bytes (a broker that keeps only the newest bytes); 0: never.
    """

    def __init__(self, outbox: Outbox, topic: str, partition: int, rewrite_bytes: int = 0) -> None:
        self._outbox = outbox
        self._topic = topic
        self._partition = partition
        self._rewrite_bytes = rewrite_bytes
        self._since_full = 0
        self._stale: dict[bytes, list[bytes]] = {}
        self._clearable: list[bytes] = []
        self.generation = 0

    def adopt(self, recovered: Recovered, group_generation: int) -> None:
        """Go on after ``recovered``, under a generation greater than any seen there."""
        self.generation = max(group_generation, recovered.generation + 1)
        self._stale = recovered.stale
        # A forgotten key needs no marker any longer once a later owner has written its own cut.
        for name in recovered.forgotten:
            self._clearable.extend(self._stale.pop(name, ()))
        # Bytes of the last owner count: the next checkpoint must not come too late for what it wrote.
        self._since_full = recovered.size

    @property
    def full(self) -> bool:
        """Whether the next checkpoint must carry every state."""
        return 0 < self._rewrite_bytes <= self._since_full

    def write(self, checkpoint: Checkpoint, *, full: bool = False) -> int:
        """Hand states, then the cut, to the outbox; return their bytes. They count once the outbox confirmed them.

        One partition keeps the order in which an idempotent producer was given records, so the cut is never there
        without its states.
        """
        prefix = b"%d:" % self.generation
        outputs = []
        size = 0
        clearable = self._clearable
        stale = self._stale
        for key, progress, value in checkpoint.states:
            kind = _STATE if value is not None else _FORGOTTEN
            packed = _HEAD.pack(kind, progress) + (value or b"")
            outputs.append(Output(self._topic, prefix + key, packed, (), self._partition))
            size += len(packed) + len(key) + RECORD_OVERHEAD
            older = stale.pop(b":" + key, None)
            if older:
                clearable.extend(older)
        cut = _HEAD.pack(_CUT, checkpoint.commit) + checkpoint.cut
        outputs.append(Output(self._topic, b"%d!" % self.generation, cut, (), self._partition))
        size += len(cut) + RECORD_OVERHEAD
        clearable.extend(stale.pop(b"", ()))
        self._outbox.send(outputs)
        self._since_full = size if full else self._since_full + size
        return size

    def clear_older(self) -> None:
        """Delete what older generations wrote of the keys written so far. Call it once those writes are confirmed."""
        clearable, self._clearable = self._clearable, []
        self._outbox.send(Output(self._topic, key, None, (), self._partition) for key in clearable)


@asynccontextmanager
async def reader_of(settings: KafkaSettings, place: TopicPartition) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a consumer without a group on one partition, at no position yet."""
    consumer = AIOKafkaConsumer(
        **connection(settings),
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=50,
        max_partition_fetch_bytes=4 << 20,
    )
    try:
        await start(consumer, settings)
        consumer.assign([place])
        yield consumer
    finally:
        await close(consumer)


async def recover(settings: KafkaSettings, topic: str, partition: int, *, attempts: int = 3) -> Recovered:
    """Read a changelog partition (logical ``topic``) from its start to its present end.

    Raises `LogGap` where the log was cut short under the reader ``attempts`` times in a row.
    """
    place = TopicPartition(settings.topic(topic), partition)
    async with reader_of(settings, place) as consumer:
        reader = BatchReader(consumer, compacted=True)
        for _ in range(attempts):
            fold = Recovery()
            start = (await consumer.beginning_offsets([place]))[place]
            end = (await consumer.end_offsets([place]))[place]
            if end <= start:
                return fold.result()
            consumer.seek(place, start)
            try:
                await _read_to(reader, place, end, fold)
            except OffsetOutOfRangeError:
                continue
            return fold.result()
    raise LogGap(f"{place.topic}[{partition}] loses its oldest records faster than they can be read")


async def _read_to(reader: BatchReader, place: TopicPartition, end: int, fold: Recovery) -> None:
    position = -1
    while position < end:
        for batch in reader.take([place], 2_000):
            fold.add(batch.records)
            position = batch.next_offset
        if position < end:
            # One turn of the loop between batches keeps heartbeats going while a large log is read.
            await reader.wait(0 if reader.pending(place) else 0.2)
