"""The whole road knows authors by keyed hashes: no topic behind mentions.raw says who they are but in the words of a text."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from streams.backtest.run import backtest
from streams.enrich.watchlist import parse_watchlist
from streams.settings import Settings
from streams.simulate import simulate
from streams.simulate.brands import demo_watchlist
from streams.sources.plan import plan

TOPICS = frozenset({"mentions.enriched", "brand.signals", "crisis.events", "crisis.state"})
#: Where texts stand as they were published: people judge by them, and evidence keeps them.
_TEXTS = re.compile(r"(^|\.)(text|samples\[\d+\]\[2\]|samples\[\d+\]\.text)$")


def leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield (path, text) of every text in a JSON value, names of fields too."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{name}#", key
            yield from leaves(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(f"{name}[{place}]", inner)
    elif isinstance(value, str):
        yield name, value


def test_no_topic_names_an_author() -> None:
    """Of the demo's authors, a crisis included, no handle, id, name or bio stands outside of texts in any record, key or header."""
    mentions = [(ms, bytes(value), identity) for ms, value, identity in simulate(1).rows()]
    owned = {account for brand in parse_watchlist(demo_watchlist(), "demo").brands for account in (*brand.owned, brand.id)}
    secrets: set[str] = set()
    for _, value, _ in mentions:
        mention = json.loads(value)
        # An article's author is the paper, which its address names.
        author = mention.get("author") or {} if mention.get("kind") != "article" else {}
        secrets |= {str(author[field]).lower() for field in ("id", "handle", "name", "bio") if author.get(field)} - owned
    assert len(secrets) > 1000
    words = {secret for secret in secrets if len(secret) >= 6}
    seen: Counter[str] = Counter()
    whole = re.compile(r"[\w@.-]+")
    settings = Settings(_env_file=None)
    raw = plan(mentions, settings.partitions)
    watchlist = parse_watchlist(demo_watchlist(), "demo")
    for topic, record in backtest(raw, watchlist, settings, timestamp_ms=4_000_000_000_000, topics=TOPICS):
        seen[topic] += 1
        told = [(name, text) for name, text in leaves("", json.loads(record.value or b"{}")) if not _TEXTS.search(name)]
        told += [(f"header {name}", value.decode()) for name, value in record.headers]
        told.append(("key", (record.key or b"").decode()))
        for name, text in told:
            low = text.lower()
            found = words.intersection(whole.findall(low)) | ({low} & secrets)
            assert not found, f"{topic}: {name} says {text!r}"
    assert min(seen[topic] for topic in TOPICS) > 0
