"""Changelog folding: the greatest progress wins, the newest owner's cut wins, nothing is cleared early."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.engine.changelog import Changelog, Recovery, recover
from streams.engine.outbox import Outbox
from streams.engine.stage import Checkpoint, InputRecord, Output, StateRecord
from tests.engine.counting import settings_for


class Log:
    """Stands for an outbox: keeps what it was given as a log."""

    def __init__(self) -> None:
        self.records: list[InputRecord] = []

    def send(self, outputs: object) -> None:
        """Append."""
        for output in outputs:  # type: ignore[attr-defined]
            assert isinstance(output, Output)
            self.records.append(InputRecord(len(self.records), 0, output.key, output.value))


def fold(records: list[InputRecord], piece: int = 100) -> Recovery:
    """Fold in pieces."""
    found = Recovery()
    for begin in range(0, len(records), piece):
        found.add(records[begin : begin + piece])
    return found


def owner(log: Log, generation: int) -> Changelog:
    """A new owner that has recovered from ``log``."""
    changelog = Changelog(log, "c", 0)  # type: ignore[arg-type]
    changelog.adopt(fold(log.records).result(), generation)
    return changelog


def checkpoint(progress: int, *keys: bytes, forget: bytes | None = None) -> Checkpoint:
    """States of ``keys`` computed up to ``progress``."""
    states = [StateRecord(key, progress, b"%d" % progress) for key in keys]
    if forget is not None:
        states.append(StateRecord(forget, progress, None))
    return Checkpoint(states, b"cut %d" % progress, progress)


def test_a_zombies_late_write_is_not_the_last_word() -> None:
    """A stale state written after the new owner's does not win."""
    log = Log()
    zombie = owner(log, 3)
    zombie.write(checkpoint(10, b"a"))
    newer = owner(log, 4)
    newer.write(checkpoint(20, b"a"))
    zombie.write(checkpoint(15, b"a"))
    found = fold(log.records).result()
    assert found.states == {b"a": b"20"}
    assert found.cut == b"cut 20"


def test_older_generations_are_cleared_only_when_asked() -> None:
    """Before the new copy is confirmed the old one stays; afterwards exactly one is left."""
    log = Log()
    owner(log, 1).write(checkpoint(10, b"a", b"b"))
    newer = owner(log, 2)
    newer.write(checkpoint(20, b"a"))
    assert all(record.value is not None for record in log.records)
    newer.clear_older()
    cleared = [record.key for record in log.records if record.value is None]
    assert cleared == [b"1:a", b"1!"]
    assert fold(log.records).result().states == {b"a": b"20", b"b": b"10"}


def test_a_forgotten_key_stays_forgotten() -> None:
    """A zombie's state of a key that was forgotten later does not bring it back."""
    log = Log()
    zombie = owner(log, 1)
    zombie.write(checkpoint(5, b"a"))
    newer = owner(log, 2)
    newer.write(checkpoint(9, forget=b"a"))
    zombie.write(checkpoint(7, b"a"))
    assert fold(log.records).result().states == {}


def test_the_cut_of_the_newest_owner_counts_though_a_zombie_got_further() -> None:
    """A zombie's cut vouches for states that were cleared: it may not be used once a newer owner has cut."""
    log = Log()
    zombie = owner(log, 1)
    zombie.write(checkpoint(10, b"a"))
    newer = owner(log, 2)
    newer.write(checkpoint(12, b"a"))
    zombie.write(checkpoint(30, b"a"))
    newer.clear_older()
    # Before compaction the zombie's state is still there, ahead of the cut, which a stage knows how to take.
    found = fold(log.records).result()
    assert (found.cut, found.states) == (b"cut 12", {b"a": b"30"})
    newest = {record.key: record for record in log.records}
    found = fold([record for record in newest.values() if record.value is not None]).result()
    assert (found.cut, found.states) == (b"cut 12", {b"a": b"12"})


def test_generations_grow_though_the_group_starts_again() -> None:
    """On a group whose generations began anew a new owner still writes under a greater one."""
    log = Log()
    owner(log, 50).write(checkpoint(10, b"a"))
    assert owner(log, 1).generation == 51


def test_a_rewrite_is_asked_for_after_so_many_bytes() -> None:
    """The next checkpoint must be a full one once the log was written that far."""
    log = Log()
    changelog = Changelog(log, "c", 0, rewrite_bytes=1_000)  # type: ignore[arg-type]
    assert not changelog.full
    while not changelog.full:
        changelog.write(checkpoint(1, b"a"))
    changelog.write(checkpoint(1, b"a"), full=True)
    assert not changelog.full


@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from([b"a", b"b:c", b"", b"7!"]), st.integers(0, 50)), max_size=40),
    st.integers(1, 7),
)
def test_folding_keeps_the_greatest_progress_whatever_the_pieces(writes: list[tuple[int, bytes, int]], piece: int) -> None:
    """Recovery equals the maximum by progress for each key, however the log is cut into batches."""
    log = Log()
    best: dict[bytes, int] = {}
    for generation, key, progress in writes:
        changelog = Changelog(log, "c", 0)  # type: ignore[arg-type]
        changelog.generation = generation
        changelog.write(checkpoint(progress, key))
        best[key] = max(progress, best.get(key, 0))
    assert fold(log.records, piece).result().states == {key: b"%d" % progress for key, progress in best.items()}


async def test_states_come_back_from_a_broker(embedded_broker: str) -> None:
    """What was written and confirmed is what recovery reads, from many record batches."""
    settings = settings_for(embedded_broker, "recovery", producer_batch_bytes=4096)
    outbox = Outbox(settings)
    await outbox.start()
    changelog = Changelog(outbox, "c", 2)
    changelog.adopt(Recovery().result(), 1)
    keys = [b"k%d" % n for n in range(3_000)]
    changelog.write(checkpoint(10, *keys))
    changelog.write(checkpoint(11, *keys[:1_000]))
    await outbox.confirmed()
    found = await recover(settings, "c", 2)
    assert len(found.states) == 3_000
    assert found.records == 4_002
    assert sum(value == b"11" for value in found.states.values()) == 1_000
    await outbox.stop()
