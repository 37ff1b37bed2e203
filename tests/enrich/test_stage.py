"""The stage as a whole: time, duplicates, markers, sources, rejected records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.enriched import Enriched, SourceState
from streams.engine.stage import ALL_PARTITIONS, InputRecord, Output
from streams.enrich.rejected import REASONS
from streams.errors import NotYet
from tests.enrich.records import NOW, clock, date, kinds, marker, mention, stage, watchlists


def enriched(outputs: list[Output]) -> list[Enriched]:
    """Return what was enriched among outputs."""
    return [msgspec.json.decode(o.value or b"", type=Enriched) for o in outputs if dict(o.headers).get("ce_type") == b"veille.enriched"]


def test_a_mention_is_enriched_once_for_each_brand() -> None:
    """A mention of two brands gives two records, keyed by brand, with ids made of partition, offset and brand."""
    outputs = stage().process([mention(7, "Acme sues Bolt", second=5)])
    assert kinds(outputs) == ["veille.brand", "veille.brand", "veille.enriched", "veille.enriched"]
    assert [(o.key, dict(o.headers)["ce_id"]) for o in outputs[2:]] == [(b"acme", b"0-7-acme"), (b"bolt", b"0-7-bolt")]
    assert {record.applies_ms for record in enriched(outputs)} == {NOW + 5000}


def test_a_late_mention_applies_at_the_watermark_and_an_early_one_is_moved_to_it() -> None:
    """What is published before W_p applies at W_p; what is published far after it takes its time, marked."""
    outputs = stage().process([clock(0, 60), mention(1, second=10), mention(2, second=200), mention(3, second=10**9)])
    late, near, early = enriched(outputs)
    assert (late.applies_ms, late.published_ms, late.early) == (NOW + 60_000, NOW + 10_000, False)
    assert (near.applies_ms, near.early) == (NOW + 200_000, False)
    assert (early.applies_ms, early.published_ms, early.early) == (NOW + 60_000, NOW + 60_000, True)


def test_before_any_clock_the_timestamp_limits_a_mention() -> None:
    """Without a clock a mention from the far future takes its Kafka timestamp."""
    (early,) = enriched(stage().process([mention(0, second=10**8)]))
    assert (early.applies_ms, early.early) == (NOW, True)


def test_a_clock_ahead_of_its_timestamp_is_rejected_and_moves_nothing() -> None:
    """A clock more than five minutes after its own Kafka timestamp does not move the watermark."""
    part = stage()
    outputs = part.process([clock(0, 0), clock(1, 301, timestamp=NOW), clock(2, 300, timestamp=NOW)])
    assert kinds(outputs)[-1] == "clock_ahead"
    assert part.watermark == NOW + 300_000


def test_the_same_id_counts_once_and_other_numbers_update() -> None:
    """An id seen before is a duplicate; with new engagement numbers it is an update; the same update again is a duplicate."""
    some, more = {"likes": 1}, {"likes": 5}
    outputs = stage().process(
        [
            mention(0, id="x", engagement=some),
            mention(1, id="x", engagement=some),
            mention(2, id="x", engagement=more),
            mention(3, id="x", engagement=more),
            mention(4, id="x"),
        ]
    )
    assert kinds(outputs)[2:] == ["veille.enriched", "duplicate", "veille.enriched", "duplicate", "duplicate"]
    assert [(r.update, r.likes) for r in enriched(outputs)] == [(False, 1), (True, 5)]


def test_an_id_is_forgotten_after_the_window() -> None:
    """A day and an hour later the same id is a new mention."""
    outputs = stage().process([mention(0, id="x"), clock(1, 26 * 3600), mention(2, id="x", second=26 * 3600)])
    assert [record.update for record in enriched(outputs)] == [False, False]


def test_a_rejected_record_keeps_its_bytes_and_names_its_reason() -> None:
    """Value and key are untouched; headers name topic, partition, offset and reason, and mark what is expected."""
    bad = InputRecord(3, NOW, b"k", b"\xff not json", (("traceparent", b"t"),))
    good = mention(4, "nothing of interest")
    rejected, *_, unnamed = stage().process([bad, good])
    assert (rejected.topic, rejected.key, rejected.value) == ("mentions.rejected", b"k", b"\xff not json")
    headers = dict(rejected.headers)
    assert headers["__connect.errors.topic"] == b"mentions.raw"
    assert headers["__connect.errors.offset"] == b"3"
    assert headers["__connect.errors.exception.message"] == b"not_json"
    assert "veille-expected" not in headers
    assert headers["traceparent"] == b"t"
    assert dict(unnamed.headers)["veille-expected"] == b"1"


def test_every_reason_stands_in_the_docs() -> None:
    """Whoever finds a reason in a header finds it in docs/enrichment.md."""
    page = (Path(__file__).parents[2] / "docs" / "enrichment.md").read_text("utf-8")
    assert sorted(reason for reason in REASONS if f"`{reason}`" not in page) == []


def test_settings_of_brands_are_sent_at_the_start_and_at_each_marker() -> None:
    """The first record of the log sends version 1 with offset -1; a marker sends its version with its own offset."""
    outputs = stage().process([clock(0, 0), mention(1, "acme"), marker(2, 2), mention(3, "acme"), mention(4, "bolt")])
    assert kinds(outputs) == ["veille.brand", "veille.brand", "veille.enriched", "veille.brand", "no_brand", "veille.enriched"]
    values = [json.loads(o.value or b"") for o in outputs]
    assert [(v["offset"], v["version"]) for v in (values[0], values[3])] == [(-1, 1), (2, 2)]
    assert values[5]["version"] == 2


def test_a_version_that_has_not_arrived_changes_nothing() -> None:
    """A batch with an unknown version is refused whole, and taken when the version has come."""
    known = watchlists()
    part = stage(known)
    batch = [mention(0), marker(1, 9), mention(2)]
    with pytest.raises(NotYet):
        part.process(batch)
    assert part.next_offset == 0
    from schemas.brand import Brand, Watchlist

    known.add(Watchlist(brands=(Brand(id="acme", names=("Acme",)),), version=9))
    assert [record.version for record in enriched(part.process(batch))] == [1, 9]


def test_a_silent_source_is_told_and_its_return_too() -> None:
    """A source whose clock lags more than the setting is down for every partition of enriched; the worker is no source."""
    part = stage()
    outputs = part.process(
        [clock(0, 0, "a"), clock(1, 0, "b"), clock(2, 301, "a"), clock(3, 900, "veille.worker"), clock(4, 890, "b"), clock(5, 900, "a")]
    )
    states = [(o.partition, msgspec.json.decode(o.value or b"", type=SourceState)) for o in outputs if kinds([o]) == ["veille.source"]]
    assert [(s.source_id, s.up, s.offset, s.applies_ms - NOW) for _, s in states] == [
        ("b", False, 2, 301_000),
        ("a", False, 3, 900_000),
        ("b", True, 4, 900_000),
        ("a", True, 5, 900_000),
    ]
    assert {partition for partition, _ in states} == {ALL_PARTITIONS}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "bad_id"),
        ({"id": None}, "bad_id"),
        ({"network": 5}, "bad_network"),
        ({"text": None}, "no_text"),
        ({"published_at": "soon"}, "bad_time"),
        ({"published_at": "2015-01-01T00:00:00"}, "bad_time"),
        ({"text": "x" * 70_000}, "text_too_long"),
        ({"text": "é" * 40_000}, "text_too_long"),
    ],
)
def test_a_bad_field_gives_a_fixed_word(change: dict[str, Any], reason: str) -> None:
    """Each fault has one reason, which never holds words of the mention."""
    assert kinds(stage().process([mention(0, **change)])) == [reason]


@pytest.mark.parametrize(("value", "reason"), [(None, "empty"), (b"", "empty"), (b"[]", "not_object"), (b"{" * 100_000, "not_json")])
def test_bytes_that_are_no_mention_are_rejected(value: bytes | None, reason: str) -> None:
    """A record without an object in it is rejected for what it is."""
    assert kinds(stage().process([InputRecord(0, NOW, None, value)])) == [reason]


def test_an_id_as_a_number_and_wrong_optional_fields_pass() -> None:
    """What publishers get wrong without harm is mended."""
    record = mention(0, id=5, author={"handle": "A", "followers": "12"}, kind="shout", url=7, engagement=[1], published_at=NOW)
    (found,) = enriched(stage().process([record]))
    assert (found.id, found.followers, found.kind, found.url, found.published_ms) == ("5", 12, "post", "", NOW)


def test_hostile_texts_come_out_clean() -> None:
    """Lone surrogates, controls and direction marks go, mojibake is mended, the text is cut."""
    raw = b'{"id":"1","network":"x","published_at":"' + date(0).encode() + b'","text":"acme \\ud800 \\u202e\\u0000 cr\\u00c3\\u00a9dible"}'
    (found,) = enriched(stage(text_limit=20).process([InputRecord(0, NOW, None, raw)]))
    assert found.text == "acme \ufffd  crédible"


def test_authors_are_hashed_and_marked() -> None:
    """The same author has the same hash, never the id; the brand's own account and the press are marked."""
    author = {"id": "42", "handle": "acme_official", "verified": True}
    outputs = stage().process([mention(0, author=author), mention(1, author={**author, "handle": "reuters"}), mention(2)])
    own, press, nobody = enriched(outputs)
    assert own.author == press.author != ""
    assert nobody.author == ""
    assert b'"42"' not in (outputs[-1].value or b"")
    assert own.author_marks == ("verified", "owned")
    assert press.author_marks == ("press", "verified")


