"""``/metrics``, ``/ping`` and ``/ready`` over a small server on the event loop; loopback unless the settings say otherwise."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

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
        meter.put("veille_ready", float(ready()))
        return Response(meter.exposition(), media_type=CONTENT_TYPE_LATEST)

    async def ping(request: Request) -> Response:
        return PlainTextResponse("pong\n")

    async def is_ready(request: Request) -> Response:
        return PlainTextResponse("ready\n") if ready() else PlainTextResponse("not ready\n", status_code=503)

    return Starlette(routes=[Route("/metrics", metrics), Route("/ping", ping), Route("/ready", is_ready)])


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the worker owns SIGTERM and SIGINT."""

    def capture_signals(self):  # type: ignore[no-untyped-def]
        """Leave the signals alone."""
        from contextlib import nullcontext

        return nullcontext()


@asynccontextmanager
async def serving(meter: PrometheusMeter, ready: Callable[[], bool], host: str, port: int) -> AsyncIterator[int]:
    """Serve while the context lasts; yields the port (useful with 0). Raises `BadInput` where the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise BadInput(f"cannot listen on {host}:{port} ({error.strerror}); set VEILLE_HTTP__PORT (0 picks a free one)") from None
    config = uvicorn.Config(application(meter, ready), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
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
