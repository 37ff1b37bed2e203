"""Mention files."""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import BadInput
from streams.sources.files import read_mentions
from streams.sources.mapping import parse_mapping

AIRLINES = Path(__file__).parents[3] / "shared" / "data" / "airline_2015" / "tweets.csv.gz"


def line(identity: str, second: int, **more: object) -> str:
    """Return one mention as a line of JSONL."""
    return json.dumps({"id": identity, "network": "x", "text": "hello", "published_at": f"2025-03-03T00:00:{second:02d}Z", **more})


def test_files_are_merged_in_time_order(tmp_path: Path) -> None:
    """Rows of several files come by time, whatever order they have in their file."""
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    first.write_text(line("a3", 30) + "\n" + line("a1", 10) + "\n")
    second.write_bytes(gzip.compress((line("b2", 20) + "\n" + line("b3", 30) + "\n").encode()))
    assert [row.id for row in read_mentions([first, second])] == ["a1", "b2", "a3", "b3"]


def test_a_whole_mention_travels_unchanged(tmp_path: Path) -> None:
    """A line that is a public mention already keeps its bytes, unknown fields too."""
    text = line("a", 1, mood="odd")
    file = tmp_path / "a.jsonl"
    file.write_text(text + "\n")
    assert [row.value for row in read_mentions([file])] == [text.encode()]


def test_csv_columns_are_mapped(tmp_path: Path) -> None:
    """Columns and constants fill the fields of the mention, nested ones too, and dates become RFC 3339."""
    file = tmp_path / "a.csv"
    file.write_text('when,who,n,body\n"2015-02-24 11:35:52 -0800",otter,7,"two\nlines"\n')
    mapping = parse_mapping(["published_at=when", "author.handle=who", "author.followers=n", "text=body"], ["network=x"])
    (row,) = read_mentions([file], mapping)
    value = json.loads(row.value)
    assert value.pop("id") == row.id
    assert value == {
        "published_at": "2015-02-24T19:35:52Z", "author": {"handle": "otter", "followers": 7}, "text": "two\nlines", "network": "x",
    }  # fmt: skip


def test_the_same_row_without_id_is_one_mention(tmp_path: Path) -> None:
    """Ids of rows without one depend on network, time, author and text alone."""
    file = tmp_path / "a.csv"
    file.write_text("published_at,text,author.handle\n" + "2025-03-03,hello,otter\n" * 2 + "2025-03-03,hello,badger\n")
    rows = list(read_mentions([file], parse_mapping((), ["network=x"])))
    assert rows[0].id == rows[1].id != rows[2].id


def test_unusable_rows_are_handed_on(tmp_path: Path) -> None:
    """A row that is no mention comes beside its neighbour, as it stands, so that nothing is lost."""
    file = tmp_path / "a.jsonl"
    file.write_text("not json\n" + line("a", 5) + '\n[1]\n{"id":"b","text":"x","network":"x","published_at":"soon"}\n')
    rows = list(read_mentions([file]))
    assert [row.value for row in rows[:3]] == [b"not json", line("a", 5).encode(), b"[1]"]
    assert rows[3].id == "b"
    assert len({row.published_ms for row in rows}) == 1


@pytest.mark.parametrize(
    ("name", "body", "maps"),
    [
        ("missing.jsonl", None, []),
        ("a.csv", b"created,text\n1,2\n", ["published_at=createdd", "network=text"]),
        ("a.csv", b"created,text\n1,2\n", ["published_at=created"]),
        ("a.csv", b"id,network,text,published_at\r1,x,Acme,2026-01-01T00:00:00Z\r", []),
        ("a.jsonl", b'{"a":1}\n', ["id=b"]),
        ("a.jsonl.gz", b"no gzip", []),
    ],
)
def test_what_a_person_can_mend_is_an_error(tmp_path: Path, name: str, body: bytes | None, maps: list[str]) -> None:
    """A file, column or field that is not there ends with exit code 4."""
    file = tmp_path / name
    if body is not None:
        file.write_bytes(body)
    with pytest.raises(BadInput) as caught:
        list(read_mentions([file], parse_mapping(maps)))
    assert caught.value.exit_code == 4


@given(st.lists(st.binary(max_size=60)))
def test_garbage_is_never_lost_nor_raises(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    """Every line that holds something gives one row."""
    file = tmp_path_factory.mktemp("garbage") / "a.jsonl"
    body = b"\n".join(lines)
    if body[:2] == b"\x1f\x8b":
        return
    file.write_bytes(body)
    assert len(list(read_mentions([file]))) == sum(1 for part in body.split(b"\n") if part.strip())


@pytest.mark.skipif(not AIRLINES.exists(), reason="the folder ../shared/data with the airline tweets is missing")
def test_the_airline_tweets_are_read_whole() -> None:
    """All 7,239 rows of a real export come, in time order."""
    mapping = parse_mapping(["id=tweet_id", "published_at=tweet_created", "author.handle=name"], ["network=x"])
    rows = list(read_mentions([AIRLINES], mapping))
    assert len(rows) == 7239
    assert all(before.published_ms <= after.published_ms for before, after in itertools.pairwise(rows))


@pytest.mark.parametrize(("sign", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
@pytest.mark.parametrize("maps", [(), ("published_at=created_at",)])
def test_a_table_that_is_divided_otherwise_is_said_to_be(tmp_path: Path, sign: str, name: str, maps: tuple[str, ...]) -> None:
    """As a spreadsheet in French writes it: to name its columns would not help."""
    file = tmp_path / "a.csv"
    file.write_text(sign.join(("\ufeffid", "text", "created_at")) + "\n" + sign.join("abc") + "\n", "utf-8")
    with pytest.raises(BadInput, match=f"divided by {name}; write it with commas"):
        list(read_mentions([file], parse_mapping(maps)))
