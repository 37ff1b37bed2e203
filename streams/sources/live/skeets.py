"""What a Jetstream says of a Bluesky post (lexicon ``app.bsky.feed.post``) to the public mention. Pure; no JSON makes it raise."""

from __future__ import annotations

from typing import Any, Final

from schemas.mention import Author, Mention
from streams.clock import rfc3339
from streams.sources.live.making import Ready, identity, inner, link, published, ready, word

POST: Final = "app.bsky.feed.post"
_MOST_FACETS: Final = 50
#: A post that is dated so long before it was seen is brought over from elsewhere: it is no news, and would set an onset years ago.
OLD_MS: Final = 86_400_000


def time_us(event: Any) -> int | None:
    """Return the time of an event in µs since 1970, which is its cursor; None where it has none."""
    value = inner(event, "time_us")
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 62 else None


def read_event(event: Any, source: str, now_ms: int) -> Ready | None:
    """Return the mention in a Jetstream event; None where it is no new post, or says nothing.

    A Jetstream names authors by their DID alone: handle and followers are not known.
    """
    commit, did = inner(event, "commit"), word(inner(event, "did"))
    if inner(commit, "operation") != "create" or inner(commit, "collection") != POST or did is None:
        return None
    record, rkey = inner(commit, "record"), word(inner(commit, "rkey"))
    if not isinstance(record, dict) or rkey is None:
        return None
    # What a post says of its own time is its author's word: it is not later than when it was seen.
    seen_ms = min(now_ms, (time_us(event) or now_ms * 1000) // 1000)
    at_ms = published(record.get("createdAt"), seen_ms)
    if at_ms < seen_ms - OLD_MS:
        return None
    kind, parent, root = "post", word(inner(record, "reply", "parent", "uri"), 512), word(inner(record, "reply", "root", "uri"), 512)
    embed = record.get("embed")
    if parent is not None:
        kind = "reply"
    elif quoted := word(inner(embed, "record", "uri"), 512) or word(inner(embed, "record", "record", "uri"), 512):
        kind, parent, root = "quote", quoted, None
    languages = record.get("langs")
    return ready(
        Mention(
            id=identity(f"at://{did}/{POST}/{rkey}"),
            network="bluesky",
            text=_text(record, embed),
            published_at=rfc3339(at_ms),
            author=Author(id=did),
            url=link(f"https://bsky.app/profile/{did}/post/{rkey}"),
            lang=word(languages[0], 16) if isinstance(languages, list) and languages else None,
            kind=kind,
            parent_id=parent,
            root_id=root,
        ),
        source,
        now_ms,
    )


def _text(record: dict[str, Any], embed: Any) -> str:
    """Return the text with whole addresses in place of those that are shown cut, and what the card of a link adds."""
    text = record.get("text")
    said = _unfolded(text, record.get("facets")) if isinstance(text, str) else ""
    card = inner(embed, "external") or inner(embed, "media", "external")
    parts = [said, *(word(inner(card, name), 1000) for name in ("title", "description"))]
    address = link(inner(card, "uri"))
    if address is not None and address not in said:
        parts.append(address)
    return "\n".join(part for part in parts if part)


def _unfolded(text: str, facets: Any) -> str:
    """Put in the address of each link: facets (``app.bsky.richtext.facet``) say which bytes of the UTF-8 are one."""
    if not isinstance(facets, list):
        return text
    data = text.encode("utf-8", "replace")
    links: list[tuple[int, int, bytes]] = []
    for facet in facets[:_MOST_FACETS]:
        begin, end = inner(facet, "index", "byteStart"), inner(facet, "index", "byteEnd")
        features = inner(facet, "features")
        address = next((found for one in features if (found := link(inner(one, "uri")))), None) if isinstance(features, list) else None
        if address and type(begin) is int and type(end) is int and 0 <= begin < end <= len(data):
            links.append((begin, end, address.encode()))
    for begin, end, address_bytes in sorted(links, reverse=True):
        if end <= len(data):  # two that lie over each other: the later one stands
            data = data[:begin] + address_bytes + data[end:]
    return data.decode("utf-8", "replace")
