"""Who speaks: a keyed hash instead of the name, marks, and how likely a real, independent person is behind the account."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.resources import files

import yaml

from schemas.mention import Author
from streams.enrich.fold import fold
from streams.enrich.times import loose_ms

_DAY_MS = 86_400_000
_DEFAULT_HANDLE = re.compile(r"^(?:[a-z]+[a-z_]*\d{6,}|user[-_]?\d+|[a-z]{2,}-\d{4,})$")
#: Reason -> factor in thousandths. Assumed, after the bot features of Yang et al. 2020 (age, completeness, handle, rates).
FACTORS = {
    "new_account": 500, "young_account": 800, "default_handle": 700, "no_profile": 700, "follows_many": 700, "no_followers": 850,
    "posts_too_much": 600,
}  # fmt: skip
_LEAST = 50
_PUBLIC_FOLLOWERS = 1_000_000
_PUBLIC_VERIFIED_FOLLOWERS = 100_000
_CACHE = 65_536


@cache
def shipped_press() -> frozenset[str]:
    """Return the shipped press list: folded hosts and handles."""
    text = files("streams.enrich").joinpath("data", "press.yaml").read_text(encoding="utf-8")
    return frozenset(fold(str(entry)) for entry in yaml.safe_load(text)["press"])


@lru_cache(maxsize=65_536)
def _created_ms(text: str) -> int:
    return loose_ms(text)


class AuthorHasher:
    """Replaces author ids by keyed hashes (BLAKE2b, 64 bits), the same for one author on one network for ever."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()[:64]
        self._known: dict[tuple[str, str], str] = {}

    def hash(self, network: str, author: Author | None) -> str:
        """Return 16 hexadecimal digits; "" for a mention without an author."""
        if author is None:
            return ""
        name = author.id or (author.handle or "").lower().lstrip("@")
        if not name:
            return ""
        found = self._known.get((network, name))
        if found is None:
            if len(self._known) >= _CACHE:
                self._known.clear()
            digest = blake2b(f"{network}\0{name}".encode("utf-8", "replace"), key=self._key, digest_size=8)
            found = self._known[network, name] = digest.hexdigest()
        return found


def organic(author: Author | None, published_ms: int) -> tuple[int, tuple[str, ...]]:
    """Return (weight in thousandths, reasons why it is below 1000); what the publisher does not say counts for nobody."""
    if author is None:
        return 1000, ()
    reasons: list[str] = []
    if author.created_at:
        try:
            days: int | None = (published_ms - _created_ms(author.created_at)) // _DAY_MS
        except (ValueError, OverflowError):
            days = None
        if days is not None:
            if 0 <= days < 7:
                reasons.append("new_account")
            elif 7 <= days < 60:
                reasons.append("young_account")
            if author.posts is not None and author.posts > 150 * max(days, 1):
                reasons.append("posts_too_much")
    if author.handle and author.handle[-1].isdigit() and _DEFAULT_HANDLE.match(author.handle.lower()):
        reasons.append("default_handle")
    if author.name == "" or (author.bio == "" and not author.name):
        reasons.append("no_profile")
    followers, following = author.followers, author.following
    if followers is not None and following is not None and following > 500 and following > 20 * max(followers, 1):
        reasons.append("follows_many")
    if followers is not None and followers <= 1:
        reasons.append("no_followers")
    if author.verified:
        return 1000, ()
    weight = 1000
    for reason in reasons:
        weight = weight * FACTORS[reason] // 1000
    return max(weight, _LEAST) if reasons else 1000, tuple(reasons)


def is_public_figure(author: Author) -> bool:
    """Say whether very many follow this account."""
    followers = author.followers or 0
    return followers >= (_PUBLIC_VERIFIED_FOLLOWERS if author.verified else _PUBLIC_FOLLOWERS)
