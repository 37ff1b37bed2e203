"""What lies inside and what is public: the address of a URL is looked up once, checked, and pinned for the attempt.

The one guard of whatever connects to where somebody else's words point: messages, feeds, captured pages. Who asks calls `pin` for each
URL, a redirect's too, and connects to `Target.url` with `Target.host` as the Host header and `Target.server_name` for TLS.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

#: (host, port) -> addresses as text.
Resolve = Callable[[str, int], Awaitable[list[str]]]


#: Where IPv6's public addresses lie (RFC 4291: what is outside was local once, or is embedded or local IPv4), and what in it is none.
_UNICAST = ipaddress.IPv6Network("2000::/3")
_PRIVATE_6 = (ipaddress.IPv6Network("3fff::/20"),)
_PRIVATE_4 = ipaddress.IPv4Network("192.0.0.0/24")
#: The well-known prefix that reaches IPv4 hosts through a translator (RFC 6052).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Refused(Exception):
    """The target may not be connected to; no repeat helps. The message names no secret and no path."""


class Target(NamedTuple):
    """``url`` speaks to the pinned ``address``; ``host`` goes into the Host header and, for TLS, into SNI."""

    url: str
    host: str
    server_name: str
    address: str
    port: int


#: Schemes of targets, and their ports.
WEB_PORTS = {"http": 80, "https": 443}
MAIL_PORTS = {"smtp": 25, "smtps": 465}


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of ``host``, as the system's resolver orders them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Say whether ``address`` belongs to the public internet (no private, loopback, link-local, shared or mapped one).

    >>> is_public("127.0.0.1"), is_public("::ffff:10.0.0.1"), is_public("64:ff9b::7f00:1"), is_public("1.1.1.1")
    (False, False, False, True)
    >>> is_public("::127.0.0.1"), is_public("64:ff9b:1::7f00:1"), is_public("fec0::1"), is_public("2606:4700::1111")
    (False, False, False, True)
    """
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            ip = inner
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in _UNICAST or any(ip in network for network in _PRIVATE_6)):
        return False
    return ip.is_global and not ip.is_multicast and ip not in _PRIVATE_4


def no_target(url: str, ports: Mapping[str, int] = WEB_PORTS) -> str:
    """Return why nothing can be sent to ``url``, or "". No word of the URL: it may hold a secret.

    >>> no_target("https://example.org/x"), no_target("https://[::1"), no_target("https://a..b/")
    ('', 'the URL is none', 'the name of the host is none')
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the URL is none"
    if parts.scheme not in ports or not parts.hostname:
        return f"only {' and '.join(ports)} targets"
    if parts.username or parts.password:
        return "no credentials in a target's URL"
    try:
        parts.hostname.encode("idna")
    except UnicodeError:
        return "the name of the host is none"
    try:
        return "" if parts.port != 0 else "the target's port is no port"
    except ValueError:
        return "the target's port is no port"


async def pin(url: str, *, allow_private: bool, lookup: Resolve = resolve, ports: Mapping[str, int] = WEB_PORTS) -> Target:
    """Return the pinned target of ``url``. Raises `Refused` for another scheme, credentials or a private address.

    Every address of the name must be public: one private among them would let a name that changes slip through.
    """
    if why := no_target(url, ports):
        raise Refused(why)
    parts = urlsplit(url)
    assert parts.hostname is not None
    name = parts.hostname.encode("idna").decode()
    port = parts.port or ports[parts.scheme]
    addresses = await lookup(name, port)
    if not addresses:
        raise OSError("the target's name has no address")
    if not allow_private and not all(is_public(address) for address in addresses):
        raise Refused("the target lies in a private address range")
    address = addresses[0]
    shown = f"[{address}]" if ":" in address else address
    path = parts.path or "/"
    query = f"?{parts.query}" if parts.query else ""
    host = f"[{name}]" if ":" in name else name
    named = f"{host}:{parts.port}" if parts.port else host
    return Target(f"{parts.scheme}://{shown}:{port}{path}{query}", named, name, address, port)
