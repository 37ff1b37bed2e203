"""Whom a mention names."""

from __future__ import annotations

from random import Random

import pytest

from schemas.brand import Brand, Watchlist
from streams.enrich.brands import BrandMatcher
from streams.enrich.fold import fold
from streams.enrich.patterns import match_hash

BRANDS = (
    Brand(
        id="united",
        names=("United Airlines", "United"),
        handles={"*": ("united",)},
        hashtags=("flyunited",),
        exclude=("Manchester United", "United Kingdom"),
        context=("flight", "airport"),
        owned=("united",),
        people=("Jane Example",),
    ),
    Brand(id="cafe", names=("Café Noir",), handles={"mastodon": ("cafenoir",)}),
    Brand(id="hm", names=("H&M",)),
    Brand(id="asahi", names=("朝日",)),
)
MATCHER = BrandMatcher(Watchlist(brands=BRANDS))


def names(text: str, network: str = "twitter", handle: str = "", author_id: str = "") -> list[tuple[str, str]]:
    """Return (brand, how) of a text."""
    return [(m.brand, m.matched) for m in MATCHER.match(text, fold(text), network, handle, author_id)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my United flight is late", [("united", "name")]),
        ("UNITED'S flight", [("united", "name")]),
        ("we stand united", []),
        ("unitedly at the airport", []),
        ("Manchester United at the airport", []),
        ("Manchester United fans on a United flight", [("united", "name")]),
        ("United Airlines again", [("united", "name")]),
        ("@united hello", [("united", "handle")]),
        ("@unitedfan hello", []),
        ("write to info@united for it", []),
        ("#flyunited", [("united", "hashtag")]),
        ("#BoycottUnitedAirlines now", [("united", "hashtag")]),
        ("#boycottunitedairlines now", [("united", "hashtag")]),
        ("#unitedairlinessucks", [("united", "hashtag")]),
        ("#united flight", [("united", "hashtag")]),
        ("#ManchesterUnited flight", []),
        ("#ILoveCafeNoirCoffee", [("cafe", "hashtag")]),
        ("h&m", [("hm", "name")]),
        ("#vive_le_cafe_noir", [("cafe", "hashtag")]),
        ("Jane Example at the airport", [("united", "person")]),
        ("Jane Example at home", []),
        ("cafe noir and CAFÉ NOIR", [("cafe", "name")]),
        ("vu chez h&m hier", [("hm", "name")]),
        ("今日は朝日ビール", [("asahi", "name")]),
        ("nothing here", []),
        ("", []),
    ],
)
def test_text_names_brands(text: str, expected: list[tuple[str, str]]) -> None:
    """A text names exactly the brands that a reader would say, by the strongest way it does."""
    assert names(text) == expected


def test_a_handle_counts_on_its_network_alone() -> None:
    """A handle that is listed for one network is not the brand's on another."""
    assert names("@cafenoir", "mastodon") == [("cafe", "handle")]
    assert names("@cafenoir", "twitter") == []


def test_an_owned_account_speaks_for_the_brand() -> None:
    """A post of an owned account belongs to its brand, whatever it says."""
    assert names("good morning", handle="united") == [("united", "owned")]
    assert names("good morning", author_id="united") == [("united", "owned")]


AMBIGUOUS = BrandMatcher(
    Watchlist(
        brands=(
            Brand(id="free", names=("Free", "Free Mobile"), exclude=("for free",), context=("forfait", "box", "réseau")),
            Brand(id="orange", names=("Orange",), context=("fibre", "forfait")),
            Brand(id="virgin", names=("Virgin", "Virgin America"), context=("flight",)),
            Brand(id="apple", names=("Apple",), context=("iphone", "mac"), exclude=("apple pie",)),
            Brand(id="zara", names=("Zara",), context=("shop", "dress"), exclude=("Zara Larsson",)),
        )
    )
)


