"""What publishers send to ``mentions.raw``: mentions and clock records."""

from __future__ import annotations

from typing import Any

import msgspec

#: The longest text that is accepted, in bytes of UTF-8.
MAX_TEXT_BYTES = 64 * 1024
#: The largest record that is accepted, in bytes.
MAX_RECORD_BYTES = 1_000_000
#: Values of ``Mention.kind``.
KINDS = ("post", "reply", "reshare", "quote", "review", "comment", "article")


class Author(msgspec.Struct, gc=False, omit_defaults=True):
    """Who published a mention, as the network shows it."""

    id: str | None = None
    handle: str | None = None
    name: str | None = None
    followers: int | None = None
    following: int | None = None
    posts: int | None = None
    created_at: str | None = None
    verified: bool | None = None
    bio: str | None = None


class Engagement(msgspec.Struct, gc=False, omit_defaults=True):
    """How often others reacted, when the publisher looked."""

    replies: int | None = None
    reshares: int | None = None
    quotes: int | None = None
    likes: int | None = None
    views: int | None = None


class Media(msgspec.Struct, gc=False, omit_defaults=True):
    """A picture, film or sound that goes with a mention."""

    url: str
    type: str | None = None
    alt: str | None = None


class Mention(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """One public text that may name a brand. Unknown fields pass.

    ``published_at`` is RFC 3339. ``root_id`` is the first post of the cascade, ``parent_id`` the post
    that this one answers, quotes or shares. ``source`` names the publisher's feed.
    """

    id: str
    network: str
    text: str
    published_at: str
    author: Author | None = None
    url: str | None = None
    lang: str | None = None
    kind: str = "post"
    parent_id: str | None = None
    root_id: str | None = None
    engagement: Engagement | None = None
    media: list[Media] | None = None
    country: str | None = None
    source: str | None = None
    collected_at: str | None = None


class Clock(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """A source's word that everything before ``time_ms`` has been sent. CloudEvents type ``veille.clock``.

    A source publishes it to every partition of ``mentions.raw``; nothing else tells the time.
    """

    source_id: str
    time_ms: int


class WatchlistMarker(msgspec.Struct, gc=False, kw_only=True):
    """From here on this raw partition is read with watchlist ``version``. Type ``veille.watchlist.marker``."""

    version: int


def json_value(value: Any) -> bytes:
    """Encode a struct as the JSON that travels."""
    return msgspec.json.encode(value)
