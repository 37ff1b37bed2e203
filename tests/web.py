"""A web server on loopback that answers each path as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple


class Page(NamedTuple):
    """What a path answers. ``endless`` repeats the body for ever; ``stall`` keeps the connection open after it."""

    status: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    endless: bool = False
    stall: bool = False


@contextlib.asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any],
    end: asyncio.Event,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> AsyncIterator[int]:
    """Run ``serve`` for every connection; yield the port; at the end ``end`` is set, and nothing is left running."""
    handlers: set[asyncio.Task[Any] | None] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    running = await asyncio.start_server(handle, host, 0, ssl=tls)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        end.set()
        running.close()
        await asyncio.gather(*(task for task in handlers if task))
        await running.wait_closed()


@contextlib.asynccontextmanager
async def web(pages: Mapping[str, Page], host: str = "127.0.0.1") -> AsyncIterator[tuple[str, list[str]]]:
    """Serve ``pages`` on ``host``; yield the base URL and the paths that were asked for, in order."""
    seen: list[str] = []
    end = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split(" ", 2)[1]
        seen.append(path)
        page = pages.get(path, Page("404 Not Found"))
        headers = {"Connection": "close", **({} if page.endless else {"Content-Length": str(len(page.body))}), **page.headers}
        writer.write("".join([f"HTTP/1.1 {page.status}\r\n", *(f"{k}: {v}\r\n" for k, v in headers.items()), "\r\n"]).encode("latin-1"))
        writer.write(page.body)
        await writer.drain()
        while page.endless and not end.is_set():
            writer.write(page.body)
            await writer.drain()
        if page.stall:
            await end.wait()

    async with listening(serve, end, host=host) as port:
        yield f"http://{host}:{port}", seen
