"""What a stage is to the engine: a pure part for each input partition. No I/O lives here.

The engine feeds a `PartitionStage` with the records of one input partition in order, sends what it
returns, and saves it at checkpoints. The same objects run in the live agents, in a backtest and in tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Headers = Sequence[tuple[str, bytes]]


class Record(Protocol):
    """One record of the input log; aiokafka's own C records have this shape."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...  # ms, wall time at the producer or broker
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


class InputRecord(NamedTuple):
    """A `Record` made without Kafka."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Output(NamedTuple):
    """One record to send.

    ``topic`` is the logical name (``mentions.enriched``); a prefix is added at the border. Without a
    ``partition`` the key decides, by murmur2 as in the Java client. ``partition=ALL_PARTITIONS`` sends
    a copy to each partition.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


ALL_PARTITIONS = -1


class StateRecord(NamedTuple):
    """One key's state with how far it is computed. ``value=None`` forgets the key.

    Recovery keeps, of several generations of a key, the one with the greatest ``progress``.
    """

    key: bytes
    progress: int
    value: bytes | None


class Checkpoint(NamedTuple):
    """What must be durable before the input counts as read.

    ``states`` are written first, then ``cut``, then input offset ``commit`` (the next record to read
    after a restart) is committed. All outputs are on the broker before any of it.
    """

    states: list[StateRecord]
    cut: bytes
    commit: int


class PartitionStage(Protocol):
    """The pure part of one stage for one input partition.

    `process` may not do I/O, read a clock or use randomness without a seed; what it returns may not
    depend on how the records were cut into batches.
    """

    def restore(self, states: Mapping[bytes, bytes], cut: bytes | None) -> None:
        """Take over what the last owner saved: {key: value}, and its cut (None at the very start)."""
        ...

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        """Apply records (offsets ascending; some may have been seen before) and return what to send, in order."""
        ...

    def checkpoint(self, next_offset: int, *, full: bool = False) -> Checkpoint:
        """Return the states changed since the last call (all with ``full``), the cut and the offset to commit.

        ``next_offset`` follows the last record given to `process`.
        """
        ...


@dataclass(frozen=True)
class StageSpec:
    """How one stage hangs on the topics; `streams.topology` makes them, the live worker and the memory runner run them.

    ``name`` is also the suffix of the changelog topic (``<group>-<name>-changelog``, as many partitions as
    the input topic). ``make`` builds the pure part of one input partition.

    ``pulse`` gives records that tell others how far this worker is (watermarks). The engine calls it at
    most every ``pulse_seconds`` with the stages of the partitions that it owns and that are recovered, waits until everything
    sent before that call is confirmed, and only then sends what it returned. When it is called never changes results.

    ``admit`` says whether a partition may be read on now (alignment); the engine asks again after a short wait.

    ``group`` is put after the worker's consumer group. Stages of one group share its partitions out among the workers, whichever
    stages those run: one that may run apart from others that read the same topic needs a group of its own.
    """

    name: str
    input_topic: str
    make: Callable[[int], PartitionStage]
    pulse: Callable[[Mapping[int, PartitionStage]], Iterable[Output]] | None = None
    pulse_seconds: float = 0.1
    admit: Callable[[int], bool] | None = None
    group: str = ""


def header(record: Record, name: str) -> bytes | None:
    """Return the first header called ``name``."""
    for key, value in record.headers:
        if key == name:
            return value
    return None
