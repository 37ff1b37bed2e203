"""A worker: the Faust application that runs stages until it is told to stop, or cannot go on."""

from __future__ import annotations

import asyncio
import gc
import signal
import tempfile
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

import faust
import structlog
from aiokafka.errors import KafkaConnectionError
from mode import CrashingSupervisor

from streams.engine import transport
from streams.engine.access import refused, turned_away
from streams.engine.assignment import Assignment
from streams.engine.changelog import changelog_topic
from streams.engine.ending import Guard, verdict
from streams.engine.meter import NULL_METER, Meter
from streams.engine.outbox import Outbox
from streams.engine.positions import PositionsWriter
from streams.engine.settings import KafkaSettings
from streams.engine.stage import StageSpec
from streams.engine.topics import CHANGELOG_CONFIG, COMPACT_CONFIG, TopicPlan, ensure_topics, partition_counts
from streams.errors import BadInput, Fatal, Unreachable

log = structlog.get_logger(__name__)


class Worker:
    """Runs ``specs`` on the broker of ``settings``. Use it once, from one event loop.

    ``ready`` is true once the group has given this worker its partitions, their states are back, and the way out is connected.
    ``partition_counts`` holds the partition count of each logical input topic, from the start of `run` on.
    ``publish_positions`` writes read positions to the topic ``positions``, for a replay that holds back.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        specs: Sequence[StageSpec],
        *,
        meter: Meter = NULL_METER,
        on_ready: Callable[[], None] | None = None,
        publish_positions: bool = True,
    ) -> None:
        if not specs:
            raise BadInput("no stage was named: VEILLE_STAGES is empty")
        self._settings = settings
        self._specs = list(specs)
        self._meter = meter
        self._on_ready = on_ready
        self._publish_positions = publish_positions
        self._stop = asyncio.Event()
        self._error: BaseException | None = None
        self._was_ready = False
        self.outbox = Outbox(settings, meter=meter, on_failure=self.fail)
        self.assignment = Assignment(settings, specs, self.outbox, meter, fail=self.fail)
        self.partition_counts: dict[str, int] = {}
        self._connected = False
        #: Called, from the event loop, once the worker begins to end.
        self.on_stopping: Callable[[], None] = lambda: None

    @property
    def ready(self) -> bool:
        """Whether everything owned is recovered, and input and output are connected to a broker that answers."""
        return self._connected and self._error is None and not self._stop.is_set() and self.assignment.ready

    @property
    def error(self) -> BaseException | None:
        """What ended the worker, if anything did."""
        return self._error

    def positions(self) -> Mapping[str, int]:
        """Return ``{"topic:partition": next offset to read}`` of the input partitions that this worker owns."""
        return self.assignment.positions()

    def stop(self) -> None:
        """Ask for an orderly stop: save, commit, leave the group."""
        self.on_stopping()
        self._stop.set()

    def fail(self, error: BaseException) -> None:
        """End the worker with ``error``. Nothing is saved or committed any more."""
        if self._error is None and not isinstance(error, asyncio.CancelledError):
            self._error = refused(error, self._settings) or error
            self.on_stopping()
            self.assignment.abandon()
            self._stop.set()

    async def run(self) -> int:
        """Work until `stop` or a fatal error; return the exit code (0, or the error's)."""
        tasks: list[asyncio.Task[None]] = []
        app: transport.App | None = None
        thresholds = gc.get_threshold()
        with tempfile.TemporaryDirectory(prefix="veille-") as folder:
            try:
                await self._unless_stopped(self._prepare())
                await self._unless_stopped(self.outbox.start())
                app = self._application(folder)
                await self._unless_stopped(app.start())
                self._join(app)
                tasks = [asyncio.ensure_future(work) for work in self._duties(app)]
                for task in tasks:
                    task.add_done_callback(self._duty_ended)
                await self._stop.wait()
                if self._error is None:
                    log.info("stopping")
                    await self.assignment.close(self._settings.engine.stop_grace_seconds * 0.6)
            except (Exception, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError):
                    self.assignment.abandon()
                    raise
                self.fail(error)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await self._shut(app)
                gc.unfreeze()
                gc.set_threshold(*thresholds)
        if isinstance(self._error, KafkaConnectionError | Unreachable):
            # A password or a certificate that is no longer taken looks like a broker that is gone.
            self._error = await turned_away(self._settings) or self._error
        return verdict(self._error, self._settings.broker)

    async def _prepare(self) -> None:
        """Find the input topics, create the changelogs that are missing."""
        names = list(dict.fromkeys(spec.input_topic for spec in self._specs))
        self.partition_counts = await partition_counts(self._settings, names)
        plans = {
            changelog_topic(self._settings, spec.name): TopicPlan(self.partition_counts[spec.input_topic], config=CHANGELOG_CONFIG)
            for spec in self._specs
        }
        if self._publish_positions:
            plans["positions"] = TopicPlan(1, config=COMPACT_CONFIG)
        await ensure_topics(self._settings, plans)
        held = await partition_counts(self._settings, [changelog_topic(self._settings, spec.name) for spec in self._specs])
        for spec in self._specs:
            inputs, changelog = self.partition_counts[spec.input_topic], held[changelog_topic(self._settings, spec.name)]
            if changelog < inputs:
                raise BadInput(
                    f"{spec.input_topic} has {inputs} partitions, but the changelog of {spec.name} has {changelog}: "
                    "a change of partition counts needs a rebuild"
                )

    def _application(self, folder: str) -> transport.App:
        transport.register()
        engine = self._settings.engine
        app = transport.App(
            self._settings.group_id,
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
        for name in dict.fromkeys(spec.input_topic for spec in self._specs):
            topic = app.topic(self._settings.topic(name), schema=transport.BatchSchema(), maxsize=64)
            app.agent(topic, name=f"read-{name}")(self._reader)
        return app

    async def _reader(self, stream: faust.StreamT[Any]) -> None:
        """The agent: hands batches to the runners. Nothing is acknowledged here: a checkpoint is what commits."""
        async for event in stream.noack().events():
            self.assignment.deliver(event.value)

    async def _unless_stopped(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do one step of the start; given up when the worker is told to stop meanwhile."""
        if self._stop.is_set():
            work.close()
            return
        step = asyncio.ensure_future(work)
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({step, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if step.done():
            step.result()
        else:
            step.cancel()
            await asyncio.gather(step, return_exceptions=True)

    def _join(self, app: transport.App) -> None:
        consumer = app.consumer
        assert isinstance(consumer, transport.Consumer)
        self.assignment.consumer = consumer
        self._connected = True

    def _duties(self, app: transport.App) -> list[Any]:
        duties = [self._watch_ready(app), self.assignment.watch()]
        duties += [self._pulse(spec) for spec in self._specs if spec.pulse is not None]
        if self._publish_positions:
            duties.append(PositionsWriter(self._settings, self.positions).run())
        return duties

    def _duty_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    async def _watch_ready(self, app: transport.App) -> None:
        while True:
            await asyncio.sleep(0.05)
            if app.crashed or app.should_stop:
                self.fail(app.crash_reason or Fatal("the application stopped by itself"))
            if self.ready and not self._was_ready:
                self._was_ready = True
                # What start-up made stays: the collector need not walk it again and again.
                gc.collect()
                gc.freeze()
                gc.set_threshold(100_000, 50, 100)
                log.info("ready", **{key.replace(":", "_"): value for key, value in self.positions().items()})
                if self._on_ready is not None:
                    self._on_ready()

    async def _pulse(self, spec: StageSpec) -> None:
        """Send what ``spec.pulse`` returns, once everything sent before it was asked is confirmed."""
        assert spec.pulse is not None
        while True:
            await asyncio.sleep(spec.pulse_seconds)
            if not self.assignment.joined or self.assignment.stopping:
                continue
            stages = self.assignment.stages(spec)
            if not stages:
                continue
            news = list(spec.pulse(stages))
            if news:
                await self.outbox.confirmed()
                self.outbox.send(news)

    async def _shut(self, app: transport.App | None) -> None:
        """Close the connections within what is left of the grace period."""
        grace = self._settings.engine.stop_grace_seconds * 0.35
        with suppress(Exception):
            await asyncio.wait_for(self.outbox.stop(), grace / 2)
        if app is None:
            return
        stopping = asyncio.ensure_future(app.stop())
        await asyncio.wait({stopping}, timeout=grace / 2)
        if not stopping.done():
            log.warning("not stopped in time; left behind")
            stopping.cancel()
        elif not stopping.cancelled():
            stopping.exception()


async def run_worker(
    settings: KafkaSettings,
    specs: Sequence[StageSpec],
    *,
    meter: Meter = NULL_METER,
    on_ready: Callable[[], None] | None = None,
    worker: Worker | None = None,
    guard: Guard | None = None,
) -> int:
    """Run ``specs`` until SIGINT, SIGTERM or a fatal error; return the exit code.

    In the main thread it takes over both signals meanwhile. An end that outlasts ``stop_grace_seconds``, and an event loop that
    stands still for ``stall_seconds``, end the process with code 1, whatever hangs. ``worker`` hands in one made before
    (to ask it for `Worker.ready`), ``guard`` a guard that also watches what the caller does afterwards.
    """
    if guard is None:
        with Guard(settings.engine) as own:
            return await run_worker(settings, specs, meter=meter, on_ready=on_ready, worker=worker, guard=own)
    worker = worker or Worker(settings, specs, meter=meter, on_ready=on_ready)
    worker.on_stopping = guard.stopping
    handler = _told(guard, worker, asyncio.get_running_loop())
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    beat = asyncio.ensure_future(guard.beat())
    try:
        return await worker.run()
    finally:
        beat.cancel()
        for number, usual in before.items():
            signal.signal(number, usual)


def _told(guard: Guard, worker: Worker, loop: asyncio.AbstractEventLoop) -> Callable[[int, FrameType | None], None]:
    def told(number: int, frame: FrameType | None) -> None:
        # At once, and not only by way of the worker: a loop that stands still does not get that far.
        guard.stopping()
        loop.call_soon_threadsafe(worker.stop)

    return told
