"""A person declares a crisis before anybody writes of it, and the first mention finds its place."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec

from schemas.cloudevents import header_maker, type_of
from schemas.command import Command
from schemas.crisis import Crisis
from schemas.mention import Author, Mention, json_value
from streams.backtest.run import partition_counts
from streams.clock import rfc3339
from streams.detect.stage import DetectPartition
from streams.engine.memory import MemoryRunner
from streams.engine.stage import InputRecord, Output
from streams.enrich.watchlist import Watchlists, parse_watchlist
from streams.settings import Settings
from streams.sources.plan import plan
from streams.topology import build_specs

MINUTE = 60_000
MIDNIGHT = 1_772_409_600_000  # 2 March 2026
WATCHLIST = "brands:\n  - {id: acme, names: [Acme], handles: [acme], owned: [acme], timezone: Europe/Paris, thresholds: {severity: 4}}\n"


def at(hour: int, minute: int) -> int:
    """Return a time of that morning, ms."""
    return MIDNIGHT + (hour * 60 + minute) * MINUTE


def mention(n: int, ms: int, text: str, **more: Any) -> tuple[int, bytes, str]:
    """One mention as it is replayed."""
    author = Author(id=f"a{n}", handle=f"someone{n}", followers=200)
    made = Mention(id=f"m{n}", network="x", text=text, published_at=rfc3339(ms), author=author, source="test", **more)
    return ms, json_value(made), made.id


class Road:
    """All stages in memory, fed piece by piece."""

    def __init__(self) -> None:
        settings = Settings(_env_file=None, worker_clock=False, stages="enrich,detect,commands,crisis")
        watchlists = Watchlists()
        watchlists.add(parse_watchlist(WATCHLIST, "test"))
        counts = partition_counts(settings)
        self.events: list[tuple[str, Crisis]] = []
        self.enriched: dict[int, list[InputRecord]] = defaultdict(list)
        self._partitions = counts["mentions.raw"]
        self._runner = MemoryRunner(build_specs(settings, watchlists, counts), counts, timestamp_ms=at(23, 0), tap=self._tap)

    def _tap(self, topic: str, partition: int, record: InputRecord) -> None:
        if topic == "mentions.enriched":
            self.enriched[partition].append(record)
        if topic == "crisis.events" and type_of(record.headers).startswith(b"veille.crisis."):
            card = msgspec.json.decode(record.value or b"", type=Crisis)
            self.events.append((type_of(record.headers).decode().rpartition(".")[2], card))

    def replay(self, rows: list[tuple[int, bytes, str]], tail_hours: float = 0.0) -> None:
        """Let mentions come, and time pass up to the last of them and ``tail_hours`` more."""
        self._runner.send(plan(rows, self._partitions, tail_hours))
        self._runner.drain()

    def give(self, command: Command) -> None:
        """Let a person decide something."""
        headers = header_maker("veille.command")(command.id, "", "")
        self._runner.send([Output("crisis.commands", command.brand.encode(), msgspec.json.encode(command), headers)])
        self._runner.drain()


def test_declared_at_six_ten_first_mention_at_seven_two() -> None:
    """Declared at 06:10; the first mention of its terms, at 07:02, is attached to the same crisis within a minute."""
    road = Road()
    road.replay([mention(n, at(6, n), "Acme opens at nine") for n in range(10)])
    declare = Command(
        id="c1", command="open", brand="acme", by="ada", role="on_call", at_ms=at(6, 10),
        args={
            "headline": "Fire in the plant at Lens", "terms": ["incendie", "Lens"], "urls": ["https://acme.example/press/7"],
            "kind": "corporate",
        },
    )  # fmt: skip
    road.give(declare)
    assert [name for name, _ in road.events] == ["opened"]
    declared = road.events[0][1]
    assert (declared.timezone, declared.page_severity) == ("Europe/Paris", 4), "as the watchlist says, before the first reading"
    assert (declared.certainty, declared.mentions, declared.kind, declared.opened_at) == ("Observed", 0, "corporate", rfc3339(at(6, 9)))
    road.replay([
        mention(20, at(6, 40), "Acme opens at nine, as ever"),
        mention(21, at(7, 2), "Un incendie chez Acme ?"),
        mention(22, at(7, 3), "nothing new at Acme"),
        mention(23, at(7, 4), "Acme says https://acme.example/press/7"),
        mention(24, at(7, 20), "Acme, quelqu'un de LENS en sait plus ?"),
    ], tail_hours=0.5)  # fmt: skip
    assert {card.crisis_id for _, card in road.events} == {declared.crisis_id}
    first, *_, last = [card for name, card in road.events if name == "updated"]
    assert (first.mentions, first.updated_at, first.phase) == (1, rfc3339(at(7, 3)), "open")
    assert first.originator is not None
    assert first.originator.mention_id == "m21"
    assert first.headline.startswith("Fire in the plant at Lens | ")
    assert last.mentions == 2
    assert last.samples
    assert last.impact[0].audience == "other"


def test_a_declaration_that_comes_twice_counts_once() -> None:
    """The same command under the same id opens one crisis and collects once; the second is refused, on record."""
    road = Road()
    road.replay([mention(n, at(6, n), "Acme opens at nine") for n in range(3)])
    declare = Command(id="c1", command="open", brand="acme", by="ada", at_ms=at(6, 10), args={"headline": "Fire", "terms": ["fire"]})
    road.give(declare)
    road.give(declare)
    road.replay([mention(21, at(7, 2), "Fire at Acme")], tail_hours=0.5)
    assert [name for name, _ in road.events] == ["opened", "refused", "updated"]
    assert road.events[-1][1].mentions == 1


def test_a_worker_that_dies_collects_the_same() -> None:
    """Wherever detect is stopped, saved and started again, the declaration counts once and its signals are the same."""
    road = Road()
    road.replay([mention(n, at(6, n), "Acme opens at nine") for n in range(3)])
    road.give(Command(id="c1", command="open", brand="acme", by="ada", at_ms=at(6, 10), args={"headline": "Fire", "terms": ["fire"]}))
    road.replay([mention(20 + n, at(7, 2 * n), "Fire at Acme" if n % 2 else "Acme opens") for n in range(9)], tail_hours=0.5)
    road.give(Command(id="c2", command="vote", brand="acme", by="ada", at_ms=at(8, 0), args={"label": "yes"}))
    raw_partitions = partition_counts(Settings(_env_file=None))["mentions.raw"]
    (log,) = [log for log in road.enriched.values() if any(type_of(r.headers) == b"veille.command.forwarded" for r in log)]

    def signals(*stops: int) -> dict[bytes, bytes | None]:
        """Run detect over the log, dying three records after each stop; {ce_id: signal}."""
        found: dict[bytes, bytes | None] = {}
        stage, begin = DetectPartition(0, Settings(_env_file=None).detect, raw_partitions), 0
        stage.restore({}, None)
        for stop in (*stops, len(log)):
            outputs = list(stage.process(log[begin:stop]))
            saved = stage.checkpoint(log[stop - 1].offset + 1, full=True)
            outputs += stage.process(log[stop : stop + 3])
            for output in outputs:
                identity = dict(output.headers)["ce_id"]
                assert found.setdefault(identity, output.value) == output.value
            stage = DetectPartition(0, Settings(_env_file=None).detect, raw_partitions)
            stage.restore({record.key: record.value for record in saved.states if record.value is not None}, saved.cut)
            begin = saved.commit - log[0].offset
        return found

    whole = signals()
    assert any(b'"declared"' in (value or b"") for value in whole.values())
    for stop in range(1, len(log), 2):
        assert signals(stop) == whole
