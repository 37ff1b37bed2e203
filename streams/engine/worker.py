"""A worker: runs stages, with a Faust application for each consumer group, until it is told to stop, or cannot go on."""

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

import structlog
from aiokafka.errors import KafkaConnectionError

from streams.engine.access import refused, turned_away
from streams.engine.assignment import Assignment
from streams.engine.changelog import changelog_topic
from streams.engine.ending import Guard, verdict
from streams.engine.member import Member
from streams.engine.meter import NULL_METER, Meter
from streams.engine.outbox import Outbox
from streams.engine.positions import PositionsWriter
from streams.engine.settings import KafkaSettings
from streams.engine.stage import StageSpec
from streams.engine.topics import CHANGELOG_CONFIG, COMPACT_CONFIG, TopicPlan, ensure_topics, partition_counts
from streams.errors import BadInput, Unreachable

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
        groups: dict[str, list[StageSpec]] = {}
        for spec in specs:
            groups.setdefault(spec.group, []).append(spec)
        self.members = [Member(settings, suffix, mine, self.outbox, meter, fail=self.fail) for suffix, mine in groups.items()]
        self.partition_counts: dict[str, int] = {}
        #: Called, from the event loop, once the worker begins to end.
        self.on_stopping: Callable[[], None] = lambda: None

    @property
    def ready(self) -> bool:
        """Whether everything owned is recovered, and input and output are connected to a broker that answers."""
        return self._error is None and not self._stop.is_set() and all(member.ready for member in self.members)

    @property
    def error(self) -> BaseException | None:
        """What ended the worker, if anything did."""
        return self._error

    def positions(self) -> Mapping[str, int]:
        """Return ``{"topic:partition": next offset to read}`` of the input partitions that this worker owns."""
        found: dict[str, int] = {}
        for member in self.members:
            for name, offset in member.assignment.positions().items():
                found[name] = min(offset, found.get(name, offset))
        return found

    def stop(self) -> None:
        """Ask for an orderly stop: save, commit, leave the group."""
        self.on_stopping()
        self._stop.set()

    def fail(self, error: BaseException) -> None:
        """End the worker with ``error``. Nothing is saved or committed any more."""
        if self._error is None and not isinstance(error, asyncio.CancelledError):
            self._error = refused(error, self._settings) or error
            self.on_stopping()
            self._abandon()
            self._stop.set()

    def _abandon(self) -> None:
        for member in self.members:
            member.assignment.abandon()

    async def run(self) -> int:
        """Work until `stop` or a fatal error; return the exit code (0, or the error's)."""
        tasks: list[asyncio.Task[None]] = []
        thresholds = gc.get_threshold()
        with tempfile.TemporaryDirectory(prefix="veille-") as folder:
            try:
                await self._unless_stopped(self._prepare())
                await self._unless_stopped(self.outbox.start())
                await self._unless_stopped(self._join(folder))
                tasks = [asyncio.ensure_future(work) for work in self._duties()]
                for task in tasks:
                    task.add_done_callback(self._duty_ended)
                await self._stop.wait()
                if self._error is None:
                    log.info("stopping")
                    grace = self._settings.engine.stop_grace_seconds * 0.6
                    await asyncio.gather(*(member.assignment.close(grace) for member in self.members))
            except (Exception, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError):
                    self._abandon()
                    raise
                self.fail(error)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await self._shut()
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

    async def _join(self, folder: str) -> None:
        """Join all groups at once: each may keep who comes waiting for seconds."""
        joining = [asyncio.ensure_future(member.start(folder)) for member in self.members]
        try:
            await asyncio.gather(*joining)
        finally:
            for task in joining:
                task.cancel()
            await asyncio.gather(*joining, return_exceptions=True)

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

    def _duties(self) -> list[Any]:
        duties = [self._watch_ready(), *(member.assignment.watch() for member in self.members)]
        duties += [self._pulse(spec, member.assignment) for member in self.members for spec in member.specs if spec.pulse is not None]
        if self._publish_positions:
            duties.append(PositionsWriter(self._settings, self.positions).run())
        return duties

    def _duty_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    async def _watch_ready(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            for member in self.members:
                if (reason := member.crashed) is not None:
                    self.fail(reason)
            if self.ready and not self._was_ready:
                self._was_ready = True
                # What start-up made stays: the collector need not walk it again and again.
                gc.collect()
                gc.freeze()
                gc.set_threshold(100_000, 50, 100)
                log.info("ready", **{key.replace(":", "_"): value for key, value in self.positions().items()})
                if self._on_ready is not None:
                    self._on_ready()

    async def _pulse(self, spec: StageSpec, assignment: Assignment) -> None:
        """Send what ``spec.pulse`` returns, once everything sent before it was asked is confirmed."""
        assert spec.pulse is not None
        while True:
            await asyncio.sleep(spec.pulse_seconds)
            if not assignment.joined or assignment.stopping:
                continue
            stages = assignment.stages(spec)
            if not stages:
                continue
            news = list(spec.pulse(stages))
            if news:
                await self.outbox.confirmed()
                self.outbox.send(news)

    async def _shut(self) -> None:
        """Close the connections within what is left of the grace period."""
        grace = self._settings.engine.stop_grace_seconds * 0.35
        with suppress(Exception):
            await asyncio.wait_for(self.outbox.stop(), grace / 2)
        await asyncio.gather(*(member.stop(grace / 2) for member in self.members))


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
