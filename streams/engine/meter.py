"""What the engine measures. The engine only calls these methods; who wants numbers hands in a `Meter`."""

from __future__ import annotations

from typing import Protocol


class Meter(Protocol):
    """Receives counts and durations. Methods are called on the event loop and may not block."""

    def records_in(self, stage: str, count: int) -> None:
        """``count`` records were applied by ``stage``."""

    def records_out(self, stage: str, topic: str, count: int) -> None:
        """``stage`` handed ``count`` records for the logical ``topic`` to the outbox."""

    def processed(self, stage: str, seconds: float) -> None:
        """One piece of a batch took ``seconds`` of CPU in ``stage``."""

    def checkpoint(self, stage: str, seconds: float, size: int) -> None:
        """A checkpoint took ``seconds`` and wrote ``size`` bytes to the changelog."""

    def lag(self, stage: str, partition: int, records: int) -> None:
        """``records`` of ``partition`` are not applied yet."""

    def in_progress(self, stage: str, partition: int, batches: int) -> None:
        """``batches`` of ``partition`` wait for the stage."""

    def rejected(self, stage: str, count: int) -> None:
        """``stage`` refused ``count`` records."""

    def recovered(self, stage: str, partition: int, states: int, seconds: float) -> None:
        """``states`` of ``partition`` were read back in ``seconds``."""

    def outbox(self, size: int) -> None:
        """``size`` bytes are not confirmed by the broker yet."""

    def rebalance(self, partitions: int) -> None:
        """The group was reshuffled; this worker owns ``partitions`` input partitions now."""


class NullMeter:
    """Measures nothing."""

    def records_in(self, stage: str, count: int) -> None: ...
    def records_out(self, stage: str, topic: str, count: int) -> None: ...
    def processed(self, stage: str, seconds: float) -> None: ...
    def checkpoint(self, stage: str, seconds: float, size: int) -> None: ...
    def lag(self, stage: str, partition: int, records: int) -> None: ...
    def in_progress(self, stage: str, partition: int, batches: int) -> None: ...
    def rejected(self, stage: str, count: int) -> None: ...
    def recovered(self, stage: str, partition: int, states: int, seconds: float) -> None: ...
    def outbox(self, size: int) -> None: ...
    def rebalance(self, partitions: int) -> None: ...


NULL_METER: Meter = NullMeter()
