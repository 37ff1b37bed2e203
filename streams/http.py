"""A small HTTP server on the event loop, and ``/metrics``, ``/ping`` and ``/ready`` of a worker or a collector on it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from streams.errors import BadInput
from streams.metrics import PrometheusMeter


def application(meter: PrometheusMeter, ready: Callable[[], bool]) -> Starlette:
    """Return the three pages. ``ready`` says whether recovery is over and input and output are connected."""

    async def metrics(request: Request) -> Response:
        if meter.shows("veille_ready"):
            meter.put("veille_ready", float(ready()))
        return Response(meter.exposition(), media_type=CONTENT_TYPE_LATEST)

    async def ping(request: Request) -> Response:
        return PlainTextResponse("pong\n")

    async def is_ready(request: Request) -> Response:
        return PlainTextResponse("ready\n") if ready() else PlainTextResponse("not ready\n", status_code=503)

    return Starlette(routes=[Route("/metrics", metrics), Route("/ping", ping), Route("/ready", is_ready)])


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the worker owns SIGTERM and SIGINT."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


@asynccontextmanager
async def serve(host: str, port: int, setting: str, app: Starlette) -> AsyncIterator[int]:
    """Serve ``app`` while the context lasts; yields the port (useful with port 0).

    Raises `BadInput` where the address is taken, and names the ``setting`` that holds the port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise BadInput(f"cannot listen on {host}:{port} ({error.strerror}); set {setting} (0 picks a free one)") from None
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        yield int(listening.getsockname()[1])
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        listening.close()
