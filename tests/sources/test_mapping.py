"""Columns to fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.errors import BadInput
from streams.sources.mapping import Mapping, parse_mapping, put, take, typed


def test_words_win_over_the_file(tmp_path: Path) -> None:
    """What is written on the command line replaces what the mapping file says of the same field."""
    file = tmp_path / "map.yaml"
    file.write_text("map: {id: status_id, network: place}\nset: {lang: fr}\n")
    mapping = parse_mapping(["id=tweet_id"], ["network=x"], file)
    assert mapping == Mapping({"id": "tweet_id"}, {"lang": "fr", "network": "x"})


@pytest.mark.parametrize("word", ["id", "=x", "id="])
def test_a_word_without_both_sides_is_refused(word: str) -> None:
    """``--map`` needs a field and a column."""
    with pytest.raises(BadInput):
        parse_mapping([word])


def test_an_unknown_field_names_the_nearest_known() -> None:
    """A misspelt field is answered with the one that was meant."""
    with pytest.raises(BadInput, match=r"author\.followers"):
        parse_mapping(["author.follower=n"])


def test_a_mapping_file_with_other_keys_is_refused(tmp_path: Path) -> None:
    """Only ``map`` and ``set`` may stand in a mapping file."""
    file = tmp_path / "map.yaml"
    file.write_text("columns: {id: a}\n")
    with pytest.raises(BadInput):
        parse_mapping(file=file)
    with pytest.raises(BadInput):
        parse_mapping(file=tmp_path / "missing.yaml")


def test_cells_get_the_type_of_their_field() -> None:
    """Numbers and yes-or-no columns are no texts; what does not fit stays for enrich to refuse."""
    assert typed("author.followers", "12.0") == 12
    assert typed("author.followers", "") is None
    assert typed("author.followers", "many") == "many"
    assert typed("author.verified", "True") is True
    assert typed("author.verified", "0") is False
    assert typed("text", "") == ""
    assert typed("id", 12) == "12"


def test_dotted_fields_make_objects() -> None:
    """A dotted field lies in an object, which is made where it is missing."""
    row: dict[str, object] = {"author": None}
    put(row, "author.handle", "otter")
    assert row == {"author": {"handle": "otter"}}
    assert take(row, "author.handle") == "otter"
    assert take(row, "author.id") is None
    assert take({"a.b": 1}, "a.b") == 1
