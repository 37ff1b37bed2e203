"""Reads feeds in a process of its own: a document that a stranger made to be costly ends that process, and nothing else.

`feedparser` takes a minute for four megabytes of markup, and hours for some; a thread would hold up every other source, and could not be
stopped. The child asks the kernel for its own end: once the CPU time of one document is used up it is gone, whatever it does.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping
from typing import IO, Final

import msgspec

from streams.sources.live.entries import Entry, NoFeed, read_feed

#: Seconds of CPU for one document; usual ones take a tenth of one.
CPU_SECONDS: Final = 20.0
#: Memory of the child; four megabytes of usual items take 50 MiB.
MEMORY_BYTES: Final = 256 << 20
_LENGTH: Final = 4


class Document(msgspec.Struct, array_like=True):
    """What is to be read, and how: see `read_feed`."""

    body: bytes
    content_type: str
    url: str
    source: str
    network: str
    now_ms: int
    cpu_seconds: float


class Found(msgspec.Struct, array_like=True):
    """What was found; ``wrong`` says why it is no feed."""

    entries: list[Entry] = []
    wrong: str = ""


_pack = msgspec.msgpack.Encoder().encode
_document = msgspec.msgpack.Decoder(Document).decode
_found = msgspec.msgpack.Decoder(Found).decode


class FeedReader:
    """Keeps a child that reads one document after the other, and starts another where one is gone. Close it with `close`."""

    def __init__(self, cpu_seconds: float = CPU_SECONDS) -> None:
        self._cpu_seconds = cpu_seconds
        self._child: asyncio.subprocess.Process | None = None

    async def read(self, body: bytes, headers: Mapping[str, str], url: str, source: str, network: str, now_ms: int) -> list[Entry]:
        """Return what `read_feed` returns. Raises `NoFeed`."""
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "streams.sources.live.apart",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        child, self._child = self._child, None  # a child that was left in the middle of a document is of no more use
        assert child.stdin is not None
        assert child.stdout is not None
        packed = _pack(Document(body, headers.get("content-type", ""), url, source, network, now_ms, self._cpu_seconds))
        try:
            child.stdin.write(len(packed).to_bytes(_LENGTH, "big") + packed)
            await child.stdin.drain()
            size = int.from_bytes(await child.stdout.readexactly(_LENGTH), "big")
            found = _found(await child.stdout.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            await _end(child)
            raise NoFeed("it takes too long to read, or too much memory") from None
        except BaseException:
            await _end(child)
            raise
        self._child = child
        if found.wrong:
            raise NoFeed(found.wrong)
        return found.entries

    async def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            await _end(child)


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.kill()
    await child.wait()
    if child.stdin is not None:
        child.stdin.close()


def _serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Read documents until nobody asks any more."""
    while head := asked.read(_LENGTH):
        document = _document(asked.read(int.from_bytes(head, "big")))
        # Nobody handles this signal: the kernel ends the process, also in the middle of a regular expression.
        signal.setitimer(signal.ITIMER_PROF, document.cpu_seconds)
        try:
            headers = {"content-type": document.content_type}
            found = Found(read_feed(document.body, headers, document.url, document.source, document.network, document.now_ms))
        except NoFeed as error:
            found = Found(wrong=str(error))
        signal.setitimer(signal.ITIMER_PROF, 0)
        packed = _pack(found)
        answers.write(len(packed).to_bytes(_LENGTH, "big") + packed)
        answers.flush()


def _main() -> None:
    # The terminal's Ctrl-C is for the parent, whose end is the end of the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    _serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    _main()
