"""Random faults on live workers, and the proof that nobody can see them afterwards.

Workers (processes of ``veille worker``) read a steady replay while they are killed, frozen, stopped and joined by others, and while the
broker restarts or hangs. At the end every record of ``mentions.enriched``, ``mentions.rejected``, ``brand.signals`` and
``crisis.events``, with repeats by ``ce_id`` removed, must equal that of an undisturbed run over the same raw log, byte for byte;
each brand's first deliveries must come in the order of ``seq``; and the digests of what was counted for each brand must be equal.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Protocol

from streams.engine.stage import Output
from streams.evaluate.fault_outputs import Comparison, Outputs, compare, read_digests, read_outputs
from streams.evaluate.fault_runs import Crew, Publisher, Worker, prepare_topics, wait_until_read
from streams.evaluate.fault_worker import FULL_BUFFER, SLOW_CHANGELOG

#: What may happen, and how often against the others. Each comes once before any comes again.
FAULTS: dict[str, int] = {
    "kill a worker": 4,
    "stop a worker": 2,
    "freeze a worker past its session": 3,
    "a worker joins": 2,
    "a worker leaves": 2,
    "restart the broker": 1,
    "kill the broker": 1,
    "freeze the broker": 2,
    "slow changelog acknowledgements": 2,
    "a full producer buffer": 2,
}


class Broker(Protocol):
    """A broker that can be hurt; `infra.kafka.Broker` is one."""

    def signal(self, number: int) -> None:
        """Send a signal to its process."""


class Cluster(Protocol):
    """A cluster of such brokers; `infra.kafka.KafkaCluster` is one."""

    brokers: list[Any]

    @property
    def bootstrap(self) -> str:
        """Bootstrap servers."""

    def restart(self, index: int = 0, *, hard: bool = False) -> None:
        """Stop (or kill) a broker and start it again on its store."""


@dataclass
class Plan:
    """How long and how rough. ``pause_seconds``: (least, most) between two faults."""

    mentions: int = 40_000
    faults: int = 10
    seed: int = 7
    workers: int = 2
    most_workers: int = 3
    session_seconds: float = 6.0
    pause_seconds: tuple[float, float] = (4.0, 8.0)
    settle_seconds: float = 240.0
    start_seconds: float = 90.0
    kinds: dict[str, int] = field(default_factory=lambda: dict(FAULTS))


@dataclass
class Report:
    """What happened and what was left: ``kinds`` counts the faults, ``exits`` how workers ended (exit code to count)."""

    mentions: int
    kinds: dict[str, int]
    exits: dict[str, int]
    seconds: float
    comparison: Comparison
    #: Mentions that are in ``mentions.enriched`` or ``mentions.rejected``, each counted once.
    accounted: int
    #: Brands of which another sequence of mentions was counted than in the undisturbed run.
    miscounted: list[str]
    happened: list[str]

    @property
    def equal(self) -> bool:
        """Whether every mention was counted exactly once and nobody can tell the runs apart."""
        return self.comparison.equal and self.accounted == self.mentions and not self.miscounted

    def lines(self) -> list[str]:
        """The summary for people."""
        found = [f"{self.mentions} mentions, {sum(self.kinds.values())} faults in {self.seconds:.0f} s"]
        found += [f"  {count:3d} x {kind}" for kind, count in sorted(self.kinds.items())]
        found.append("workers ended: " + (", ".join(f"{count} x {code}" for code, count in sorted(self.exits.items())) or "none"))
        found.append(
            f"{self.accounted} of {self.mentions} mentions are enriched or rejected; {len(self.miscounted)} brands were miscounted"
        )
        return found + self.comparison.lines() + [f"verdict: {'nobody can see the faults' if self.equal else 'THE FAULTS SHOW'}"]


def run_faults(
    cluster: Cluster, folder: Path, raw: Sequence[Output], mentions: int, watchlist: Path, plan: Plan,
    say: Callable[[str], None] = lambda line: None,
) -> Report:  # fmt: skip
    """Play the raw log (see `streams.sources.plan`) twice, undisturbed and with faults, and compare what came out.

    ``folder`` takes the workers' logs. Raises `TimeoutError` where the workers do not get to the end of the log.
    """
    calm, calm_digests = _play(cluster, folder, raw, watchlist, plan, "calm", None, say)
    began = time.monotonic()
    storm = _Storm(cluster, plan, say)
    rough, rough_digests = _play(cluster, folder, raw, watchlist, plan, "rough", storm, say)
    brands = calm_digests.keys() | rough_digests.keys()
    return Report(
        mentions, storm.kinds, storm.exits, time.monotonic() - began, compare(calm, rough),
        len(rough["mentions.enriched"].sources | rough["mentions.rejected"].sources),
        sorted(brand for brand in brands if calm_digests.get(brand) != rough_digests.get(brand)),
        storm.happened,
    )  # fmt: skip


def _play(
    cluster: Cluster, folder: Path, raw: Sequence[Output], watchlist: Path, plan: Plan, run: str, storm: _Storm | None,
    say: Callable[[str], None],
) -> tuple[dict[str, Outputs], dict[str, int]]:  # fmt: skip
    prepare_topics(cluster.bootstrap, run)
    with ExitStack() as stack:
        crew = stack.enter_context(Crew(cluster.bootstrap, run, folder, watchlist, plan.session_seconds))
        for _ in range(plan.workers if storm else 1):
            crew.join()
        crew.wait_ready(plan.start_seconds)
        least, most = plan.pause_seconds
        # A storm needs the replay to last as long as it does: its mean length decides the pace.
        seconds = plan.faults * ((least + most) / 2 + plan.session_seconds / 2) if storm else 0.0
        publisher = stack.enter_context(Publisher(cluster.bootstrap, run, raw, seconds))
        if storm is not None:
            storm.rage(crew)
        publisher.wait(plan.settle_seconds + seconds)
        say(f"{run}: everything is published")
        wait_until_read(cluster.bootstrap, run, plan.settle_seconds, crew.tend)
        if storm is not None:
            storm.exits = dict(crew.exits)
    found = read_outputs(cluster.bootstrap, run)
    say(f"{run}: " + ", ".join(f"{len(records)} of {topic}" for topic, records in found.items()))
    return found, read_digests(cluster.bootstrap, run)


class _Storm:
    """Draws faults from a seed and does them one after the other."""

    def __init__(self, cluster: Cluster, plan: Plan, say: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._plan = plan
        self._say = say
        self._random = Random(plan.seed)
        self.kinds: dict[str, int] = {}
        self.exits: dict[str, int] = {}
        self.happened: list[str] = []

    def rage(self, crew: Crew) -> None:
        """Do all faults; between them the crew is kept at its least size."""
        order = list(self._plan.kinds)
        self._random.shuffle(order)
        for number in range(self._plan.faults):
            self._rest(crew, self._random.uniform(*self._plan.pause_seconds))
            if number < len(order):
                kind = order[number]
            else:
                kind = self._random.choices(list(self._plan.kinds), list(self._plan.kinds.values()))[0]
            if kind == "a worker joins" and len(crew.alive) >= self._plan.most_workers:
                kind = "a worker leaves"
            elif kind == "a worker leaves" and len(crew.alive) < 2:
                kind = "a worker joins"
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            self.happened.append(kind)
            self._say(f"fault {number + 1}/{self._plan.faults}: {kind}")
            self._do(kind, crew)

    def _rest(self, crew: Crew, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            crew.tend()
            time.sleep(0.1)

    def _victim(self, crew: Crew) -> Worker:
        """One of the workers that run, those that are ready first."""
        return self._random.choice([worker for worker in crew.alive if worker.ready] or crew.alive or [crew.join()])

    def _do(self, kind: str, crew: Crew) -> None:
        broker = self._cluster.brokers[0]
        if kind == "kill a worker":
            self._victim(crew).signal(signal.SIGKILL)
        elif kind in ("stop a worker", "a worker leaves"):
            victim = self._victim(crew)
            victim.leaving = kind == "a worker leaves"
            victim.signal(signal.SIGTERM)
        elif kind == "freeze a worker past its session":
            victim = self._victim(crew)
            victim.signal(signal.SIGSTOP)
            threading.Timer(self._plan.session_seconds * self._random.uniform(1.2, 2.0), victim.signal, (signal.SIGCONT,)).start()
        elif kind == "a worker joins":
            crew.join()
        elif kind in ("restart the broker", "kill the broker"):
            self._cluster.restart(hard=kind == "kill the broker")
        elif kind == "freeze the broker":
            broker.signal(signal.SIGSTOP)
            time.sleep(self._random.uniform(2.0, self._plan.session_seconds * 1.5))
            broker.signal(signal.SIGCONT)
        else:
            self._victim(crew).signal(SLOW_CHANGELOG if kind == "slow changelog acknowledgements" else FULL_BUFFER)
