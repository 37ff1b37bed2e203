"""A mention in the making: it gets its id once all mentions are sorted by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.mention import Author, Engagement, Mention
from streams.clock import rfc3339


@dataclass(eq=False, slots=True)
class Draft:
    """``parent`` is what it answers or shares, ``root`` the first post of its cascade; ``event`` the planted event's name or ""."""

    ms: int
    network: str
    kind: str
    text: str
    author: Author
    lang: str | None = None
    parent: Draft | None = None
    root: Draft | None = None
    link: str = ""
    event: str = ""
    engagement: Engagement | None = None
    id: str = ""


def finish(drafts: Sequence[Draft]) -> list[tuple[int, Mention]]:
    """Give ids in the order of time and return (published ms, mention)."""
    ordered = sorted(drafts, key=lambda draft: draft.ms)
    for number, draft in enumerate(ordered):
        draft.id = f"{draft.network}-{number:06d}"
    return [(draft.ms, _mention(draft)) for draft in ordered]


def _mention(draft: Draft) -> Mention:
    handle = draft.author.handle or "unknown"
    return Mention(
        id=draft.id,
        network=draft.network,
        text=f"{draft.text} {draft.link}" if draft.link and draft.kind != "article" else draft.text,
        published_at=rfc3339(draft.ms),
        author=draft.author,
        url=draft.link if draft.kind == "article" else f"https://{draft.network}.example/{handle}/{draft.id}",
        lang=draft.lang,
        kind=draft.kind,
        parent_id=draft.parent.id if draft.parent else None,
        root_id=draft.root.id if draft.root else None,
        engagement=draft.engagement,
        source="simulation",
    )
