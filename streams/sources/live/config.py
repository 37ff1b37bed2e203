"""The sources file: what `veille collect` watches, checked with line numbers; secrets come from elsewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from streams.errors import BadInput
from streams.handwritten import Node, Nodes, text_of
from streams.inside import no_target
from streams.sources.live.signed import Door

_NAME: Final = re.compile(r"[a-z0-9_-]{1,64}")
_NETWORK: Final = re.compile(r"[a-z0-9_-]{1,64}")
#: What the worker's own clock is called, and a replay's.
_TAKEN: Final = frozenset(["replay"])
_WS_PORTS: Final = {"ws": 80, "wss": 443}
#: A poll source says at each poll how far it is; a longer silence than 300 s counts as one (VEILLE_ENRICH__SOURCE_SILENT_SECONDS).
MOST_INTERVAL: Final = 240
_COMMON: Final = ("name", "kind")
_LOOK_UP = Callable[[str], str | None]


@dataclass(frozen=True)
class Webhook:
    """An HTTP endpoint. ``network`` is for mentions that name none."""

    name: str
    host: str = "127.0.0.1"
    port: int = 9467
    network: str = ""
    door: Door = field(default_factory=Door, repr=False)


@dataclass(frozen=True)
class Feeds:
    """RSS and Atom documents, asked for every ``interval`` seconds."""

    name: str
    urls: tuple[str, ...]
    network: str = "press"
    interval: float = 120.0
    allow_private: bool = False


@dataclass(frozen=True)
class Mastodon:
    """Hashtags on one instance."""

    name: str
    instance: str
    tags: tuple[str, ...] = ()
    interval: float = 60.0
    token: str = field(default="", repr=False)
    allow_private: bool = False


@dataclass(frozen=True)
class Bluesky:
    """The posts of a Jetstream that may name a watched brand."""

    name: str
    url: str = "wss://jetstream2.us-east.bsky.network/subscribe"
    allow_private: bool = False


Source = Webhook | Feeds | Mastodon | Bluesky
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "webhook": ("host", "port", "network", "token", "secret"),
    "feeds": ("urls", "network", "interval", "allow_private"),
    "mastodon": ("instance", "tags", "interval", "token", "allow_private"),
    "bluesky": ("url", "allow_private"),
}


class _Reader(Nodes):
    """Reads the nodes of a sources file."""

    def __init__(self, name: str, look_up: _LOOK_UP, folder: Path) -> None:
        super().__init__(name)
        self._look_up = look_up
        self._folder = folder

    def source(self, node: Node) -> Source:
        known = tuple(dict.fromkeys(key for keys in _KEYS.values() for key in keys))
        given = self.mapping(node, (*_COMMON, *known))
        for needed in _COMMON:
            if needed not in given:
                raise self.fail(node, f"this source has no {needed!r}")
        kind = self.text(given["kind"])
        if kind not in _KEYS:
            raise self.fail(given["kind"], f"there is no such kind; one of {', '.join(_KEYS)}")
        keys = self.mapping(node, (*_COMMON, *_KEYS[kind]))
        name = self.text(keys["name"])
        if not _NAME.fullmatch(name) or name in _TAKEN:
            raise self.fail(keys["name"], "a name is made of a-z, 0-9, _ and -, at most 64, and is not 'replay'")
        fields: dict[str, Any] = {"name": name}
        if "allow_private" in keys:
            fields["allow_private"] = self.truth(keys["allow_private"])
        if "interval" in keys:
            fields["interval"] = self.number(keys["interval"], 10, MOST_INTERVAL)
        if "network" in keys:
            fields["network"] = self.text(keys["network"])
            if not _NETWORK.fullmatch(fields["network"]):
                raise self.fail(keys["network"], "a network is made of a-z, 0-9, _ and -")
        make = {"webhook": self.webhook, "feeds": self.feeds, "mastodon": self.mastodon, "bluesky": self.bluesky}[kind]
        return make(node, keys, fields)

    def webhook(self, node: Node, keys: Mapping[str, Node], fields: dict[str, Any]) -> Source:
        if "host" in keys:
            fields["host"] = self.text(keys["host"])
        if "port" in keys:
            fields["port"] = int(self.number(keys["port"], 0, 65535))
        if "token" in keys and "secret" in keys:
            raise self.fail(keys["secret"], "give a token or a secret, not both: each alone lets a sender in")
        if "token" in keys:
            fields["door"] = Door(token=self.secret(keys["token"]))
        if "secret" in keys:
            try:
                fields["door"] = Door(secrets=self.secret(keys["secret"]))
            except BadInput as error:
                raise self.fail(keys["secret"], str(error)) from None
        found = Webhook(**fields)
        if found.door.open and found.host not in ("127.0.0.1", "::1", "localhost"):
            raise self.fail(node, "a webhook that listens beyond this machine needs a token or a secret")
        return found

    def feeds(self, node: Node, keys: Mapping[str, Node], fields: dict[str, Any]) -> Source:
        if "urls" not in keys:
            raise self.fail(node, "this source has no 'urls'")
        urls = self.texts(keys["urls"])
        if not urls or len(set(urls)) < len(urls):
            raise self.fail(keys["urls"], "urls are one or several, each once")
        for url, item in zip(urls, keys["urls"].value, strict=True):
            if why := no_target(url):
                raise self.fail(item, f"this URL cannot be used: {why}")
        return Feeds(urls=urls, **fields)

    def mastodon(self, node: Node, keys: Mapping[str, Node], fields: dict[str, Any]) -> Source:
        for needed in ("instance", "tags"):
            if needed not in keys:
                raise self.fail(node, f"this source has no {needed!r}")
        instance = self.text(keys["instance"]).rstrip("/")
        if why := no_target(instance):
            raise self.fail(keys["instance"], f"this URL cannot be used: {why}; an example is https://mastodon.social")
        tags = tuple(tag.lstrip("#").lower() for tag in self.texts(keys["tags"]))
        if not tags or len(set(tags)) < len(tags) or not all(re.fullmatch(r"\w{1,100}", tag) for tag in tags):
            raise self.fail(keys["tags"], "tags are one or several words, each once, without #")
        if "token" in keys:
            fields["token"] = self.secret(keys["token"])
        return Mastodon(instance=instance, tags=tags, **fields)

    def bluesky(self, node: Node, keys: Mapping[str, Node], fields: dict[str, Any]) -> Source:
        if "url" in keys:
            fields["url"] = self.text(keys["url"])
            if (why := no_target(fields["url"], _WS_PORTS)) or "?" in fields["url"]:
                raise self.fail(keys["url"], f"this URL cannot be used: {why or 'what is asked for is added to it'}")
        return Bluesky(**fields)

    def truth(self, node: Node) -> bool:
        word = self.text(node).lower()
        if word not in ("true", "false"):
            raise self.fail(node, "true or false is expected here")
        return word == "true"

    def secret(self, node: Node) -> str:
        """Return what ``$NAME`` of the environment or ``file:PATH`` holds. A secret itself in the file is refused."""
        word = self.text(node)
        if word.startswith("$"):
            found = self._look_up(word[1:])
            if not found:
                raise self.fail(node, f"{word} is not set")
        elif word.startswith("file:"):
            try:
                found = (self._folder / word.removeprefix("file:")).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise self.fail(node, "the file of this secret cannot be read") from None
            if not found:
                raise self.fail(node, "the file of this secret is empty")
        else:
            raise self.fail(node, "a secret does not stand in this file: write $NAME (environment) or file:PATH")
        if not found.isascii() or not found.isprintable():
            raise self.fail(node, "this secret holds other than printable ASCII")
        return found


def parse_sources(text: str, name: str, look_up: _LOOK_UP = os.environ.get, folder: Path = Path()) -> tuple[Source, ...]:
    """Read the YAML of a sources file; ``name`` is what complaints call it. Raises `BadInput` with line and mend."""
    reader = _Reader(name, look_up, folder)
    root = reader.root(text)
    if root is None:
        raise BadInput(f"{name}: the file is empty; it needs 'sources:'")
    keys = reader.mapping(root, ("sources",))
    if "sources" not in keys or not isinstance(keys["sources"], yaml.nodes.SequenceNode) or not keys["sources"].value:
        raise reader.fail(root, "'sources' is a list with one source or several")
    found: list[Source] = []
    for node in keys["sources"].value:
        source = reader.source(node)
        if source.name in {one.name for one in found}:
            raise reader.fail(node, f"source {source.name!r} comes twice")
        found.append(source)
    return tuple(found)


def load_sources(path: Path, look_up: _LOOK_UP = os.environ.get) -> tuple[Source, ...]:
    """Read a sources file (UTF-8 YAML). Raises `BadInput` for one that cannot be used."""
    return parse_sources(text_of(path, f"sources {path}"), str(path), look_up, path.parent)
