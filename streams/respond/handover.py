"""One message through Apprise, in a process of its own: what Apprise opens by itself is checked here, and what hangs is killed.

Run as ``python -m streams.respond.handover`` by `streams.respond.others`: an `Errand` as JSON on standard input (never in arguments, which
others on the machine can read), an `Ending` as JSON on standard output.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import msgspec

from streams.inside import is_public

PRIVATE = "the target lies in a private address range"


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """What to send where. After ``seconds`` the process ends itself, should nobody be left to kill it."""

    url: str
    title: str
    body: str
    allow_private: bool = False
    seconds: int = 60


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How it went. ``status`` is the last HTTP status that the service answered (0: none); ``refused`` why a connection was not made."""

    ok: bool
    status: int = 0
    refused: str = ""


class Guard:
    """Refuses connections to addresses that are not public, whatever library opens them and wherever a name or a redirect leads.

    An audit hook of the interpreter (PEP 578) sees each address right before the connection is made, so that a name that changes
    between look-up and connection gains nothing. It cannot be removed: hence the process of its own.
    """

    def __init__(self) -> None:
        self.refused = ""

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """Raise OSError for what leads anywhere but to a public address, or to another program."""
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = args[1]
            if address is not None and not _public(address):
                self.refused = PRIVATE
                raise ConnectionRefusedError(PRIVATE)
        elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pty.spawn"):
            self.refused = "it would start another program"
            raise PermissionError(self.refused)


def _public(address: object) -> bool:
    """Say whether a socket address is a public one as it stands: paths of local sockets and names that are yet to be looked up are not.

    >>> _public(("1.1.1.1", 443)), _public(("127.0.0.1", 80)), _public(("localhost", 80)), _public("/run/a.sock"), _public(("0x7f.1", 80))
    (True, False, False, False, False)
    """
    try:
        return isinstance(address, tuple) and is_public(str(address[0]))
    except ValueError:
        return False


def follow_nothing(requests: Any) -> Callable[[], int]:
    """Make ``requests`` follow no redirect, whatever its caller asks for; return what tells the last status."""
    last = [0]
    send = requests.Session.send

    def once(self: Any, request: Any, **options: Any) -> Any:
        response = send(self, request, **{**options, "allow_redirects": False})
        last[0] = int(response.status_code)
        return response

    requests.Session.send = once
    return lambda: last[0]


def service(apprise: Any, url: str) -> Any:
    """Return Apprise's service for ``url``, or None. It sends one message, cut to what the service takes, unless the URL says otherwise."""
    asset = apprise.AppriseAsset(app_id="Veille", async_mode=False, plugin_paths=[], storage_mode=apprise.PersistentStoreMode.MEMORY)
    target = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if target is not None and target.overflow_mode == apprise.OverflowMode.UPSTREAM:
        # Split would make twenty text messages of one brief.
        target.overflow_mode = apprise.OverflowMode.TRUNCATE
    return target


def run(errand: Errand) -> Ending:
    """Send ``errand`` with Apprise, once. Installs the guard for good."""
    apprise, requests = import_module("apprise"), import_module("requests")
    target = service(apprise, errand.url)
    if target is None:
        return Ending(ok=False, refused="Apprise reads no service in the url")
    status, guard = follow_nothing(requests), Guard()
    if not errand.allow_private:
        sys.addaudithook(guard)
    try:
        delivered = bool(target.notify(title=errand.title, body=errand.body, body_format=apprise.NotifyFormat.TEXT))
    except OSError:
        if not guard.refused:
            raise
        delivered = False  # some services of Apprise let the refusal through
    return Ending(ok=delivered and not guard.refused, status=status(), refused=guard.refused)


def main() -> None:
    """Do one errand. Nothing but the ending is said: what Apprise logs may hold secrets."""
    errand = msgspec.json.decode(sys.stdin.buffer.read(), type=Errand)
    signal.alarm(max(1, errand.seconds))
    out = sys.stdout.buffer
    with open(os.devnull, "w", encoding="utf-8") as nothing, contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing):
        ending = run(errand)
    out.write(msgspec.json.encode(ending))
    out.flush()


if __name__ == "__main__":
    main()
