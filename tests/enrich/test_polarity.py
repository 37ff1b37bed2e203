"""The shipped polarity model: what it says, and that nothing else decides it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.enrich.polarity import SHIPPED, Polarity
from streams.errors import BadInput

MODEL = Polarity.load()
LANGS = st.sampled_from([*MODEL.languages, "", "xx"])
PIECES = ["not", "pas", "@user", "http://x.co", "&amp;", "\\u2019", "😡", "soooo", "#BoycottBrand", ":)", "good", "nul\x00", "!!!"]
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(PIECES), max_size=20).map(" ".join),
)
# Lone surrogates reach the model where a source sent broken JSON escapes.
BROKEN = st.text(st.characters(codec=None, exclude_categories=()), max_size=50)


@pytest.mark.parametrize(
    ("text", "lang", "label"),
    [
        ("I love this, best service ever, thank you!", "en", "positive"),
        ("This is a disgusting scam, worst company, I hate them", "en", "negative"),
        ("Merci beaucoup, service excellent, je suis ravie !", "fr", "positive"),
        ("C'est une honte, une vraie arnaque, service nul", "fr", "negative"),
        ("Furchtbar, so ein schlechter Service, nie wieder", "de", "negative"),
    ],
)
def test_plain_cases(text: str, lang: str, label: str) -> None:
    """A plainly glad or angry text is labelled so."""
    assert MODEL.score([text], [lang])[0][2] == label


def test_unknown_language_abstains() -> None:
    """A text in a language that the model does not know has no polarity."""
    assert MODEL.score(["wonderful", "wonderful"], ["", "zz"]) == [(0, 0, "")] * 2


def test_nothing_to_score() -> None:
    """An empty batch gives an empty list."""
    assert MODEL.score([], []) == []


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.one_of(TEXTS, BROKEN), LANGS), min_size=1, max_size=12))
def test_batch_decides_nothing(batch: list[tuple[str, str]]) -> None:
    """A text's result is the same alone, in any batch and in any order."""
    alone = [MODEL.score([text], [lang])[0] for text, lang in batch]
    assert MODEL.score([text for text, _ in batch], [lang for _, lang in batch]) == alone
    turned = batch[::-1]
    assert MODEL.score([text for text, _ in turned], [lang for _, lang in turned]) == alone[::-1]


@settings(max_examples=150, deadline=None)
@given(st.one_of(TEXTS, BROKEN), LANGS)
def test_numbers_and_label_agree(text: str, lang: str) -> None:
    """Both numbers are thousandths of one distribution, and the label is its likeliest or empty with both numbers 0."""
    negative, positive, label = MODEL.score([text], [lang])[0]
    neutral = 1000 - negative - positive
    assert 0 <= negative <= 1000
    assert 0 <= positive <= 1000
    if label == "":
        assert (negative, positive) == (0, 0)
    else:
        wanted = {"negative": negative, "neutral": neutral, "positive": positive}[label]
        assert wanted >= max(negative, neutral, positive) - 2


def test_only_the_beginning_counts() -> None:
    """A text of 64 KB costs and says what its first thousand characters do."""
    head = "This is bad. " * 100
    assert MODEL.score([head + "x" * 65_000], ["en"]) == MODEL.score([head], ["en"])


def test_addresses_and_names_say_nothing() -> None:
    """Whom a text is addressed to and what it links to do not change its polarity."""
    assert MODEL.score(["@hate_you bad http://love.example/good day"], ["en"]) == MODEL.score(["@anne bad https://x.co day"], ["en"])


def test_escapes_are_read() -> None:
    """A text whose characters are still escaped is read as if they were not."""
    assert MODEL.score(["I can\\u2019t stand it &amp; you"], ["en"]) == MODEL.score(["I can’t stand it & you"], ["en"])


def test_shipped_file_is_small() -> None:
    """The shipped model is one file of at most 5 MB that names its version."""
    assert SHIPPED.stat().st_size <= 5_000_000
    assert MODEL.version.startswith("polarity-")


def test_bad_files_are_refused(tmp_path: Path) -> None:
    """A missing, broken or foreign model file ends in BadInput."""
    (tmp_path / "broken.npz").write_bytes(b"no archive")
    np.savez(tmp_path / "foreign.npz", layout=np.array(99))
    for name in ("missing.npz", "broken.npz", "foreign.npz"):
        with pytest.raises(BadInput):
            Polarity.load(tmp_path / name)
