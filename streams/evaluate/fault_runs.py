"""What a fault run is made of: worker processes, a steady publisher, and the wait for the end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from schemas.topics import load_topics
from streams.engine.stage import ALL_PARTITIONS, Output
from streams.engine.topics import TopicPlan, ensure_topics
from streams.settings import Settings

INPUTS = ("mentions.raw", "mentions.enriched", "brand.signals")
PARTITIONS = 4


def settings_of(broker: str, run: str) -> Settings:
    """Return the settings of one run."""
    return Settings(broker=broker, run=run, partitions=PARTITIONS, _env_file=None)


def prepare_topics(broker: str, run: str) -> None:
    """Create the topics of a run; what is deleted by age elsewhere is kept."""
    plans = {
        name: TopicPlan(topic.partitions or PARTITIONS, config={"cleanup.policy": topic.cleanup}) for name, topic in load_topics().items()
    }
    asyncio.run(ensure_topics(settings_of(broker, run), plans))


class Worker:
    """One ``veille worker`` process. ``leaving``: it is not replaced when it ends."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        self.leaving = False
        with log.open("wb") as out:
            self._process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    @property
    def code(self) -> int | None:
        """Exit code, None while it runs."""
        return self._process.poll()

    @property
    def ready(self) -> bool:
        """Whether it has said so in its log."""
        return b'"event": "ready"' in self.log.read_bytes()

    def signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self._process.poll() is None:
            self._process.send_signal(number)

    def end(self) -> None:
        """Kill it and wait for it."""
        self._process.kill()
        self._process.wait()


class Crew:
    """The workers of one run; `tend` replaces those that ended by a fault or by their own decision."""

    def __init__(
        self, broker: str, run: str, folder: Path, watchlist: Path, session_seconds: float, checkpoint_seconds: float = 1.5
    ) -> None:
        self._folder = folder
        self._run = run
        self._command = [
            sys.executable, "-m", "streams.evaluate.fault_worker", "worker", "--broker", broker, "--run", run,
            "--watchlist", str(watchlist), "--stages", "enrich,detect,commands,crisis", "--port", "0",
        ]  # fmt: skip
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VEILLE_")}
        self._environment = kept | {
            "VEILLE_ENGINE__SESSION_TIMEOUT_SECONDS": str(session_seconds),
            "VEILLE_ENGINE__CHECKPOINT_SECONDS": str(checkpoint_seconds),
            "VEILLE_ENGINE__STALL_SECONDS": "60",
            "VEILLE_ENGINE__STOP_GRACE_SECONDS": "15",
        }
        self._workers: list[Worker] = []
        self.exits: dict[str, int] = {}
        self._count = 0

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for worker in self._workers:
            worker.end()

    @property
    def alive(self) -> list[Worker]:
        """Workers that run."""
        return [worker for worker in self._workers if worker.code is None]

    def join(self) -> Worker:
        """Start one more."""
        self._count += 1
        worker = Worker(self._command, self._environment, self._folder / f"{self._run}-{self._count}.log")
        self._workers.append(worker)
        return worker

    def tend(self) -> None:
        """Replace workers that ended, unless they were told to leave; count how they ended."""
        for worker in list(self._workers):
            code = worker.code
            if code is None:
                continue
            self._workers.remove(worker)
            word = f"exit {code}" if code >= 0 else f"signal {-code}"
            self.exits[word] = self.exits.get(word, 0) + 1
            if not worker.leaving:
                self.join()

    def wait_ready(self, seconds: float) -> None:
        """Wait until all have said that they are ready. Raises `TimeoutError` with the end of a log."""
        end = time.monotonic() + seconds
        while not all(worker.ready for worker in self._workers):
            if time.monotonic() > end or any(worker.code is not None for worker in self._workers):
                tails = [worker.log.read_text("utf-8", "replace")[-1500:] for worker in self._workers if not worker.ready]
                raise TimeoutError("a worker does not get ready:\n" + "\n".join(tails))
            time.sleep(0.1)


class Publisher:
    """Sends a raw log in order over about ``seconds`` (0: at once), in a thread; it outlives every outage of the broker."""

    def __init__(self, broker: str, run: str, raw: Sequence[Output], seconds: float) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": broker, "enable.idempotence": True, "linger.ms": 5, "message.timeout.ms": 0,
                "queue.buffering.max.messages": 2_000_000, "log_level": 0,
            }
        )  # fmt: skip
        self._topic = settings_of(broker, run).topic("mentions.raw")
        self._raw = raw
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)

    def __enter__(self) -> Publisher:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped.set()
        self._thread.join()

    def _publish(self) -> None:
        began = time.monotonic()
        share = self._seconds / max(1, len(self._raw))
        for number, output in enumerate(self._raw):
            if not number % 50:
                while (ahead := began + number * share - time.monotonic()) > 0 and not self._stopped.is_set():
                    self._producer.poll(min(0.1, ahead))
                if self._stopped.is_set():
                    return
            places = range(PARTITIONS) if output.partition == ALL_PARTITIONS else (output.partition,)
            for place in places:
                self._producer.produce(self._topic, output.value, output.key, place, headers=list(output.headers))
        while self._producer.flush(1.0) and not self._stopped.is_set():
            pass

    def wait(self, seconds: float) -> None:
        """Wait until everything is on the broker. Raises `TimeoutError`."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise TimeoutError("the raw log could not be published in time")


def consumer(broker: str, group: str) -> Consumer:
    """Return a consumer that commits nothing by itself."""
    return Consumer(
        {"bootstrap.servers": broker, "group.id": group, "enable.auto.commit": False, "enable.partition.eof": False, "log_level": 0}
    )


def wait_until_read(broker: str, run: str, seconds: float, tend: Callable[[], None]) -> None:
    """Wait until the group has committed the ends of all inputs and nothing grows. Raises `TimeoutError` with the lag."""
    settings = settings_of(broker, run)
    reader = consumer(broker, settings.group_id)
    deadline = time.monotonic() + seconds
    calm_since = 0.0
    before: list[int] = []
    lag = -1
    try:
        while True:
            tend()
            try:
                places = [TopicPartition(settings.topic(name), number) for name in INPUTS for number in range(PARTITIONS)]
                ends = [reader.get_watermark_offsets(place, timeout=5)[1] for place in places]
                done = [max(0, place.offset) for place in reader.committed(places, timeout=5)]
                lag = sum(end - read for end, read in zip(ends, done, strict=True))
                if lag or ends != before:
                    calm_since = time.monotonic()
                before = ends
                if not lag and time.monotonic() - calm_since > 3.0:
                    return
            except KafkaException:
                calm_since = time.monotonic()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{lag} records were not read and committed within {seconds:g} s")
            time.sleep(0.3)
    finally:
        reader.close()