@pytest.mark.parametrize(
    ("text", "brand"),
    [
        ("mon forfait Free ne marche plus", "free"),
        ("Free Mobile en panne", "free"),
        ("feel free to come", ""),
        ("a box for free", ""),
        ("la fibre Orange est coupée", "orange"),
        ("une orange bien mûre", ""),
        ("my Virgin flight is late", "virgin"),
        ("extra virgin olive oil", ""),
        ("Virgin America again", "virgin"),
        ("the new Apple iPhone broke", "apple"),
        ("apple pie next to my iphone", ""),
        ("the Zara dress", "zara"),
        ("Zara Larsson in a dress", ""),
        ("Zara is my cousin", ""),
    ],
)
def test_an_ambiguous_name_needs_its_context(text: str, brand: str) -> None:
    """A name that is also a word counts with a context word beside it, and never inside an exclusion."""
    assert [m.brand for m in AMBIGUOUS.match(text, fold(text), "x")] == ([brand] if brand else [])


def test_match_hash_changes_with_what_decides_matches() -> None:
    """The hash changes with names, and not with the alarm budget."""
    brand = Brand(id="a", names=("A",))
    assert match_hash(brand) == match_hash(Brand(id="a", names=("A",), alarms_per_week=3.0))
    assert match_hash(brand) != match_hash(Brand(id="a", names=("A", "B")))


def test_many_brands_match_like_few() -> None:
    """Among twenty thousand brands the right ones are found."""
    many = tuple(Brand(id=f"b{n}", names=(f"Marque{n}",), handles={"*": (f"marque{n}",)}) for n in range(20_000))
    matcher = BrandMatcher(Watchlist(brands=many))
    text = "Marque77 and @marque19999"
    assert [m.brand for m in matcher.match(text, fold(text), "x")] == ["b77", "b19999"]


def test_a_hashtag_beside_a_plain_name_counts() -> None:
    """A hashtag that spells a handle without its underscore names its brand, also where a plain name of another brand stands first."""
    matcher = BrandMatcher(
        Watchlist(brands=(Brand(id="acme", names=("Acme",)), Brand(id="bolt", names=("Bolt SA",), handles={"*": ("go_bo",)})))
    )
    text = "acme is late #gobo"
    assert [(m.brand, m.matched) for m in matcher.match(text, fold(text), "x")] == [("acme", "name"), ("bolt", "hashtag")]


def test_plain_hits_are_read_as_weighing_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 20,000 texts made of names, handles, hashtags, exclusions, context words and marks, the quick way finds what weighing finds."""
    brands = (
        *BRANDS,
        Brand(id="acme", names=("Acme", "Acme Group"), handles={"*": ("acme", "acme_fr")}, hashtags=("acmeday",)),
        Brand(id="bolt", names=("Bolt",), exclude=("Usain Bolt",), people=("Ann Bolter",)),
        Brand(id="twin", names=("Acme Group",)),
    )
    matcher, rng = BrandMatcher(Watchlist(brands=brands)), Random(3)
    pieces = (
        "acme", "Acme Group", "@acme", "@acme_fr", "#acme", "#AcmeDay", "bolt", "Usain Bolt", "Ann Bolter", "united", "Manchester United",
        "flight", "h&m", "朝日", "@united", "@cafenoir", "cafe noir", "x", "é", "a", "_",
    )  # fmt: skip
    marks = (" ", " ", " ", ".", ", ", "'", "@", "#", "-", "", "\u0301", "😀", ".com ", "\u00a0")
    texts = ["".join(rng.choice(pieces) + rng.choice(marks) for _ in range(rng.randrange(1, 7))) for _ in range(20_000)]
    asked = [(text, fold(text), rng.choice(("x", "bluesky", "mastodon"))) for text in texts]
    quick = [matcher.match(*one) for one in asked]
    monkeypatch.setattr("streams.enrich.brands._FEW", 0)
    assert quick == [matcher.match(*one) for one in asked]
    assert len({tuple(found) for found in quick}) > 20
