"""``/metrics``, ``/ping`` and ``/ready`` over a small server on the event loop; loopback unless the settings say otherwise."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from streams.errors import BadInput
from streams.metrics import PrometheusMeter
from streams.settings import HttpSettings

_log = structlog.get_logger()


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

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


@asynccontextmanager
async def serve(http: HttpSettings, ready: Callable[[], bool], meter: PrometheusMeter) -> AsyncIterator[int]:
    """Serve while the context lasts; yields the port (useful with port 0). Raises `BadInput` where the address is taken."""
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((http.host, http.port))
    except OSError as error:
        listening.close()
        raise BadInput(f"cannot listen on {http.host}:{http.port} ({error.strerror}); set VEILLE_HTTP__PORT (0 picks a free one)") from None
    config = uvicorn.Config(application(meter, ready), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = _Server(config)
    port = int(listening.getsockname()[1])
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        if http.port == 0:
            _log.info("http", host=http.host, port=port)
        yield port
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        listening.close()
