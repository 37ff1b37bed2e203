"""What joins mentions to one story: links, near-copy signatures, hashtags and salient terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from urllib.parse import urlsplit

import numpy as np

from streams.enrich.fold import fold

_split = re.compile(r"((?:https?://|www\.)[^\s<>\"\u00ab\u00bb]+)", re.IGNORECASE).split
_MAX_LINKS = 16
_tags = re.compile(r"#(\w+)").findall
_TRACKERS = re.compile(
    r"^(?:utm_.*|fbclid|gclid|dclid|gbraid|wbraid|msclkid|twclid|ttclid|yclid|igshid|igsh|mc_[ce]id|mkt_tok|_hs\w+|hsctatracking|vero_\w+|"
    r"ref|ref_src|ref_url|refsrc|referrer|source|src|cmp|cmpid|campaign|ncid|ns_\w+|at_\w+|xtor|wt_\w+|sfnsn|share|shared|feature|spm|si|"
    r"_ga|_gl|guccounter|guce_\w+|trk\w*|smid|smtyp|partner|ocid|soc_\w+|oly_\w+|__twitter_impression|amp|outputtype)$",
    re.IGNORECASE,
)
#: Query keys that are trackers on these hosts alone.
_ONLY_HERE = {
    "twitter.com": frozenset("st"),
    "x.com": frozenset("st"),
    "youtube.com": frozenset({"t", "pp"}),
    "instagram.com": frozenset({"hl"}),
}
#: Query keys that trackers share with pages which need them: kept on these hosts.
_NEEDED = {"youtube.com": frozenset({"v", "list"}), "news.ycombinator.com": frozenset({"id"})}
_MAX_URL = 1024
#: A link that already has its one spelling.
_PLAIN_URL = re.compile(r"https://(?!(?:www|m|mobile|amp)\.)[a-z0-9-]++(?:\.[a-z0-9-]++)++(?:/(?!amp$)[A-Za-z0-9_.~@-]++){0,8}+")
MAX_TERMS = 20
MAX_HASHTAGS = 16

# Near-copy signature: 64 lanes of 8 bits in one integer; each feature adds a 0 or 1 to every lane.
_LANES = 64
_ONES = int.from_bytes(b"\x01" * _LANES, "little")
_MIN_FEATURES = 5
_MAX_FEATURES = 120


def lanes(word: str) -> int:
    """Return what ``word`` adds to the 64 lanes of a signature; never 0."""
    return int.from_bytes(blake2b(word.encode("utf-8", "replace")).digest(), "little") & _ONES | 1


#: What makes the high bit of a lane say that more than half of so many features voted for 1.
_HALVES = tuple(_ONES * (127 - count // 2) for count in range(_MAX_FEATURES + 1))


def votes_of(texts: Sequence[Sequence[int]], counts: Sequence[int]) -> list[bytes]:
    """Return the 64 lanes of each text, each with its verdict in the high bit; b"" below 5 salient words.

    A text is given by the `lanes` of its distinct words, 0 for one that is not salient; of each ``counts`` says how many are. Stop words
    are left out, since they would draw all texts of a language together.
    """
    return [
        sum(features, _HALVES[count]).to_bytes(_LANES, "little") if _MIN_FEATURES <= count <= _MAX_FEATURES else _votes(features, count)
        for features, count in zip(texts, counts, strict=True)
    ]


def _votes(features: Sequence[int], count: int) -> bytes:
    """Return the lanes of a text with fewer salient words than tell anything, or with more than a lane can count: of the first of them."""
    if count < _MIN_FEATURES:
        return b""
    return sum([feature for feature in features if feature][:_MAX_FEATURES], _HALVES[_MAX_FEATURES]).to_bytes(_LANES, "little")


def copy_keys(votes: Sequence[bytes]) -> list[str]:
    """Return the 64-bit near-copy signatures of texts as 16 hexadecimal digits, "" where there are no votes.

    A simhash (Charikar 2002): texts that differ in few words differ in few bits.
    """
    digits = np.packbits(np.frombuffer(b"".join(votes), dtype=np.uint8) >> 7).tobytes().hex()
    keys, place = [], 0
    for vote in votes:
        keys.append(digits[place : place + 16] if vote else "")
        place += len(vote) // 4
    return keys


def copy_distance(one: str, other: str) -> int:
    """Return in how many of 64 bits two signatures differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def canonical_url(url: str) -> str:
    """Return one spelling of a link: https, lower-case host without www, no tracker, fragment or final slash; "" for none.

    Shortened links stay as they are: nothing is asked of the network.
    """
    if len(url) > _MAX_URL:
        url = url[:_MAX_URL]
    return url if _PLAIN_URL.fullmatch(url) else _canonical(url)


def canonical_urls(urls: Iterable[str | None]) -> list[str]:
    """Return `canonical_url` of each address, "" for none; most are plain, and cost no call."""
    plain = _PLAIN_URL.fullmatch
    return [(url if len(url) <= _MAX_URL and plain(url) else canonical_url(url)) if url else "" for url in urls]


@lru_cache(maxsize=16_384)
def _canonical(url: str) -> str:
    if url[:4].lower() == "www.":
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or "." not in host:
        return ""
    for prefix in ("www.", "m.", "mobile.", "amp."):
        if host.startswith(prefix) and host.count(".") > 1:
            host = host[len(prefix) :]
    needed = _NEEDED.get(host, frozenset())
    useless = _ONLY_HERE.get(host, frozenset())
    kept = sorted(
        pair
        for pair in parts.query.split("&")
        if pair and ((name := pair.split("=", 1)[0]) in needed or (_TRACKERS.match(name) is None and name not in useless))
    )
    path = parts.path.rstrip("/")
    if path.endswith("/amp"):
        path = path[:-4]
    place = f":{port}" if port not in (None, 80, 443) else ""
    return f"https://{host}{place}{path}{'?' + '&'.join(kept) if kept else ''}"


def host_of(url: str) -> str:
    """Return the host of a canonical URL."""
    return url[8:].split("/", 1)[0].split("?", 1)[0].split(":", 1)[0]


def without_links(text: str) -> tuple[str, Sequence[str]]:
    """Return a text with a space for each of its URLs, and these in canonical form, at most 16; one cut off by an ellipsis is left out."""
    if "://" not in text and "www." not in text:
        return text, ()
    pieces = _split(text)
    links = []
    for found in pieces[1 : 2 * _MAX_LINKS : 2]:
        if not found.endswith(("\u2026", "...")) and (url := canonical_url(found.rstrip(".,;:!?)]}'\"\u2019\u201d"))):
            links.append(url)
    return " ".join(pieces[::2]), links


def without_links_all(texts: Iterable[str]) -> list[tuple[str, Sequence[str]]]:
    """Return `without_links` of each text; one without links costs no call."""
    return [without_links(text) if "://" in text or "www." in text else (text, ()) for text in texts]


def hashtags_in(text: str) -> tuple[str, ...]:
    """Return the folded hashtags of a text, each once, without ``#``."""
    return tuple(dict.fromkeys(map(fold, _tags(text))))[:MAX_HASHTAGS] if "#" in text else ()


def is_reshare(text: str) -> bool:
    """Say whether a text begins like a copied reshare (``RT @somebody``)."""
    return text.startswith(("RT @", "rt @", "Rt @"))
