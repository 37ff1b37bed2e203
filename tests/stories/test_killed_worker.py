"""A worker is killed in the middle of three days, and nobody who reads the crises can tell."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from streams.backtest.run import backtest
from streams.clock import wall_ms
from streams.enrich.watchlist import load_watchlist
from streams.simulate import simulate
from streams.sources.plan import plan
from streams.sources.replay import Progress
from tests.stories.road import finished, once, read_all, send, story_settings, worker

SEED = 11


async def test_killed_worker_changes_no_crisis(embedded_broker: str, tmp_path: Path) -> None:
    """Crisis events after `kill -9` and a restart equal, byte for byte, those of a backtest of the same mentions."""
    made = simulate(SEED)
    watchlist = tmp_path / "watchlist.yaml"
    watchlist.write_text(made.watchlist_yaml(), "utf-8")
    settings = story_settings(embedded_broker, "killed", session_timeout_seconds=6.0)
    raw = list(plan(made.rows(), settings.partitions))
    backtested = backtest(iter(raw), load_watchlist(watchlist), settings, timestamp_ms=wall_ms())
    expected = sorted(((r.key, tuple(r.headers), r.value) for _, r in backtested), key=lambda item: item[0] or b"")
    assert expected, "the simulation opens no crisis: nothing would be compared"

    half = asyncio.Event()

    def watch(progress: Progress) -> None:
        if progress.mentions >= len(made.mentions) // 2:
            half.set()

    with worker(settings, watchlist, tmp_path / "first.log") as first:
        sending = asyncio.create_task(send(settings, raw, watch))
        await asyncio.wait({asyncio.create_task(half.wait()), sending}, return_when=asyncio.FIRST_COMPLETED)
        first.send_signal(signal.SIGKILL)
        first.wait()
    with worker(settings, watchlist, tmp_path / "second.log") as second:
        await sending
        end_ms = max(ms for ms, _ in made.mentions) + 48 * 3_600_000
        await finished(settings, end_ms, second)
        second.terminate()
        assert second.wait() == 0
    found = [event for event in once(await read_all(settings, "crisis.events")) if event[0] is not None]
    assert [dict(headers)["ce_id"] for _, headers, _ in found] == [dict(headers)["ce_id"] for _, headers, _ in expected]
    for have, want in zip(found, expected, strict=True):
        assert have == want
