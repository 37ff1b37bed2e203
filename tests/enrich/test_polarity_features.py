"""Hashed features: borders between texts, and what is cut away."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.enrich.polarity_features import NEGATORS, Batch, features, token_hash


def _of(batch: Batch, place: int) -> tuple[list[list[int]], list[list[int]], list[int]]:
    word_ends = np.append(batch.word_starts, len(batch.tokens))
    chars = slice(batch.char_starts[place], batch.char_ends[place])
    words = slice(word_ends[place], word_ends[place + 1])
    return [part[chars].tolist() for part in batch.chars], [part[words].tolist() for part in batch.words], batch.tokens[words].tolist()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
def test_features_stay_inside_their_text(texts: list[str]) -> None:
    """Every feature of a text in a batch is the one it has alone, and every text has at least one position."""
    batch = features(texts)
    assert (batch.lengths > 0).all()
    for place, text in enumerate(texts):
        assert _of(batch, place) == _of(features([text]), 0)


def test_case_and_long_runs_are_folded() -> None:
    """Capitals and the fourth and later equal letters change nothing."""
    assert _of(features(["NOOOOOOOOO"]), 0) == _of(features(["nooo"]), 0)


def test_a_negator_turns_what_follows() -> None:
    """A word after a negator has a feature that the same word alone has not, within reach and not before."""
    turned = features(["bad not good at all today"]).turned
    assert turned.tolist() == [False, False, False, True, True, True, False]


def test_hashtags_are_split_at_capitals() -> None:
    """The words of a hashtag in capitals are tokens of their own."""
    tokens = features(["#BoycottBrand"]).tokens.tolist()
    assert token_hash("boycott") in tokens
    assert token_hash("brand") in tokens


def test_several_tokens_have_no_single_hash() -> None:
    """What a text would split cannot be looked up as one word."""
    assert token_hash("two words") is None
    assert token_hash("") is None


def test_every_negator_turns() -> None:
    """No negator was lost to another: each turns the word after it."""
    for word in NEGATORS:
        assert features([f"{word} xyz"]).turned.tolist() == [False, False, True]
