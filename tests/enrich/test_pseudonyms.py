"""Who wrote a mention leaves enrichment as a keyed hash alone; what else may name the author, and why."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from schemas.enriched import Enriched
from streams.engine.stage import Output
from tests.enrich.records import mention, stage

WHO: dict[str, Any] = {
    "id": "did:plc:zq41",
    "handle": "Bob_Zed.bsky.social",
    "name": "Bob Zedson",
    "bio": "baker in Zedville",
    "followers": 3,
}


def record(**fields: Any) -> tuple[Enriched, Output]:
    """Enrich one mention of acme; return its record and what carries it."""
    (output,) = [o for o in stage().process([mention(0, **fields)]) if dict(o.headers).get("ce_type") == b"veille.enriched"]
    return msgspec.json.decode(output.value or b"", type=Enriched), output


@pytest.mark.parametrize(
    "url",
    [
        "https://bsky.app/profile/bob_zed.bsky.social/post/3k2",
        "https://bsky.app/profile/did:plc:zq41/post/3k2",
        "https://bsky.app/profile/did%3Aplc%3Azq41/post/3k2",
        "https://social.example/@BOB_ZED.bsky.social/3k2",
        "https://bob_zed.bsky.social.blog.example/3k2",
        "https://www.social.example/3k2?user=Bob_Zed.bsky.social&n=1",
    ],
)
def test_the_address_of_a_post_holds_the_hash_instead_of_its_author(url: str) -> None:
    """Neither id nor handle, name or bio of an author stands in any byte of the record, its key or its headers."""
    found, output = record(text="Acme is fine", author=WHO, url=url)
    assert len(found.author) == 16
    assert found.author in found.url
    assert "3k2" in found.url
    said = (output.key or b"") + (output.value or b"") + b"".join(value for _, value in output.headers)
    for secret in ("did:plc", "zq41", "bob_zed", "zedson", "zedville"):
        assert secret.encode() not in said.lower()


def test_only_whole_parts_of_an_address_are_the_author() -> None:
    """A handle that happens to stand within other words or in a site's own name changes nothing there."""
    found, _ = record(author={"handle": "x"}, url="https://x.com/x/status/77x7?lang=x&y=xx")
    assert found.url == f"https://x.com/{found.author}/status/77x7?lang={found.author}&y=xx"
    found, _ = record(author={"handle": "ann.b"}, url="https://a.example/annab/ann.by/1")
    assert found.url == "https://a.example/annab/ann.by/1"


def test_addresses_of_articles_and_of_the_brand_stay() -> None:
    """Others link to an article and to a post of the brand: stories and answers are found by these addresses."""
    url = "https://news.example/bob_zed.bsky.social/acme-recall"
    found, _ = record(author=WHO, url=url, kind="article")
    assert (found.url, found.link) == (url, url)
    own = "https://x.example/acme_official/1"
    found, _ = record(author={"handle": "acme_official"}, url=own)
    assert (found.matched, found.url) == ("owned", own)


def test_one_author_has_one_hash_on_a_network_and_another_key_another() -> None:
    """Mentions of one author are known as one by the hash, which nobody makes without the key."""
    first, _ = record(author=WHO)
    second, _ = record(author={**WHO, "name": "Renamed"}, text="Acme again")
    elsewhere, _ = record(author=WHO, network="bluesky")
    assert first.author == second.author != elsewhere.author
    part = stage(author_key="a secret of our own")
    values = [json.loads(o.value or b"") for o in part.process([mention(0, author=WHO)])]
    assert values[-1]["author"] != first.author
