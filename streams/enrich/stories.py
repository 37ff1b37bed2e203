"""What joins mentions to one story: links, near-copy signatures, hashtags and salient terms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from urllib.parse import urlsplit

from streams.enrich.fold import TOKEN, fold

URL = re.compile(r"(?:https?://|www\.)[^\s<>\"\u00ab\u00bb]+", re.IGNORECASE)
_TOKEN_OR_HANDLE = re.compile(TOKEN.pattern.replace("[", "[@", 1))
#: Every ASCII character that is neither part of a word nor ``@`` becomes a space: the same words as by the pattern, faster.
_SPACES = "".join(chr(n) if chr(n).isalnum() or chr(n) in "_@" else " " for n in range(128))
_TAG = re.compile(r"#(\w+)")
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
_PLAIN_URL = re.compile(r"https://(?!(?:www|m|mobile|amp)\.)[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/(?!amp$)[A-Za-z0-9_.~@-]+){0,8}")
MAX_TERMS = 20
MAX_HASHTAGS = 16

# Near-copy signature: 64 lanes of 8 bits in one integer; each feature adds a 0 or 1 to every lane.
_LANES = 64
_ONES = int.from_bytes(b"\x01" * _LANES, "little")
_FULL = (1 << 8 * _LANES) - 1
_HIGH = bytes((48 if byte < 128 else 49) for byte in range(256))
_MIN_FEATURES = 5
_MAX_FEATURES = 120


def lanes(word: str) -> int:
    """Return what ``word`` adds to the 64 lanes of a signature; never 0."""
    return int.from_bytes(blake2b(word.encode("utf-8", "replace")).digest(), "little") & _ONES | 1


def copy_key(features: Sequence[int]) -> str:
    """Return the 64-bit near-copy signature of a text as 16 hexadecimal digits, "" below 5 salient words.

    ``features`` are the `lanes` of its distinct salient words. A simhash (Charikar 2002): texts that differ in few words
    differ in few bits. Stop words are left out, since they would draw all texts of a language together.
    """
    count = len(features)
    if count < _MIN_FEATURES:
        return ""
    if count > _MAX_FEATURES:
        features, count = features[:_MAX_FEATURES], _MAX_FEATURES
    # A lane whose sum is above half of the features gets its high bit set.
    high = (sum(features) + _ONES * (127 - count // 2)).to_bytes(_LANES, "little")
    return f"{int(high.translate(_HIGH), 2):016x}"


def copy_distance(one: str, other: str) -> int:
    """Return in how many of 64 bits two signatures differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def canonical_url(url: str) -> str:
    """Return one spelling of a link: https, lower-case host without www, no tracker, fragment or final slash; "" for none.

    Shortened links stay as they are: nothing is asked of the network.
    """
    return url if _PLAIN_URL.fullmatch(url) else _canonical(url)


@lru_cache(maxsize=16_384)
def _canonical(url: str) -> str:
    url = url[:_MAX_URL]
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


def links_in(text: str) -> list[str]:
    """Return the canonical links of a text, in order; one that was cut off by an ellipsis is left out."""
    found = []
    for match in URL.findall(text):
        if match.endswith(("\u2026", "...")):
            continue
        url = canonical_url(match.rstrip(".,;:!?)]}'\"\u2019\u201d"))
        if url:
            found.append(url)
    return found


def hashtags_in(text: str) -> tuple[str, ...]:
    """Return the folded hashtags of a text, each once, without ``#``."""
    return tuple(dict.fromkeys(map(fold, _TAG.findall(text))))[:MAX_HASHTAGS] if "#" in text else ()


def words_of(folded: str) -> list[str]:
    """Return the words of a folded text without URLs; a handle is a word that begins with ``@``."""
    return folded.translate(_SPACES).split() if folded.isascii() else _TOKEN_OR_HANDLE.findall(folded)


def is_reshare(text: str) -> bool:
    """Say whether a text begins like a copied reshare (``RT @somebody``)."""
    return text[:4].lower() == "rt @"
