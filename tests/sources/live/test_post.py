"""One source's way out: positions that survive, trouble that is said once, and a clock that only goes where all was delivered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from streams.engine.embedded import EmbeddedBroker
from streams.engine.stage import Output
from streams.errors import BadInput
from streams.metrics import PrometheusMeter
from streams.settings import Settings
from streams.sources.live import collect
from streams.sources.live.collect import Collector
from streams.sources.live.config import Webhook
from streams.sources.live.outlet import KafkaOutlet
from streams.sources.live.places import Place, Places
from streams.sources.live.post import FIRST_WAIT, LONGEST_WAIT, Post
from streams.sources.live.trouble import Trouble
from streams.sources.plan import TOPIC, clock_record
from tests.sources.live.desk import NOW, Desk, Kept


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """Loggers are made anew, so that each test sees what is said."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


def test_a_position_survives_and_belongs_to_what_is_followed(tmp_path: Path) -> None:
    """It is read back by the next process; of another instance it is none; a file that is none of ours is named."""
    Place(tmp_path / "a.json", "m.example").save({"tags": {"x": "17"}})
    assert Place(tmp_path / "a.json", "m.example").load() == {"tags": {"x": "17"}}
    assert Place(tmp_path / "a.json", "other.example").load() == {}
    assert Place(tmp_path / "b.json", "m.example").load() == {}
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.json"]
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(BadInput, match="delete it"):
        Place(tmp_path / "a.json", "m.example").load()


def test_a_position_that_cannot_be_saved_is_trouble(tmp_path: Path) -> None:
    """The source says so, and goes on later."""
    with pytest.raises(Trouble, match="cannot be saved"):
        Place(tmp_path / "gone" / "a.json", "x").save({})


def test_two_collectors_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second is told; when the first has ended it may."""
    first = Places(tmp_path / "state")
    with pytest.raises(BadInput, match="another veille collect"):
        Places(tmp_path / "state")
    first.close()
    Places(tmp_path / "state").close()


def test_trouble_is_said_once(tmp_path: Path) -> None:
    """The same trouble again is no news; another is, and so is the end of it. Waits double up to a ceiling, or are as asked."""
    desk = Desk(tmp_path)
    post = desk.post()
    with capture_logs() as logs:
        post.well()
        waits = [post.trouble(Trouble("it answers 500", "wait")) for _ in range(20)]
        asked = post.trouble(Trouble("it answers 429", "wait", after=77))
        assert desk.metric("veille_source_up") == 0
        post.well()
        post.well()
    assert waits[:3] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]
    assert max(waits) == LONGEST_WAIT
    assert asked == 77
    assert [one["event"] for one in logs] == ["source is heard", "it answers 500; wait", "it answers 429; wait", "source is back"]
    assert {one["source"] for one in logs} == {"one"}
    assert desk.metric("veille_source_up") == 1
    assert desk.metric("veille_source_last_success_timestamp_seconds") == NOW / 1000


def test_the_clock_does_not_run_ahead_or_back(tmp_path: Path) -> None:
    """What another side claims of the future is cut to now."""
    post = Desk(tmp_path).post()
    post.reached(NOW + 1)
    assert post.reached_ms == NOW
    post.reached(NOW - 5)
    assert post.reached_ms == NOW


class _Scripted:
    """A source that does what it is told, one word a run."""

    interval = 5.0

    def __init__(self, post: Post, *script: BaseException | None) -> None:
        self.post = post
        self.script = list(script)

    async def run(self) -> None:
        step = self.script.pop(0) if self.script else None
        if step is not None:
            raise step
        self.post.well()
        self.post.reached(self.post.wall())


async def test_no_source_stops_another(tmp_path: Path) -> None:
    """One in trouble, and one that fails by a fault, are tried again; the third goes on, and only its clock moves."""
    kept, now, slept = Kept(), [NOW], asyncio.Event()

    async def sleep(seconds: float) -> None:
        now[0] += 10
        await asyncio.sleep(0)
        if now[0] > NOW + 3000:
            slept.set()
            await asyncio.Event().wait()

    places = Places(tmp_path)
    configs = [Webhook(name, port=0) for name in ("dead", "faulty", "well")]
    collector = Collector(configs, kept, places, PrometheusMeter(), lambda: None, wall=lambda: now[0], sleep=sleep)
    dead = _Scripted(collector.posts["dead"], *[Trouble("it answers 500", "wait")] * 9999)
    faulty = _Scripted(collector.posts["faulty"], *[KeyError("a stranger's text")] * 9999)
    collector.live.update({"dead": dead, "faulty": faulty, "well": _Scripted(collector.posts["well"])})
    with capture_logs() as logs:
        running = asyncio.create_task(collector.run())
        await slept.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    places.close()
    assert len(kept.clocks("well")) > 3
    assert kept.clocks("well") == sorted(set(kept.clocks("well")))
    assert kept.clocks("dead") == kept.clocks("faulty") == []
    assert "a stranger's text" not in str(logs)
    assert len([one for one in logs if one["event"] == "it answers 500; wait"]) == 1


async def test_what_ends_all_ends_all(tmp_path: Path) -> None:
    """A port that is taken is no trouble that goes away: the process says so and ends."""
    places = Places(tmp_path)
    collector = Collector([Webhook("a", port=0), Webhook("b", port=0)], Kept(), places, PrometheusMeter(), lambda: None)
    collector.live["a"] = _Scripted(collector.posts["a"], BadInput("cannot listen"))
    with pytest.raises(BadInput, match="cannot listen"):
        await collector.run()
    places.close()
    assert collect.CLOCK_SECONDS <= 1


async def test_the_outlet_waits_for_the_broker_and_goes_on() -> None:
    """What was published is there; with the broker gone, publishing waits, says so, and can be cancelled."""
    with EmbeddedBroker() as broker:
        settings = Settings(broker=broker.bootstrap)
        from schemas.topics import load_topics
        from streams.engine.topics import partition_counts

        await partition_counts(settings, list(load_topics()))
        async with KafkaOutlet(settings) as outlet:
            await outlet.publish([Output(TOPIC, b"k", b"{}"), clock_record(NOW, "one")])
            assert not outlet.away
            broker.close()
            stuck = asyncio.create_task(outlet.publish([Output(TOPIC, b"k", b"{}")]))
            while not outlet.away:
                await asyncio.sleep(0.05)
            assert not stuck.done()
            stuck.cancel()
            await asyncio.gather(stuck, return_exceptions=True)
            assert stuck.cancelled()
