"""Every other service, through Apprise (an extra: ``pip install 'veille[apprise]'``)."""

from __future__ import annotations

import asyncio
import math
import os
import sys
from importlib import import_module
from pathlib import Path

import msgspec

from schemas.response import Notification
from streams.errors import BadInput
from streams.respond.deliver import GIVE_UP, Attempt
from streams.respond.formats import lines
from streams.respond.handover import Ending, Errand, service
from streams.respond.routes import Route

_ROOT = str(Path(__file__).resolve().parents[2])
#: What the process that sends gets to see of the environment: no proxy that would look names up for it, no password file.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "VIRTUAL_ENV")


class Other:
    """One Apprise target. Raises `BadInput` where Apprise is missing or cannot read the URL.

    Apprise opens its own connections, and a call of it cannot be ended: each message is sent by a process of its own
    (`streams.respond.handover`), which refuses private addresses at the moment of connecting, follows no redirect, and is killed when
    the attempt's time is up.
    """

    def __init__(self, route: Route, *, seconds: float, allow_private: bool = False) -> None:
        try:
            apprise = import_module("apprise")
        except ImportError:
            raise BadInput(f"route {route.name}: the format apprise needs an extra; pip install 'veille[apprise]'") from None
        if service(apprise, route.url) is None:
            raise BadInput(f"route {route.name}: Apprise reads no service in its url; see https://github.com/caronc/apprise/wiki")
        self._route = route
        self._private = route.allow_private or allow_private
        self._seconds = math.ceil(seconds) + 1

    async def send(self, notification: Notification) -> Attempt:
        """Hand one message to the service, once. Whoever cancels this ends the process too."""
        said = [plain(line) for line in lines(notification, self._route.language)]
        errand = Errand(
            url=self._route.url, title=said[0], body="\n".join(said[1:]), allow_private=self._private, seconds=self._seconds
        )  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streams.respond.handover", env=_environment(), stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            answer, _ = await process.communicate(msgspec.json.encode(errand))
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return judged(answer)


def judged(answer: bytes) -> Attempt:
    """Return what became of the message from what the process said.

    >>> judged(b'{"ok":false,"status":302}')
    Attempt(ok=False, reason='http 302', final=True, retry_after=0.0)
    >>> judged(b"").reason
    'apprise: broke off'
    """
    try:
        ending = msgspec.json.decode(answer, type=Ending)
    except msgspec.DecodeError:
        return Attempt(False, "apprise: broke off")
    if ending.refused:
        return Attempt(False, ending.refused, True)
    if ending.ok and not 300 <= ending.status < 400:
        return Attempt(True, "handed over")
    return Attempt(False, f"http {ending.status}" if ending.status >= 300 else "apprise: not delivered", ending.status in GIVE_UP)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return kept | {"PYTHONPATH": _ROOT, "NETRC": os.devnull}


def plain(text: str) -> str:
    """Take from a text what services read as a ping, a link or a format: what Apprise sends as it stands, some of them render.

    >>> plain("@everyone *now* <b> [a](b)")
    '@\u200beveryone ∗now∗ ‹b› ［a］(b)'
    """
    text = text.replace("@", "@\u200b").replace("*", "\u2217").replace("`", "\u2032").replace("<", "‹").replace(">", "›")
    return text.replace("[", "［").replace("]", "］").replace("_", "＿").replace("~", "\u223c").replace("|", "¦")
