"""Who speaks: a keyed hash instead of the name, marks, and how likely a real, independent person is behind the account."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.resources import files
from urllib.parse import quote

import yaml

from schemas.mention import Author
from streams.enrich.fold import fold
from streams.enrich.times import header_time, loose_ms

_DAY_MS = 86_400_000
_NEW_MS, _YOUNG_MS = 7 * _DAY_MS, 60 * _DAY_MS
_POSTS_A_DAY = 150
_PLAIN: tuple[int, tuple[str, ...]] = (1000, ())
_DEFAULT_HANDLE = re.compile(r"^(?:[a-z]+[a-z_]*\d{6,}|user[-_]?\d+|[a-z]{2,}-\d{4,})$")
_SUBDOMAIN = re.compile(r"\.[\w-]+\.")
#: Reason -> factor in thousandths. Assumed, after the bot features of Yang et al. 2020 (age, completeness, handle, rates).
FACTORS = {
    "new_account": 500, "young_account": 800, "default_handle": 700, "no_profile": 700, "follows_many": 700, "no_followers": 850,
    "posts_too_much": 600,
}  # fmt: skip
_LEAST = 50
_PUBLIC_FOLLOWERS = 1_000_000
PUBLIC_VERIFIED_FOLLOWERS = 100_000
_CACHE = 65_536
_NETWORKS = 1000


@cache
def shipped_press() -> frozenset[str]:
    """Return the shipped press list: folded hosts and handles."""
    text = files("streams.enrich").joinpath("data", "press.yaml").read_text(encoding="utf-8")
    return frozenset(fold(str(entry)) for entry in yaml.safe_load(text)["press"])


@lru_cache(maxsize=_CACHE)
def _created_ms(text: str) -> int | None:
    try:
        return loose_ms(text)
    except (ValueError, OverflowError):
        return None


class AuthorHasher:
    """Replaces author ids by keyed hashes (BLAKE2b, 64 bits), the same for one author on one network for ever."""

    def __init__(self, key: str) -> None:
        self._keyed = blake2b(key=key.encode()[:64], digest_size=8)
        #: {network: the hash as far as the network's name takes it}
        self._begun: dict[str, blake2b] = {}

    def hash_all(self, networks: Sequence[str], authors: Sequence[Author | None]) -> list[str]:
        """Return for each mention 16 hexadecimal digits; "" for one without an author."""
        found, begun = [], self._begun
        for network, author in zip(networks, authors, strict=True):
            if author is None or not (name := author.id or (author.handle or "").lower().lstrip("@")):
                found.append("")
                continue
            # No author is remembered: to look for one among many costs as much.
            digest = (begun.get(network) or self._begin(network)).copy()
            digest.update(name.encode("utf-8", "replace"))
            found.append(digest.hexdigest())
        return found

    def _begin(self, network: str) -> blake2b:
        if len(self._begun) >= _NETWORKS:
            self._begun.clear()
        begun = self._begun[network] = self._keyed.copy()
        begun.update(f"{network}\0".encode("utf-8", "replace"))
        return begun


def without_author(url: str, author: Author, key: str) -> str:
    """Return the address of an author's own mention with ``key``, the keyed hash, for the author's handle and id.

    Only whole parts of the address are taken for them: what lies between slashes and the like, and a subdomain.
    """
    handle = author.handle
    if handle:
        # The plainest place, as it is written; what `_replaced` would do, sooner.
        url = url.replace(f"/{handle}/", f"/{key}/")
    low = url.lower()
    if len(low) != len(url):
        low = url  # some capitals have two small letters: then case counts
    quotes = "%" in low
    for name in (handle, author.id):
        if name and (name := name.lower().strip().lstrip("@")):
            if name in low:
                url, low = _replaced(url, low, name, key)
            if quotes and "%" in low and (quoted := quote(name, safe="").lower()) in low:
                url, low = _replaced(url, low, quoted, key)
    return url


def without_authors(urls: Sequence[str], authors: Sequence[Author | None], keys: Sequence[str]) -> list[str]:
    """Return `without_author` of each address with an author and a key; in most the plainest place was the only one."""
    found = []
    for url, author, key in zip(urls, authors, keys, strict=True):
        if not url or not key or author is None:
            found.append(url)
            continue
        handle, identity = author.handle, author.id
        hidden = url.replace(f"/{handle}/", f"/{key}/") if handle else url
        low = hidden.lower()
        left = (handle and handle.lower().strip().lstrip("@") in low) or (identity and identity.lower().strip().lstrip("@") in low)
        found.append(without_author(url, author, key) if left or "%" in low else hidden)
    return found


def _replaced(url: str, low: str, name: str, key: str) -> tuple[str, str]:
    """Put ``key`` in place of ``name`` where it is a whole part of an address; ``low`` is the address in small letters."""
    start = low.find(name)
    while start >= 0:
        end = start + len(name)
        whole = start > 0 and low[start - 1] in "/@=:~" and (end == len(low) or low[end] in "/?&#:" or _SUBDOMAIN.match(low, end))
        if whole:
            url, low, end = url[:start] + key + url[end:], low[:start] + key + low[end:], start + len(key)
        start = low.find(name, end if whole else start + 1)
    return url, low


#: So many posts are no reason for suspicion in an account that is not young.
_FEW_POSTS = _POSTS_A_DAY * (_YOUNG_MS // _DAY_MS)


@lru_cache(maxsize=10_000)
def _day_long_before(day: int) -> str:
    """Return the date by which an account was certainly no longer young on ``day`` (since 1970), in whatever form of ISO 8601."""
    moment = day * _DAY_MS - _YOUNG_MS - 10 * _DAY_MS
    return header_time(moment)[:10] if moment > 0 else ""


def organic(author: Author | None, published_ms: int) -> tuple[int, tuple[str, ...]]:
    """Return (weight in thousandths, reasons why it is below 1000); what the publisher does not say counts for nobody."""
    if author is None or author.verified:
        return _PLAIN
    reasons: list[str] = []
    created, posts, handle, name, followers = author.created_at, author.posts, author.handle, author.name, author.followers
    # Most accounts are old by the spelling of their date, and have few posts: reading these dates would be a third of the work here.
    old = created and "1" < created < _day_long_before(published_ms // _DAY_MS)
    if created and not (old and (posts is None or posts <= _FEW_POSTS)) and (created_ms := _created_ms(created)) is not None:
        age = published_ms - created_ms
        if age < _YOUNG_MS and age >= 0:
            reasons.append("new_account" if age < _NEW_MS else "young_account")
        if posts is not None and posts > _POSTS_A_DAY and posts > _POSTS_A_DAY * max(age // _DAY_MS, 1):
            reasons.append("posts_too_much")
    # Most handles are ruled out before the pattern is tried.
    if handle and handle[-1].isdigit():
        likely = handle[-6:].isdigit() or "-" in handle or handle[0] in "uU"
        if likely and _DEFAULT_HANDLE.match(handle.lower()):
            reasons.append("default_handle")
    if not name and (name == "" or author.bio == ""):
        reasons.append("no_profile")
    if followers is not None:
        if (following := author.following) is not None and following > 500 and following > 20 * max(followers, 1):
            reasons.append("follows_many")
        if followers <= 1:
            reasons.append("no_followers")
    if not reasons:
        return _PLAIN
    weight = 1000
    for reason in reasons:
        weight = weight * FACTORS[reason] // 1000
    return max(weight, _LEAST), tuple(reasons)


def organic_all(authors: Sequence[Author | None], published_ms: Sequence[int]) -> list[tuple[int, tuple[str, ...]]]:
    """Return `organic` of each author; most give no reason for suspicion, which a few looks tell."""
    found = []
    today, long_before = -1 << 62, ""
    for author, published in zip(authors, published_ms, strict=True):
        if (day := published // _DAY_MS) != today:
            today, long_before = day, _day_long_before(day)
        if (
            author is not None
            and author.name
            and (followers := author.followers) is not None
            and followers > 1
            and ((following := author.following) is None or following <= 500 or following <= 20 * followers)
            and (not (created := author.created_at) or "1" < created < long_before)
            and ((posts := author.posts) is None or posts <= _FEW_POSTS)
            and (not (handle := author.handle) or not (handle[-6:].isdigit() or "-" in handle or handle[0] in "uU"))
        ):
            found.append(_PLAIN)
        else:
            found.append(organic(author, published))
    return found


def is_public_figure(author: Author) -> bool:
    """Say whether very many follow this account."""
    followers = author.followers or 0
    return followers >= (PUBLIC_VERIFIED_FOLLOWERS if author.verified else _PUBLIC_FOLLOWERS)
