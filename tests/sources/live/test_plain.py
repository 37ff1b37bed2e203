"""HTML to text: what a reader sees, and whatever a stranger writes ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.sources.live.plain import plain


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("a<br/>b<p>c</p>d", "a\nb\nc\nd"),
        ("<p>Fish &amp; chips&nbsp;&lt;3 &#128512;</p>", "Fish & chips <3 😀"),
        ("a<script>x = '<p>no</p>'</script>b<style>p {}</style>c<!-- <b>no</b> -->d", "abcd"),
        ("<b>bo</b>ld <i>it</i>", "bold it"),
        ("<a href='https://a.example/x?a=1&amp;b=2'>https://a.example/x…</a>", "https://a.example/x?a=1&b=2"),
        ('<a href="https://a.example/">our page</a>', "our page"),
        ('<a href="https://m.example/tags/Acme" class="mention hashtag">#<span>Acme</span></a>', "#Acme"),
        ('<a href="javascript:alert(1)">https://a.example/</a>', "https://a.example/"),
        ('<a href="https://a.example/"></a> and <a name="x">y</a>', "https://a.example/ and y"),
        ("3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
        ("<!DOCTYPE html><?xml?>x", "x"),
        ("a<script>never closed", "a"),
        ("a<!-- never closed", "a"),
    ],
)
def test_what_a_reader_sees(html: str, text: str) -> None:
    """Blocks are lines, entities are letters, scripts and comments are nothing, links that are shown cut are whole."""
    assert plain(html) == text


@given(st.text() | st.lists(st.sampled_from(["<", ">", "</", "<a ", "href='", '"', "<!--", "-->", "<![", "&#", "x", " "])).map("".join))
def test_any_text_has_a_text(html: str) -> None:
    """Nothing is raised, and nothing grows."""
    assert len(plain(html)) <= len(html)


@pytest.mark.parametrize(
    "unit",
    ["<!--", "<a ", "</", "<![", "<a x='", "<script>", "<a href=", "&", "&#", "<" + "a" * 1000, "<a " + "href " * 100, "<a>", "</a>",
     "<a href='http://x'>", " \n", "\u00a0", "<p>", "<script></script>"],
)  # fmt: skip
def test_markup_without_end_ends(unit: str) -> None:
    """What would take hours in the square of its length is read in one pass."""
    assert len(plain(unit * (200_000 // len(unit)))) <= 200_000
