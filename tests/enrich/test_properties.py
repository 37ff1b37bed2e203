"""Nothing raises, nothing is lost, and neither batches nor restarts change what comes out."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.stage import InputRecord, Output
from streams.enrich.rejected import REASONS
from tests.enrich.records import CLOCK, MARKER, NOW, clock, kinds, marker, mention, stage

_JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_TEXT = st.text(st.characters(exclude_categories=()), max_size=80).map(lambda text: f"acme {text} http://a.b/c?d @bolt #BoltSucks")
_MENTION = st.fixed_dictionaries(
    {
        "id": _JSON | st.sampled_from(["a", "b", 1]),
        "network": st.just("x") | _JSON,
        "text": _TEXT | _JSON,
        "published_at": _JSON | st.just("2023-11-14T22:13:20Z"),
    },
    optional=dict.fromkeys(
        ("author", "url", "lang", "kind", "parent_id", "root_id", "engagement", "media", "country", "source", "other"), _JSON
    ),
)
_AUTHOR = st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "handle", "name", "followers", "created_at", "verified", "bio"), _JSON))
_VALUES = (
    st.binary(max_size=60)
    | _JSON.map(json.dumps).map(str.encode)
    | _MENTION.map(json.dumps).map(str.encode)
    | st.builds(lambda m, a: json.dumps({**m, "author": a}).encode(), _MENTION, _AUTHOR)
    | st.none()
)
_HEADERS = st.sampled_from([(), (), (), CLOCK, MARKER, (("ce_type", b"other"), ("traceparent", b"t"))])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(_VALUES, _HEADERS, st.integers(-(2**62), 2**62)), min_size=1, max_size=8))
def test_nothing_raises_and_nothing_is_lost(raws: list[tuple[bytes | None, Any, int]]) -> None:
    """Every raw record gives an output, or is a control record that was taken; a rejected one keeps its bytes and has a known reason."""
    part = stage()
    for offset, (value, headers, timestamp) in enumerate(raws):
        if headers == MARKER and value is not None and b"version" in value:
            continue
        watermark = part.watermark
        outputs = part.process([InputRecord(offset, timestamp, None, value, headers)])
        rejected = [output for output in outputs if output.topic == "mentions.rejected"]
        named = [output for output in outputs if output.key is not None and b"enriched" in dict(output.headers)["ce_type"]]
        assert all(output.value == value for output in rejected)
        assert len(rejected) <= 1
        assert set(kinds(rejected)) <= REASONS
        assert bool(rejected) != bool(named) or (headers == CLOCK and part.watermark is not None and part.watermark != watermark)


_ENTRY = st.one_of(
    st.builds(lambda s, n: ("mention", s, n), st.integers(-4000, 4000), st.integers(0, 5)),
    st.builds(lambda s, n: ("clock", s, n), st.integers(0, 100_000), st.integers(0, 3)),
    st.builds(lambda v: ("marker", v, 0), st.integers(1, 2)),
)
_WORDS = ("acme", "bolt is down", "acme and bolt", "nobody", "#BoycottAcme", "acme?")


def _log(entries: list[tuple[str, int, int]]) -> list[InputRecord]:
    log = []
    for offset, (kind, number, other) in enumerate(entries):
        if kind == "mention":
            log.append(mention(offset, _WORDS[other], second=number, id=f"id{other}", engagement={"likes": number % 3}))
        elif kind == "clock":
            log.append(clock(offset, number, f"s{other}", NOW + 10**8))
        else:
            log.append(marker(offset, number))
    return log


@settings(max_examples=150, deadline=None)
@given(st.lists(_ENTRY, max_size=40), st.lists(st.integers(0, 40), max_size=5), st.lists(st.booleans(), min_size=6, max_size=6))
def test_batches_and_restarts_change_nothing(entries: list[tuple[str, int, int]], cuts: list[int], restarts: list[bool]) -> None:
    """However the log is cut, and wherever the owner changes and reads again from its checkpoint, the outputs are the same."""
    log = _log(entries)
    whole = stage().process(log)
    part, found, saved = stage(), list[Output](), dict[bytes, bytes]()
    edges = [0, *sorted(min(cut, len(log)) for cut in cuts), len(log)]
    for (start, end), restart in zip(itertools.pairwise(edges), restarts, strict=False):
        found += part.process(log[start:end])
        checkpoint = part.checkpoint(end, full=restart and start % 2 == 0)
        for state in checkpoint.states:
            if state.value is None:
                saved.pop(state.key, None)
            else:
                saved[state.key] = state.value
        if restart:
            part = stage()
            part.restore(dict(saved), checkpoint.cut)
            found += part.process(log[max(0, end - 3) : end])
    assert found == whole


@settings(max_examples=60, deadline=None)
@given(st.lists(_ENTRY, max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_what_a_zombie_saved_changes_nothing(entries: list[tuple[str, int, int]], at: int, ahead: int) -> None:
    """Seen ids of a later checkpoint beside an earlier state make no mention its own duplicate."""
    log = _log(entries)
    at, ahead = min(at, len(log)), min(max(at, ahead), len(log))
    whole = stage().process(log)
    first, zombie = stage(), stage()
    found = first.process(log[:at])
    saved = {state.key: state.value for state in first.checkpoint(at).states if state.value is not None}
    zombie.process(log[:ahead])
    late = {state.key: state.value for state in zombie.checkpoint(ahead).states if state.value is not None and state.key != b"p"}
    part = stage()
    part.restore({**saved, **late}, b"")
    assert found + part.process(log[at:]) == whole
