"""What Mastodon says of a status (https://docs.joinmastodon.org/entities/Status) to the public mention. Pure; no JSON makes it raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.mention import Author, Engagement, Media, Mention
from streams.clock import rfc3339
from streams.sources.live.making import Ready, count, identity, inner, link, published, ready, word
from streams.sources.live.plain import plain

_MOST_MEDIA = 8


def read_status(status: Any, host: str, source: str, now_ms: int, uri_of: Callable[[str], str | None]) -> Ready | None:
    """Return the mention in ``status``, as the instance ``host`` has it; None where it is none, or nobody may see it.

    The id is the status's address on the whole network, so that two instances tell of one mention. What it answers is named by
    the instance's own number: ``uri_of`` says which address that has, where it is known.
    """
    number, uri = word(inner(status, "id")), word(inner(status, "uri"), 2048)
    if number is None or uri is None or inner(status, "visibility") not in ("public", "unlisted", None):
        return None
    account = inner(status, "account")
    at = published(inner(status, "created_at"), now_ms)
    kind, parent, shown = "post", None, status
    if isinstance(inner(status, "reblog"), dict):
        kind, shown = "reshare", status["reblog"]
        parent = word(inner(shown, "uri"), 2048)
    elif answered := word(inner(status, "in_reply_to_id")):
        kind, parent = "reply", uri_of(answered) or f"{host}:{answered}"
    elif quoted := word(inner(status, "quote", "quoted_status", "uri"), 2048):
        kind, parent = "quote", quoted
    return ready(
        Mention(
            id=identity(uri),
            network="mastodon",
            text=_text(shown),
            published_at=rfc3339(at),
            author=_author(account, host),
            url=link(inner(status, "url")) or link(uri),
            lang=word(inner(shown, "language"), 16),
            kind=kind,
            parent_id=identity(parent) if parent else None,
            engagement=Engagement(
                replies=count(inner(status, "replies_count")),
                reshares=count(inner(status, "reblogs_count")),
                quotes=count(inner(status, "quotes_count")),
                likes=count(inner(status, "favourites_count")),
            ),
            media=_media(inner(shown, "media_attachments")),
        ),
        source,
        now_ms,
    )


def _text(status: Any) -> str:
    """Return what a status says: its warning, its text, and the choices of a poll."""
    parts = [inner(status, "spoiler_text"), inner(status, "content")]
    options = inner(status, "poll", "options")
    parts += [inner(option, "title") for option in options[:20]] if isinstance(options, list) else []
    return "\n".join(plain(part) for part in parts if isinstance(part, str) and part)


def _author(account: Any, host: str) -> Author | None:
    handle = word(inner(account, "acct"))
    if handle is None:
        return None
    note = inner(account, "note")
    return Author(
        # An account of another server is shown with it; one of this server's own without.
        id=word(inner(account, "uri"), 2048) or (handle if "@" in handle else f"{handle}@{host}"),
        handle=handle if "@" in handle else f"{handle}@{host}",
        name=word(inner(account, "display_name")),
        followers=count(inner(account, "followers_count")),
        following=count(inner(account, "following_count")),
        posts=count(inner(account, "statuses_count")),
        created_at=word(inner(account, "created_at"), 64),
        bio=word(plain(note), 1000) if isinstance(note, str) else None,
    )


def _media(value: Any) -> list[Media] | None:
    if not isinstance(value, list):
        return None
    found = [
        Media(url=url, type=word(inner(one, "type"), 32), alt=word(inner(one, "description"), 1500))
        for one in value[:_MOST_MEDIA]
        if (url := link(inner(one, "url")))
    ]
    return found or None
