"""Four live sources at once: a feed item, a toot, a skeet and a posted mention all end in mentions.enriched, and a dead source says so."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response

from schemas.cloudevents import type_of
from schemas.topics import load_topics
from streams.cli.demo import environment
from streams.clock import rfc3339, wall_ms
from streams.engine.embedded import EmbeddedBroker
from streams.engine.topics import partition_counts
from streams.settings import Settings
from tests.sources.live import test_bluesky, test_feeds, test_mastodon
from tests.sources.live.desk import site
from tests.stories.road import read_all, story_settings, worker

WATCHLIST = "brands:\n  - {id: acme, names: [Acme]}\n"


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def collect(settings: Settings, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`veille collect` in a process of its own; its log goes to collect.log."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("VEILLE_")}
    given = environment(settings, folder / "brands.yaml") | {"VEILLE_RUN": settings.run, "HOOK": "sesame"}
    with (folder / "collect.log").open("ab") as log:
        words = [sys.executable, "-m", "streams.cli.main", "collect", "sources.yaml", "--port", "0"]
        process = subprocess.Popen(words, cwd=folder, env=known | given, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def enriched(settings: Settings, networks: set[str], process: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    """Return the enriched mentions, once there is one of each network."""
    while process.poll() is None:
        records = await read_all(settings, "mentions.enriched")
        found = [json.loads(one.value) for one in records if type_of(one.headers) == b"veille.enriched"]
        if {one["network"] for one in found} >= networks:
            return found
        await asyncio.sleep(0.2)
    raise AssertionError("veille collect ended by itself")


async def clocks(settings: Settings) -> dict[str, int]:
    """Return how far the clock of each source is."""
    told: dict[str, int] = {}
    for record in await read_all(settings, "mentions.raw"):
        if type_of(record.headers) == b"veille.clock":
            found = json.loads(record.value)
            told[found["source_id"]] = max(told.get(found["source_id"], 0), found["time_ms"])
    return told


def toot(number: int) -> dict[str, Any]:
    """Return a status that was written just now."""
    written = wall_ms() - 1000 * number
    address = {"id": str(written << 16), "uri": f"https://m.example/s/{number}", "url": f"https://m.example/s/{number}"}
    return {**test_mastodon.status(), **address, "created_at": rfc3339(written)}


def skeet(number: int) -> dict[str, Any]:
    """Return a post that was written just now."""
    told = test_bluesky.event(0)
    record = {**told["commit"]["record"], "createdAt": rfc3339(wall_ms())}
    told["commit"] = {**told["commit"], "rkey": f"s{number}", "record": record}
    return {**told, "time_us": wall_ms() * 1000}


def news(*numbers: int) -> str:
    """Return a feed with items of now."""
    item = "<item><title>Acme loses bags</title><guid>https://n.example/{}</guid><pubDate>{}</pubDate></item>"
    return test_feeds.rss(*(item.format(one, formatdate(wall_ms() / 1000)) for one in numbers))


class Town:
    """What the four sources watch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paper = test_feeds.Paper(rss=news(1))
        self.instance = test_mastodon.Instance(acme=[toot(1)])
        self.jetstream = test_bluesky.Jetstream(skeet(1), {**skeet(9), "commit": test_bluesky.event(0, "Nothing")["commit"]})
        self.hook = free_port()

    def __call__(self, request: Request) -> Response:
        """Answer as the paper, or as the instance."""
        return self.paper(request) if request.url.path == "/rss" else self.instance(request)

    def write(self, web: str, stream: str) -> None:
        """Write watchlist and sources; one of the sources is dead."""
        (self.folder / "brands.yaml").write_text(WATCHLIST)
        mine = "interval: 10, allow_private: true"
        (self.folder / "sources.yaml").write_text(
            f"""sources:
  - {{name: hook, kind: webhook, port: {self.hook}, token: $HOOK}}
  - {{name: news, kind: feeds, urls: ["{web}/rss"], {mine}}}
  - {{name: dead, kind: feeds, urls: ["http://127.0.0.1:{free_port()}/rss"], {mine}}}
  - {{name: toots, kind: mastodon, instance: "{web}", tags: [acme], {mine}}}
  - {{name: sky, kind: bluesky, url: "{stream}", allow_private: true}}
"""
        )

    async def post(self, number: int) -> None:
        """Post a mention to the webhook, as soon as it listens."""
        mention = {"id": f"w{number}", "network": "x", "text": "Acme lost my bag", "published_at": rfc3339(wall_ms())}
        async with httpx.AsyncClient(headers={"authorization": "Bearer sesame"}) as client:
            while True:
                try:
                    answer = await client.post(f"http://127.0.0.1:{self.hook}/mentions", json=mention, timeout=60)
                except httpx.ConnectError:
                    await asyncio.sleep(0.1)
                    continue
                assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "refused": []})
                return


async def test_four_sources_end_in_enriched(tmp_path: Path) -> None:
    """Each is heard and enriched once, over a stop and a start; the dead one has no clock, says so once, and stops nobody."""
    networks = {"x", "press", "mastodon", "bluesky"}
    town = Town(tmp_path)
    async with AsyncExitStack() as stack:
        settings = story_settings(stack.enter_context(EmbeddedBroker()).bootstrap, "live")
        await partition_counts(settings, list(load_topics()))
        town.write(await stack.enter_async_context(site(town)), await stack.enter_async_context(test_bluesky.server(town.jetstream)))
        stack.enter_context(worker(settings, tmp_path / "brands.yaml", tmp_path / "worker.log"))
        with collect(settings, tmp_path) as running:
            await town.post(1)
            first = await enriched(settings, networks, running)
            while set(told := await clocks(settings)) != {"hook", "news", "toots", "sky"}:
                await asyncio.sleep(0.2)
            running.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(running.wait) == 0
        assert {one["network"]: one["source"] for one in first} == {"x": "hook", "press": "news", "mastodon": "toots", "bluesky": "sky"}
        assert max(told.values()) <= wall_ms()
        town.paper.documents["rss"] = news(2, 1)
        town.instance.tags["acme"].append(toot(0))
        town.jetstream.events.append(skeet(2))
        with collect(settings, tmp_path) as running:
            await town.post(2)
            while len(second := await enriched(settings, networks, running)) < 8:
                await asyncio.sleep(0.2)
            running.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(running.wait) == 130
    ids = [(one["network"], one["id"]) for one in second]
    assert len(ids) == len(set(ids)) == 8
    log = (tmp_path / "collect.log").read_text()
    assert log.count("no answer") == 2  # once in each process
    assert "sesame" not in log
    assert "Traceback" not in log


def test_the_file_is_checked_without_a_broker(tmp_path: Path) -> None:
    """`--check` says what there is; a mistake ends with 4, its line and its mend."""
    folder = tmp_path / "sources.yaml"
    folder.write_text("sources:\n  - {name: sky, kind: bluesky}\n")
    words = [sys.executable, "-m", "streams.cli.main", "collect", str(folder), "--check"]
    good = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stdout) == (0, f"{folder}: 1 source: sky\n")
    folder.write_text("sources:\n  - {name: sky, kind: bluesky, urls: [x]}\n")
    bad = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (bad.returncode, bad.stdout) == (4, "")
    assert "line 2: unknown key 'urls'; the nearest known key is 'url'" in bad.stderr
