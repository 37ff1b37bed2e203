"""Links, near-copies, hashtags and terms."""

from __future__ import annotations

import pytest

from streams.enrich.fold import fold, words_of
from streams.enrich.stories import canonical_url, copy_distance, copy_keys, hashtags_in, without_links
from streams.enrich.words import lexicon

TEXT = "The new bottle of Aqua Verde smells of petrol and my whole family felt sick after drinking it this morning"


def signature(text: str) -> str:
    """Return the near-copy signature of an English text."""
    folded = fold(text)
    return copy_keys([lexicon("en").read(folded, dict.fromkeys(words_of(folded)))[2]])[0]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://WWW.Example.com/a/?utm_source=x&b=2&a=1#top", "https://example.com/a?a=1&b=2"),
        ("https://m.example.com/a", "https://example.com/a"),
        ("https://t.co/AbC123", "https://t.co/AbC123"),
        ("https://youtube.com/watch?v=abc&feature=share", "https://youtube.com/watch?v=abc"),
        ("https://x.com/a/status/1?s=20&t=xyz", "https://x.com/a/status/1"),
        ("https://example.com:443/", "https://example.com"),
        ("www.example.com/x", "https://example.com/x"),
        ("ftp://example.com", ""),
        ("http://[bad", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_links_have_one_spelling(url: str, expected: str) -> None:
    """Trackers, fragments and spelling go; shortened links and what a page needs stay."""
    assert canonical_url(url) == expected


def test_links_are_found_in_texts() -> None:
    """Punctuation after a link is not part of it, and a link that was cut off is left out."""
    text = "see (https://a.example/x), and https://b.example/y\u2026"
    assert without_links(text) == ("see (  and  ", ["https://a.example/x"])


@pytest.mark.parametrize(
    "copy",
    [
        f"RT @someone: {TEXT}",
        TEXT.upper(),
        TEXT + " https://t.co/abc",
        TEXT.replace("whole family", "entire family"),
        TEXT[:90],
    ],
)
def test_near_copies_lie_close(copy: str) -> None:
    """A reshare, a syndicated or a cut text lies within 14 of 64 bits of the original."""
    assert copy_distance(signature(TEXT), signature(copy.replace("https://t.co/abc", " "))) <= 14


def test_other_texts_lie_far() -> None:
    """Texts on other things differ in about half of the bits; a short text is not signed."""
    other = "I waited forty minutes for the night bus in the rain and nobody told us that it had been cancelled"
    assert copy_distance(signature(TEXT), signature(other)) > 18
    assert signature("too short") == ""


def test_terms_are_salient() -> None:
    """Stop words, numbers, handles and short words are no terms."""
    folded = fold("RT @someone: the bottle of 2024 is a BOTTLE, @other ok")
    assert lexicon("en").read(folded, dict.fromkeys(words_of(folded)))[1] == ("bottle",)
    assert hashtags_in("#Honte et #HONTE #été") == ("honte", "ete")
