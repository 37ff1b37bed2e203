"""A brand falls quiet after its crisis opened: the cell is reminded all the same, and only the clock moved."""

from __future__ import annotations

import msgspec

from schemas.cloudevents import header_maker, type_of
from schemas.command import Command
from schemas.crisis import Crisis
from schemas.mention import Clock
from schemas.response import Task
from streams.backtest.run import partition_counts
from streams.clock import ms_of, rfc3339
from streams.engine.memory import MemoryRunner
from streams.engine.stage import InputRecord, Output
from streams.enrich.watchlist import Watchlists, parse_watchlist
from streams.settings import Settings
from streams.topology import build_specs

BEGIN = ms_of("2026-03-02T06:00:00Z")
MINUTE = 60_000


def clocks(settings: Settings, at_ms: int) -> list[Output]:
    """Return a clock record for every raw partition."""
    headers = header_maker("veille.clock")(f"clock-{at_ms}", "clock", rfc3339(at_ms))
    value = msgspec.json.encode(Clock(source_id="clock", time_ms=at_ms))
    return [Output("mentions.raw", None, value, headers, partition) for partition in range(settings.partitions)]


def test_a_quiet_brand_is_reminded_by_the_clock_alone() -> None:
    """Declared at 06:10, nobody writes anything: at 06:20 the first task is late, at 06:30 its deputy has it; crises stay as they were."""
    settings = Settings(_env_file=None, worker_clock=False)
    watchlists = Watchlists()
    watchlists.add(parse_watchlist("brands: [{id: acme, names: [Acme]}]", "test"))
    counts = partition_counts(settings)
    seen: dict[str, list[InputRecord]] = {}
    specs = build_specs(settings, watchlists, counts)
    runner = MemoryRunner(
        specs, counts, timestamp_ms=BEGIN + 86_400_000, tap=lambda topic, _, record: seen.setdefault(topic, []).append(record)
    )

    def pass_to(minute: int) -> None:
        runner.send(clocks(settings, BEGIN + minute * MINUTE))
        runner.drain()

    pass_to(10)
    command = Command(id="c1", command="open", brand="acme", by="ann", at_ms=BEGIN, args={"headline": "Fire in the plant"})
    runner.send([Output("crisis.commands", b"acme", msgspec.json.encode(command), header_maker("veille.command")("c1", "", ""))])
    runner.drain()
    opened = [msgspec.json.decode(r.value or b"", type=Crisis) for r in seen["crisis.events"] if r.key is not None]
    assert [card.phase for card in opened] == ["open"]
    for minute in (15, 21, 25, 31):
        pass_to(minute)
    pause = [(r, msgspec.json.decode(r.value or b"", type=Task)) for r in seen["crisis.tasks"]]
    times = [(task.state, dict(r.headers)["ce_time"].decode()[11:16]) for r, task in pause if task.step == "pause"]
    assert times == [("open", "06:10"), ("late", "06:20"), ("escalated", "06:30")]
    assert len([r for r in seen["crisis.events"] if r.key is not None]) == 1
    marks = [r for r in seen["crisis.events"] if type_of(r.headers) == b"veille.watermark"]
    assert len(marks) <= 5, "a brand's partition hears the time once a minute at most, and others not at all"
