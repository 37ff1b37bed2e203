"""Every private name of Faust, mode and aiokafka that the engine uses or overrides is there, and as expected.

An upgrade that changes one fails here, with a sentence that says what to look at.
"""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

import aiokafka
import faust
import pytest
from aiokafka.consumer import fetcher, group_coordinator, subscription_state
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from faust.transport import drivers
from faust.transport.consumer import Consumer, ConsumerThread, ThreadDelegateConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import ConsumerMessage
from mode import Service
from mode.threads import ServiceThread

from streams.engine import transport

#: (owner, name, parameters without self, why the engine needs it)
METHODS: list[tuple[Any, str, list[str], str]] = [
    (Consumer, "_drain_messages", ["fetcher"], "the engine's loop replaces it"),
    (Consumer, "_new_offset", ["tp"], "it returns the offset that a checkpoint saved"),
    (Consumer, "_filter_tps_with_pending_acks", ["topics"], "it names the partitions that have a saved offset"),
    (Consumer, "_commit_offsets", ["offsets", "start_new_transaction"], "the engine's notes only what the broker took"),
    (Consumer, "_commit_tps", ["tps", "start_new_transaction"], "commits go through it"),
    (Consumer, "_should_commit", ["tp", "offset"], "it compares with `_committed_offset`"),
    (Consumer, "perform_seek", [], "runners seek for themselves"),
    (Consumer, "on_partitions_revoked", ["revoked"], "the engine saves before Faust drops its state"),
    (Consumer, "on_partitions_assigned", ["assigned", "generation_id"], "runners start here"),
    (Consumer, "force_commit", ["topics", "start_new_transaction"], "`commit_offset` calls it"),
    (Consumer, "verify_event_path", ["now", "tp"], "Faust's stall detector is silenced"),
    (ThreadDelegateConsumer, "_new_consumer_thread", [], "the consumer lives on the application's loop"),
    (driver.AIOKafkaConsumerThread, "_create_worker_consumer", ["transport"], "the engine makes aiokafka's consumer"),
    (driver.AIOKafkaConsumerThread, "_commit", ["offsets"], "a refused commit is no crash"),
    (driver.AIOKafkaConsumerThread, "_ensure_consumer", [], "it returns aiokafka's consumer"),
    (driver.Producer, "_settings_auth", [], "Faust's producer connects with the engine's credentials"),
    (ConsumerThread, "on_partitions_revoked", ["revoked"], "it leads from aiokafka's listener to the consumer"),
    (ServiceThread, "start", [], "the inline thread starts no thread"),
    (ServiceThread, "stop", [], "the inline thread stops aiokafka's consumer"),
    (ServiceThread, "on_thread_started", [], "the inline thread has nothing to start"),
    (Service, "_default_start", [], "the inline thread starts as a plain service"),
    (Service, "_default_stop_futures", [], "the inline thread stops as a plain service"),
    (Service, "_default_stop_exit_stacks", [], "the inline thread stops as a plain service"),
    (fetcher.Fetcher, "_create_fetch_waiter", [], "`BatchReader.wait` waits on it"),
    (fetcher.Fetcher, "_notify", ["future"], "`BatchReader` asks for the next fetch with it"),
    (fetcher.FetchResult, "check_assignment", ["tp"], "it says whether a fetched batch is still wanted"),
    (fetcher.FetchResult, "has_more", [], "it says whether a fetched batch is used up"),
    (fetcher.FetchResult, "_update_position", [], "it moves the read position"),
    (fetcher.FetchError, "check_raise", [], "it raises a fetch's error"),
    (group_coordinator.GroupCoordinator, "check_errors", [], "the watchdog calls it"),
    (aiokafka.AIOKafkaProducer, "create_batch", [], "the outbox fills batches itself"),
    (aiokafka.AIOKafkaProducer, "send_batch", ["batch", "topic", "partition"], "the outbox sends whole batches"),
    (BatchBuilder, "append", ["timestamp", "key", "value", "headers"], "the outbox appends records"),
    (BatchBuilder, "close", [], "a sealed batch is sent at once"),
]


@pytest.mark.parametrize(("owner", "name", "parameters", "why"), METHODS, ids=[f"{m[0].__name__}.{m[1]}" for m in METHODS])
def test_methods_are_there_as_expected(owner: Any, name: str, parameters: list[str], why: str) -> None:
    """Each method that is overridden or called has the signature that the engine was written for."""
    place = f"{owner.__module__}.{owner.__name__}.{name}"
    assert hasattr(owner, name), f"{place} is gone after an upgrade; {why}: see streams/engine"
    found = [p for p in inspect.signature(getattr(owner, name)).parameters if p not in ("self", "kwargs", "args")]
    assert found == parameters, f"{place} takes {found} now, not {parameters}; {why}: see streams/engine"


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (fetcher.Fetcher.__init__, ["_records", "_prefetch_backoff", "_subscriptions", "_wait_consume_future", "_closed"]),
        (fetcher.FetchResult.__init__, ["_partition_records"]),
        (fetcher.PartitionRecords.__init__, ["_records", "_check_crcs", "next_fetch_offset"]),
        (group_coordinator.GroupCoordinator.__init__, ["_coordination_task"]),
        (aiokafka.AIOKafkaConsumer.__init__, ["_closed", "_fetcher", "_coordinator", "_client"]),
        (Consumer.__init__, ["_committed_offset", "_active_partitions", "flow_active"]),
    ],
)
def test_attributes_are_still_set(owner: Any, names: list[str]) -> None:
    """Each private attribute that the engine reads is still made where it was."""
    source = inspect.getsource(owner) + inspect.getsource(inspect.getmodule(owner))  # type: ignore[arg-type]
    for name in names:
        assert f"self.{name}" in source or f"{name}:" in source, f"{owner.__qualname__} no longer sets {name}: see streams/engine"


def test_record_batches_have_their_shape() -> None:
    """`BatchReader` unpacks record batches by these names."""
    for name in ("next_offset", "base_offset", "is_control_batch", "validate_crc", "__iter__"):
        assert hasattr(DefaultRecordBatch, name), f"aiokafka's record batch has no {name} any more: see streams/engine/records.py"
    for name in ("has_next", "next_batch"):
        assert hasattr(MemoryRecords, name), f"aiokafka's MemoryRecords has no {name} any more: see streams/engine/records.py"


def test_subscription_says_when_partitions_move() -> None:
    """`BatchReader` hands nothing out while the group is reshuffled."""
    for name in ("reassignment_in_progress", "is_assigned"):
        assert hasattr(subscription_state.SubscriptionState, name), f"SubscriptionState.{name} is gone: see streams/engine/records.py"


def test_faust_knows_the_scheme_and_the_message() -> None:
    """The transport is registered by name, and a message carries a whole batch as its value."""
    transport.register()
    assert drivers.by_name("batch") is transport.Transport, "Faust no longer finds transports by TRANSPORTS.aliases"
    parameters = list(inspect.signature(ConsumerMessage.__init__).parameters)[1:]
    assert parameters[:12] == [
        "topic", "partition", "offset", "timestamp", "timestamp_type", "headers", "key", "value", "checksum",
        "serialized_key_size", "serialized_value_size", "tp",
    ], "Faust's ConsumerMessage takes other arguments now: see Consumer._deliver"  # fmt: skip


def test_the_pinned_versions_are_installed() -> None:
    """The engine was written against these; a change needs this file read again."""
    assert version("faust-streaming") == "0.15.3"
    assert version("aiokafka") == "0.14.0"
    assert faust.__version__.startswith("0.15")
