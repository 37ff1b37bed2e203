"""Every private name of Faust, mode and aiokafka that is used or overridden is there, and as expected.

An upgrade that changes one fails here, with a sentence that says what to look at. That the lists are complete is found by reading our code.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiokafka
import faust
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer import fetcher, group_coordinator, subscription_state
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from faust.serializers.schemas import Schema
from faust.transport import drivers
from faust.transport.consumer import Consumer, ConsumerThread, ThreadDelegateConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import ConsumerMessage
from mode import Service
from mode.threads import QueueServiceThread, ServiceThread

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
    (Schema, "compile", ["app", "on_key_decode_error", "on_value_decode_error", "default_propagate"], "a batch is handed on undecoded"),
    (ThreadDelegateConsumer, "_new_consumer_thread", [], "the consumer lives on the application's loop"),
    (driver.AIOKafkaConsumerThread, "_create_worker_consumer", ["transport"], "the engine makes aiokafka's consumer"),
    (driver.AIOKafkaConsumerThread, "_commit", ["offsets"], "a refused commit is no crash"),
    (driver.AIOKafkaConsumerThread, "_ensure_consumer", [], "it returns aiokafka's consumer"),
    (driver.Producer, "_settings_auth", [], "Faust's producer connects with the engine's credentials"),
    (ConsumerThread, "on_partitions_revoked", ["revoked"], "it leads from aiokafka's listener to the consumer"),
    (ServiceThread, "start", [], "the inline thread starts no thread"),
    (ServiceThread, "stop", [], "the inline thread stops aiokafka's consumer"),
    (ServiceThread, "on_thread_started", [], "the inline thread has nothing to start"),
    (QueueServiceThread, "call_thread", ["fun"], "without a thread a call is a call"),
    (QueueServiceThread, "cast_thread", ["fun"], "without a thread a cast is a call"),
    (AIOKafkaClient, "_wait_on_metadata", ["topic"], "asking for a topic creates it on the embedded broker"),
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


#: (where it is set, name, why the engine needs it)
ATTRIBUTES: list[tuple[Any, str, str]] = [
    (fetcher.Fetcher, "_records", "`BatchReader` takes what was fetched from it"),
    (fetcher.Fetcher, "_prefetch_backoff", "a partition that waits must not delay its neighbours"),
    (fetcher.Fetcher, "_subscriptions", "`BatchReader` asks it what is assigned"),
    (fetcher.Fetcher, "_wait_consume_future", "`BatchReader` wakes the next fetch with it"),
    (fetcher.Fetcher, "_closed", "a closed fetcher hands nothing out"),
    (fetcher.FetchResult, "_partition_records", "`BatchReader` unpacks it"),
    (fetcher.PartitionRecords, "_records", "`BatchReader` unpacks it"),
    (fetcher.PartitionRecords, "_check_crcs", "`BatchReader` checks sums where aiokafka would"),
    (fetcher.PartitionRecords, "next_fetch_offset", "`BatchReader` reads and sets the position"),
    (group_coordinator.GroupCoordinator, "_coordination_task", "the watchdog looks whether it still runs"),
    (aiokafka.AIOKafkaConsumer, "_closed", "a closed consumer hands nothing out"),
    (aiokafka.AIOKafkaConsumer, "_fetcher", "`BatchReader` reads from it"),
    (aiokafka.AIOKafkaConsumer, "_coordinator", "the watchdog asks it for errors"),
    (aiokafka.AIOKafkaConsumer, "_client", "asking for a topic creates it on the embedded broker"),
    (AIOKafkaAdminClient, "_client", "the embedded broker is known by its missing controller"),
    (Consumer, "_committed_offset", "`_commit_offsets` notes what the broker took"),
    (ThreadDelegateConsumer, "_thread", "aiokafka's consumer hangs on it"),
    (driver.AIOKafkaConsumerThread, "_consumer", "it is aiokafka's consumer"),
    (driver.AIOKafkaConsumerThread, "_assignor", "Faust's consumer names its assignor"),
    (ServiceThread, "_thread_started", "the inline thread says that it runs"),
    (Service, "_shutdown", "the inline thread says that it ended"),
    (Service, "_started", "the inline thread stops only what was started"),
    (Service, "_stopped", "the inline thread stops once"),
]


@pytest.mark.parametrize(("owner", "name", "why"), ATTRIBUTES, ids=[f"{a[0].__name__}.{a[1]}" for a in ATTRIBUTES])
def test_attributes_are_still_set(owner: Any, name: str, why: str) -> None:
    """Each private attribute that the engine reads is still made where it was."""
    source = inspect.getsource(owner)
    assert re.search(rf"\bself\.{name}\b(: [^=\n]+)? =|^    {name}: ", source, re.MULTILINE), (
        f"{owner.__module__}.{owner.__name__} no longer sets {name}; {why}: see streams/engine"
    )


LIBRARIES = ("faust", "mode", "aiokafka")
#: Underscore names that belong to Python itself.
PYTHON_S = {"_replace", "_exit"}


def _modules() -> Iterator[tuple[Any, ast.Module]]:
    """Our modules that import one of the libraries, with their source."""
    root = Path(transport.__file__).parents[2]
    for path in sorted((root / "streams").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        imported: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
        # Contestants are peers in a process of their own.
        if imported & set(LIBRARIES) and path.parent.name != "contestants":
            yield importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts)), tree


def _borrowed(module: Any, tree: ast.Module) -> Iterator[str]:
    """Names of the libraries that a module overrides, and underscore names that it takes from objects that are not its own."""
    inside: dict[ast.AST, list[Any]] = {}
    for part in ast.walk(tree):
        if isinstance(part, ast.ClassDef):
            bases = [base for base in getattr(module, part.name).__mro__ if base.__module__.partition(".")[0] in LIBRARIES]
            inside.update(dict.fromkeys(ast.walk(part), bases))
            methods = [node.name for node in part.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
            yield from (name for name in methods if not name.startswith("__") and any(name in vars(base) for base in bases))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and re.match("_[^_]", node.attr) and node.attr not in PYTHON_S:
            own = isinstance(node.value, ast.Name) and node.value.id == "self"
            if not own or any(re.search(rf"\b{node.attr}\b", inspect.getsource(base)) for base in inside.get(node, [])):
                yield node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            yield from (str(word.value) for word in node.args if isinstance(word, ast.Constant) and str(word.value).startswith("_"))


def test_every_private_name_in_use_is_pinned() -> None:
    """A name that our code overrides or borrows stands in the lists above, and nothing stands there that is no longer used."""
    used = {name for module, tree in _modules() for name in _borrowed(module, tree)}
    pinned = {name for _, name, _, _ in METHODS} | {name for _, name, _ in ATTRIBUTES}
    assert not used - pinned, f"used but not pinned: {sorted(used - pinned)}; add them to METHODS or ATTRIBUTES with the reason"
    idle = {name for name in pinned - used if name.startswith("_") and name not in FOLLOWED}
    assert not idle, f"pinned but used nowhere: {sorted(idle)}"


#: Not named in our code, but on the way that our overrides rely on.
FOLLOWED = {"_commit_tps", "_should_commit"}


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
