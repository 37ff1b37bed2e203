"""Where a message may go: the target's address is looked up once, checked, and pinned for the attempt."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

#: (host, port) -> addresses as text.
Resolve = Callable[[str, int], Awaitable[list[str]]]


#: The well-known prefix that reaches IPv4 hosts through a translator (RFC 6052).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Refused(Exception):
    """The target may not be posted to; no repeat helps. The message names no secret and no path."""


class Target(NamedTuple):
    """``url`` speaks to the pinned ``address``; ``host`` goes into the Host header and, for TLS, into SNI."""

    url: str
    host: str
    server_name: str
    address: str
    port: int


#: Schemes of targets, and their ports.
_PORTS = {"http": 80, "https": 443}
MAIL_PORTS = {"smtp": 25, "smtps": 465}


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of ``host``, as the system's resolver orders them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Say whether ``address`` belongs to the public internet (no private, loopback, link-local, shared or mapped one).

    >>> is_public("127.0.0.1"), is_public("::ffff:10.0.0.1"), is_public("64:ff9b::7f00:1"), is_public("1.1.1.1")
    (False, False, False, True)
    """
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast


async def pin(url: str, *, allow_private: bool, lookup: Resolve = resolve, ports: Mapping[str, int] = _PORTS) -> Target:
    """Return the pinned target of ``url``. Raises `Refused` for another scheme, credentials or a private address.

    Every address of the name must be public: one private among them would let a name that changes slip through.
    """
    parts = urlsplit(url)
    if parts.scheme not in ports or not parts.hostname:
        raise Refused(f"only {' and '.join(ports)} targets")
    if parts.username or parts.password:
        raise Refused("no credentials in a target's URL")
    try:
        port = parts.port or ports[parts.scheme]
    except ValueError:
        raise Refused("the target's port is no port") from None
    addresses = await lookup(parts.hostname, port)
    if not addresses:
        raise OSError("the target's name has no address")
    if not allow_private and not all(is_public(address) for address in addresses):
        raise Refused("the target lies in a private address range")
    address = addresses[0]
    shown = f"[{address}]" if ":" in address else address
    path = parts.path or "/"
    query = f"?{parts.query}" if parts.query else ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    named = f"{host}:{parts.port}" if parts.port else host
    return Target(f"{parts.scheme}://{shown}:{port}{path}{query}", named, parts.hostname, address, port)
