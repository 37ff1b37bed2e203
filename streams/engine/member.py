"""A worker's part in one consumer group: a Faust application that reads the inputs of its stages, and what it owns there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import faust
import structlog
from mode import CrashingSupervisor

from streams.engine import transport
from streams.engine.assignment import Assignment
from streams.engine.meter import Meter
from streams.engine.outbox import Outbox
from streams.engine.settings import KafkaSettings
from streams.engine.stage import StageSpec
from streams.errors import Fatal

log = structlog.get_logger(__name__)


class Member:
    """Joins the group ``<group id><suffix>`` with ``specs``; the stages' outputs go to an outbox that all groups of a worker share."""

    def __init__(
        self,
        settings: KafkaSettings,
        suffix: str,
        specs: Sequence[StageSpec],
        outbox: Outbox,
        meter: Meter,
        *,
        fail: Callable[[BaseException], None],
    ) -> None:
        self._settings = settings
        self._suffix = suffix
        self.specs = list(specs)
        self.assignment = Assignment(settings, specs, outbox, meter, fail=fail, group_id=settings.group_id + suffix)
        self._app: transport.App | None = None
        self.connected = False

    @property
    def ready(self) -> bool:
        """Whether the group has given its partitions to this worker, and their states are back."""
        return self.connected and self.assignment.ready

    async def start(self, folder: str) -> None:
        """Connect and join."""
        app = self._app = self._application(folder)
        consumer = app.consumer
        assert isinstance(consumer, transport.Consumer)
        # Before it starts: partitions may be given to a worker that is told to stop while it still joins.
        self.assignment.consumer = consumer
        await app.start()
        self.connected = True

    def _application(self, folder: str) -> transport.App:
        transport.register()
        engine = self._settings.engine
        app = transport.App(
            self.assignment.group_id,
            broker=[f"{transport.SCHEME}://{part.strip()}" for part in self._settings.broker.split(",")],
            store="memory://",
            datadir=folder,
            autodiscover=False,
            set_as_current=False,
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            stream_wait_empty=False,
            agent_supervisor=CrashingSupervisor,
            broker_commit_interval=max(1.0, engine.checkpoint_seconds),
            broker_session_timeout=engine.session_timeout_seconds,
            broker_request_timeout=engine.session_timeout_seconds + 20.0,
        )
        app.register(self.assignment)
        for name in dict.fromkeys(spec.input_topic for spec in self.specs):
            topic = app.topic(self._settings.topic(name), schema=transport.BatchSchema(), maxsize=64)
            app.agent(topic, name=f"read-{name}{self._suffix}")(self._reader)
        return app

    async def _reader(self, stream: faust.StreamT[Any]) -> None:
        """The agent: hands batches to the runners. Nothing is acknowledged here: a checkpoint is what commits."""
        async for event in stream.noack().events():
            self.assignment.deliver(event.value)

    @property
    def crashed(self) -> BaseException | None:
        """What ended the application by itself, if anything did."""
        app = self._app
        if app is None or not (app.crashed or app.should_stop):
            return None
        return app.crash_reason or Fatal("the application stopped by itself")

    async def stop(self, seconds: float) -> None:
        """Close the connections within ``seconds``."""
        if self._app is None:
            return
        stopping = asyncio.ensure_future(self._app.stop())
        await asyncio.wait({stopping}, timeout=seconds)
        if not stopping.done():
            log.warning("not stopped in time; left behind")
            stopping.cancel()
        elif not stopping.cancelled():
            stopping.exception()
