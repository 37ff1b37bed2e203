"""Folding and cleaning."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from streams.enrich.fold import clean, fold, split_hashtag, without_surrogates


def test_spellings_of_one_word_become_equal() -> None:
    """Case, accents, full-width and stylised letters, ligatures and apostrophes fold to one spelling."""
    assert fold("\u00c9T\u00c9") == fold("e\u0301te\u0301") == "ete"
    assert fold("\uff35\uff4e\uff49\uff54\uff45\uff44") == fold("\U0001d414nited") == "united"
    assert fold("Stra\u00dfe") == "strasse"
    assert fold("l\u2019\u0152uvre") == "l'\u0153uvre"
    assert fold("\u0130stanbul") == "istanbul"


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    """A folded text stays as it is."""
    once = fold(unicodedata.normalize("NFC", text))
    assert fold(once) == once


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_a_clean_text_can_be_written(text: str) -> None:
    """Whatever came in, what is left is UTF-8 in NFC without direction marks."""
    result = clean(without_surrogates(text))
    result.encode()
    assert "\u202e" not in result


@given(st.text(st.sampled_from("a\ud800\udc00\ud83d\ude00\udfff\U0001f600"), max_size=8))
def test_surrogates_are_joined_or_replaced(text: str) -> None:
    """Pairs become their character and lone ones U+FFFD, as the codec does it."""
    assert without_surrogates(text) == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def test_hashtags_are_split_into_words() -> None:
    """Camel case and underscores divide a hashtag."""
    assert split_hashtag("BoycottUnited_now") == "boycott united now"
    assert split_hashtag("SNCFGreve2024") == "sncf greve 2024"
