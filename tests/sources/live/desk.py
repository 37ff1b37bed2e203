"""What a source needs for a test: an outlet that keeps what it got, a state folder, a clock of its own, and servers on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.engine.stage import Output
from streams.http import serve
from streams.metrics import PrometheusMeter
from streams.sources.live.places import Place
from streams.sources.live.post import Post

NOW = 1_790_000_000_000  # 2026-09-21T14:13:20Z


class Kept:
    """An outlet that keeps what it got. While ``open`` is not set, the broker is away."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        #: How often something was handed over.
        self.tried = 0
        self.open = asyncio.Event()
        self.open.set()

    @property
    def away(self) -> bool:
        """Whether the broker does not answer."""
        return not self.open.is_set()

    async def publish(self, outputs: Sequence[Output]) -> None:
        """Keep ``outputs``, once the broker is there."""
        self.tried += 1
        await self.open.wait()
        self.outputs += outputs

    @property
    def mentions(self) -> list[dict[str, Any]]:
        """The mentions among what was kept."""
        return [json.loads(one.value or b"") for one in self.outputs if one.key is not None]

    @property
    def ids(self) -> list[str]:
        """Their ids."""
        return [one["id"] for one in self.mentions]

    def clocks(self, name: str) -> list[int]:
        """Return the times that the clock of source ``name`` told."""
        told = [json.loads(one.value or b"") for one in self.outputs if one.key is None]
        return [one["time_ms"] for one in told if one["source_id"] == name]


class Desk:
    """One source's post, with a wall clock that the test sets."""

    def __init__(self, folder: Path, name: str = "one") -> None:
        self.now = NOW
        self.kept = Kept()
        self.meter = PrometheusMeter()
        self.folder = folder
        self.name = name

    def post(self, of: str = "it") -> Post:
        """Return a post as a new process would have it: the position is that of the folder."""
        return Post(self.name, self.kept, Place(self.folder / f"{self.name}.json", of), self.meter, lambda: self.now)

    def metric(self, name: str) -> float:
        """Return a metric of the source."""
        line = f'{name}{{source="{self.name}"}} '
        return next(float(one.removeprefix(line)) for one in self.meter.exposition().decode().splitlines() if one.startswith(line))


Answer = Callable[[Request], Response | Awaitable[Response]]


@asynccontextmanager
async def site(answer: Answer) -> AsyncIterator[str]:
    """A server on loopback that gives every GET to ``answer``; yields its URL."""

    async def every(request: Request) -> Response:
        found = answer(request)
        return found if isinstance(found, Response) else await found

    async with serve("127.0.0.1", 0, "-", Starlette(routes=[Route("/{path:path}", every)])) as port:
        yield f"http://127.0.0.1:{port}"