def test_an_account_that_looks_bought_weighs_less() -> None:
    """A new account with a default handle says why it weighs less than a person."""
    (found,) = enriched(stage().process([mention(0, author={"handle": "john84736251", "created_at": date(-3600), "followers": 0})]))
    assert found.organic_pm < 500
    assert found.organic_reasons == ("new_account", "default_handle", "no_followers")


def test_where_a_run_ends_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mentions are read in runs of many; runs of any length, with clocks, markers and broken records among them, give the same outputs."""
    log = [mention(n, "Acme sues Bolt" if n % 3 else "bolt", second=n, id=f"id{n % 30}") for n in range(40)]
    log[3], log[4], log[17] = clock(3, 1), marker(4, 2), marker(17, 1)
    log[9], log[30] = InputRecord(9, NOW, None, b"{"), marker(30, 2)
    expected = stage().process(log)
    assert len(kinds(expected)) > 30
    for size in (1, 2, 7):
        monkeypatch.setattr("streams.enrich.stage.AT_ONCE", size)
        assert stage().process(log) == expected


def test_what_no_rule_foresaw_costs_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where reading one text fails in a way that nobody foresaw, that record is rejected, whole, and its neighbours go on."""

    def fails(texts: list[str]) -> list[tuple[str, tuple[()]]]:
        if any("poison" in text for text in texts):
            raise ValueError
        return [(text, ()) for text in texts]

    monkeypatch.setattr("streams.enrich.ahead.without_links_all", fails)
    outputs = stage().process([mention(0), mention(1, "acme poison"), mention(2), InputRecord(3, NOW, None, b"{"), mention(4)])
    assert kinds(outputs)[2:] == ["veille.enriched", "unreadable", "veille.enriched", "not_json", "veille.enriched"]
    assert [o.value for o in outputs if o.topic == "mentions.rejected"] == [mention(1, "acme poison").value, b"{"]
