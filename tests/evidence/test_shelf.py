"""Receipts as they are read: each once, in order, told without harm."""

from __future__ import annotations

import base64
import itertools

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.crisis import Crisis, OriginatorRef, Sample
from schemas.evidence import Evidence
from streams.cli.evidence_words import details, table
from streams.evidence.chain import Problem, digest, seal, verify
from streams.evidence.shelf import Shelf, row, text_of
from streams.evidence.words import PROBLEMS, plain, sentence
from tests.evidence.test_chain import capture, event, fresh, receipts


def shelved(found: list[Evidence], *crises: str) -> Shelf:
    """Return what a shelf for ``crises`` holds of the receipts."""
    shelf = Shelf(crises)
    for receipt in found:
        shelf.take(msgspec.json.encode(receipt))
    return shelf


@given(st.randoms(), st.integers(1, 6), st.integers(1, 6))
def test_repeats_and_order_change_nothing(random: object, mine: int, others: int) -> None:
    """Whatever is delivered twice, late or between those of other crises, a chain is listed as it was made."""
    log = [event(1, mine), event(2, others, crisis="c2"), event(3, 0, capture(target="t"))]
    made = receipts(list(fresh().process(log)))
    sent = [*made, *made[::2]]
    random.shuffle(sent)  # type: ignore[attr-defined]
    chains = shelved(sent, "c2", "c1", "c3").chains()
    assert list(chains) == ["c2", "c1"]
    assert chains == {crisis: [r for r in made if r.crisis_id == crisis] for crisis in ("c2", "c1")}
    assert [verify(chain) for chain in chains.values()] == [[], []]


def test_two_under_one_id_are_both_seen() -> None:
    """A receipt that was sent again with other words does not take the place of the first, nor hide behind it."""
    made = receipts(list(fresh().process([event(1, 2)])))
    forged = msgspec.structs.replace(made[0], by="somebody else")
    for sent in ([forged, *made], [*made, forged]):
        problems = verify(shelved(sent, "c1").chains()["c1"])
        assert "two" in [problem.word for problem in problems]
        assert "changed" in [problem.word for problem in problems]


def test_what_is_no_receipt_is_passed_over() -> None:
    """Broken JSON, other kinds of records and tombstones are counted, and end nothing."""
    made = receipts(list(fresh().process([event(1, 1)])))
    shelf = shelved(made, "c1")
    for value in (None, b"", b"[" * 100_000, b'{"crisis_id":"c1"}', b'{"crisis_id":3}', b"\xff"):
        shelf.take(value)
    assert (shelf.unread, list(shelf.chains().values())) == (6, [made])


def test_what_was_kept_is_told() -> None:
    """Of a mention its text, of the earliest one that it is, of a person's file its name, size and who handed it in."""
    card = Crisis(
        crisis_id="c1", brand="acme", phase="open", onset="", headline="", seq=1,
        originator=OriginatorRef(mention_id="m9", network="x", published_at="2020-01-01T00:00:00Z"),
        samples=(Sample(mention_id="m0", network="x", text="see\n\x1b[31mthis\u202e"),),
        decision=capture(target="https://x.example/a", name="letter\x07.eml", bytes_b64=base64.b64encode(b"Dear").decode()),
    )  # fmt: skip
    record = event(1)._replace(value=msgspec.json.encode(card))
    made = receipts(list(fresh().process([record])))
    rows = [row(receipt) for receipt in made]
    assert [(one.what, one.size > 20, one.by) for one in rows] == [("originator", True, ""), ("sample", True, ""), ("command", False, "a")]
    assert (rows[2].size, rows[2].sha256, rows[2].url) == (4, digest(b"Dear"), "https://x.example/a")
    assert [text_of(receipt) for receipt in made] == ["", "see\n\x1b[31mthis\u202e", ""]
    for language, word in (("en", "capture"), ("fr", "origine")):
        shown = table(rows, language) + [
            line for one, r in zip(made, rows, strict=True) for line in details(one, r, text_of(one), language)
        ]
        assert any(word in line for line in shown)
        assert [c for line in shown for c in line if not c.isprintable() and c != "\u00a0"] == []
    assert table([], "en") == []


def test_each_problem_has_its_sentence() -> None:
    """In both languages, and whatever the names in a forged receipt hold, on one line."""
    for word, language in itertools.product(PROBLEMS, ("en", "fr")):
        line = sentence(Problem(word, "c1/1\n\x1b[2J{found}", "3" * 999, "2"), language)
        assert line == plain(line, 1000)
        assert line.count("{") <= 1


def test_lost_bytes_are_seen() -> None:
    """A receipt whose bytes are gone or no base64 does not hold; an empty file does."""
    made = receipts(list(fresh().process([event(1, 1)])))
    for coded in ("", "no base64!"):
        assert [p.word for p in verify([msgspec.structs.replace(made[0], bytes_b64=coded)])] == ["bytes"]
    empty = Evidence(evidence_id="c1/1", crisis_id="c1", brand="acme", mention_id="", captured_at="", sha256=digest(b""), seq=1)
    assert verify([seal(empty, "")]) == []
    assert [p.word for p in verify([seal(msgspec.structs.replace(empty, evidence_id="c1/7"), "")])] == ["name"]
