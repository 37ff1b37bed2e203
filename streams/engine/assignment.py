"""Which partitions this worker owns, and the runners that work on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

import structlog
from aiokafka import TopicPartition

from streams.clock import monotonic
from streams.engine.access import NotSeen, refused
from streams.engine.meter import Meter
from streams.engine.outbox import Outbox
from streams.engine.records import Batch
from streams.engine.runner import Runner
from streams.engine.settings import KafkaSettings
from streams.engine.stage import PartitionStage, StageSpec
from streams.engine.transport import Consumer
from streams.errors import Fatal, LogGap, Stalled, Unreachable

log = structlog.get_logger(__name__)

#: A broker that has not answered for so long makes the worker not ready.
SILENCE_SECONDS = 10.0


class Assignment:
    """The engine's side of the transport's `Feed`: one `Runner` for each stage and owned partition.

    Two stages may read one topic; its partition is then fetched at the pace of the slower one, and the smaller offset is committed.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        specs: Sequence[StageSpec],
        outbox: Outbox,
        meter: Meter,
        *,
        fail: Callable[[BaseException], None],
        group_id: str = "",
    ) -> None:
        self.settings = settings
        self.group_id = group_id or settings.group_id
        self._specs = list(specs)
        self._logical = {settings.topic(spec.input_topic): spec.input_topic for spec in specs}
        self._outbox = outbox
        self._meter = meter
        self._fail = fail
        self._tasks: dict[Runner, asyncio.Task[None]] = {}
        self._kept: dict[tuple[str, TopicPartition], Runner] = {}
        #: What each stage that reads a partition has saved (-1: nothing yet), by partition and stage name.
        self._saved: dict[TopicPartition, dict[str, int]] = {}
        self.runners: dict[TopicPartition, list[Runner]] = {}
        self.consumer: Consumer | None = None
        self.joined = False
        self.stopping = False
        self._abandoned = False
        self._heard_at = monotonic()

    # What the transport asks.

    def wanted(self) -> Collection[TopicPartition]:
        """Return the partitions whose runners all have room."""
        if self.stopping:
            return ()
        return {place for place, runners in self.runners.items() if all(runner.wants for runner in runners)}

    async def revoked(self, places: Collection[TopicPartition]) -> None:
        """Save and commit ``places`` within half a session timeout; what is not done by then is read again by the next owner."""
        self.joined = False
        leaving = [runner for place in places for runner in self.runners.pop(TopicPartition(*place), [])]
        await self._close(leaving, self.settings.engine.session_timeout_seconds / 2)

    def assigned(self, places: Collection[TopicPartition], generation: int) -> None:
        """As `_assign`; aiokafka would only log what a listener raises, so a stage that cannot be made ends the worker here."""
        try:
            self._assign(places, generation)
        except Exception as error:
            self._fail(error)

    def _assign(self, places: Collection[TopicPartition], generation: int) -> None:
        """Start a runner for each stage that reads one of ``places``.

        A runner that was closed in the generation just before goes on with what it holds: nobody else can have owned its
        partition in between, so nothing has to be read back.
        """
        self.joined = True
        kept, self._kept = self._kept, {}
        saved = self._saved = {TopicPartition(*place): {} for place in places}
        for topic, number in sorted(places):
            place = TopicPartition(topic, number)
            for spec in self._specs:
                if self._logical.get(topic) != spec.input_topic:
                    continue
                runner = kept.get((spec.name, place))
                if runner is not None and runner.generation + 1 == generation:
                    runner.reopen(generation)
                else:
                    runner = self._new_runner(spec, place, generation)
                self.runners.setdefault(place, []).append(runner)
                saved[place][spec.name] = runner.saved
                task = asyncio.ensure_future(runner.run())
                self._tasks[runner] = task
                task.add_done_callback(self._ended)
        self._meter.rebalance(len(self.runners))
        log.info("partitions", generation=generation, owned=len(self.runners))

    def failed(self, error: BaseException) -> None:
        """End the worker."""
        self._fail(error)

    def _new_runner(self, spec: StageSpec, place: TopicPartition, generation: int) -> Runner:
        return Runner(
            spec, place, generation,
            settings=self.settings, outbox=self._outbox, source=self, commit=self._commit, meter=self._meter,
        )  # fmt: skip

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            # Whoever cancels on purpose forgets the task first.
            if not self.stopping and task in self._tasks.values():
                self._fail(Fatal("a stage was cancelled from outside"))
        elif (error := task.exception()) is not None:
            self._fail(error)

    # What runners ask.

    async def start_offset(self, place: TopicPartition, saved: int | None) -> int:
        """Return the committed offset of ``place``, else ``saved``, else its start. Raises `LogGap` where the log no longer holds it."""
        kafka = self._consumer().kafka
        committed: int | None = await kafka.committed(place)
        start: int = (await kafka.beginning_offsets([place]))[place]
        committed = saved if committed is None else committed
        if committed is None:
            return start
        end: int = (await kafka.end_offsets([place]))[place]
        if not start <= committed <= end:
            raise LogGap(
                f"{place.topic}[{place.partition}] holds offsets {start} to {end}, but {committed} was to be read next: "
                "records were deleted before they were read, or the topic was made anew"
            )
        return committed

    def seek_now(self, place: TopicPartition, offset: int) -> None:
        """Read ``place`` on from ``offset``, at the slowest runner's pace where several read it."""
        waiting = [runner.next_queued for runner in self.runners.get(place, []) if runner.recovered and runner.next_queued >= 0]
        self._consumer().seek_now(place, min([offset, *waiting]))

    def wake(self) -> None:
        """A partition may have room again."""
        if self.consumer is not None:
            self.consumer.room.set()

    async def _commit(self, runner: Runner, offset: int) -> bool:
        if self._abandoned:
            return False
        saved = self._saved.setdefault(runner.place, {})
        saved[runner.spec.name] = offset
        least = min(saved.values())
        return least >= 0 and await self._consumer().commit_offset(runner.place, least)

    def _consumer(self) -> Consumer:
        assert self.consumer is not None
        return self.consumer

    # What the worker asks.

    def deliver(self, batch: Batch) -> None:
        """Queue a batch with every runner of its partition."""
        for runner in self.runners.get(batch.place, []):
            runner.put(batch)

    def stages(self, spec: StageSpec) -> Mapping[int, PartitionStage]:
        """Return the recovered stages of ``spec`` by partition."""
        return {
            place.partition: runner.stage
            for place, runners in sorted(self.runners.items())
            for runner in runners
            if runner.spec is spec and runner.recovered
        }

    @property
    def ready(self) -> bool:
        """Whether this worker is in the group, every owned partition has its state back, and the broker answers."""
        recovered = all(runner.recovered for runners in self.runners.values() for runner in runners)
        return self.joined and recovered and monotonic() - self._heard_at < SILENCE_SECONDS

    def positions(self) -> dict[str, int]:
        """Return ``{"topic:partition": next offset to read}`` of what is owned, with logical topic names."""
        return {
            f"{self._logical[place.topic]}:{place.partition}": min(runner.next_queued for runner in runners)
            for place, runners in sorted(self.runners.items())
            if all(runner.recovered and runner.next_queued >= 0 for runner in runners)
        }

    async def close(self, seconds: float) -> None:
        """Save and commit everything; for an orderly stop."""
        self.stopping = True
        await self._close([runner for runners in self.runners.values() for runner in runners], seconds)

    def abandon(self) -> None:
        """Stop everything as it is; nothing is committed any more."""
        self.stopping = self._abandoned = True
        for task in self._tasks.values():
            task.cancel()

    async def _close(self, runners: Sequence[Runner], seconds: float) -> None:
        runners = [runner for runner in runners if runner in self._tasks]
        for runner in runners:
            runner.close()
            if not runner.recovered:
                self._tasks[runner].cancel()
        tasks = {self._tasks.pop(runner): runner for runner in runners}
        if not tasks:
            return
        done, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            log.warning("not saved in time", stage=tasks[task].spec.name, partition=tasks[task].place.partition)
            task.cancel()
        for task in done:
            runner = tasks[task]
            if not task.cancelled() and task.exception() is None and runner.recovered:
                self._kept[runner.spec.name, runner.place] = runner

    async def watch(self) -> None:
        """Measure lag; raise `Stalled` where there is some and nothing moves, `Unreachable` where no broker answers."""
        limit = self.settings.engine.stall_seconds
        while not self.stopping:
            await asyncio.sleep(min(1.0, limit / 4))
            if not self.runners or not self.joined:
                self._heard_at = monotonic()
                continue
            places = list(self.runners)
            try:
                ends = await asyncio.wait_for(self._consumer().kafka.end_offsets(places), min(SILENCE_SECONDS, limit / 2))
                self._heard_at = monotonic()
            except Exception as error:
                hidden = {place.topic for place in places} & self._consumer().kafka._client.cluster.unauthorized_topics
                if denied := refused(NotSeen(sorted(hidden)) if hidden else error, self.settings):
                    raise denied from None
                if monotonic() - self._heard_at > limit:
                    raise Unreachable(f"no broker has answered for {limit:g} s ({type(error).__name__})") from error
                continue
            for place, end in ends.items():
                for runner in self.runners.get(place, []):
                    self._judge(runner, end, limit)

    def _judge(self, runner: Runner, end: int, limit: float) -> None:
        if not runner.recovered:
            runner.progressed_at = monotonic()
            return
        lag = max(0, end - runner.next_offset)
        self._meter.lag(runner.spec.name, runner.place.partition, lag)
        if not lag or runner.held_back:
            runner.progressed_at = monotonic()
        elif monotonic() - runner.progressed_at > limit:
            raise Stalled(
                f"{runner.spec.name} has {lag} records of {runner.place.topic}[{runner.place.partition}] to apply, "
                f"and has applied none for {limit:g} s"
            )
