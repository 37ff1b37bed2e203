"""What the patterns of a watchlist mean, and where a word may begin and end."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import msgspec
import xxhash

from schemas.brand import Brand
from streams.enrich.fold import TOKEN, fold

#: What matched, the strongest first; a brand is reported with the strongest.
MATCHED = ("owned", "handle", "hashtag", "name", "person")
OWNED, HANDLE, HASHTAG, NAME, PERSON = range(5)

NOT_WORD = re.compile(r"[\W_]+")
#: The commonest characters that are in no word.
GAPS = frozenset(" \n\t.,;:!?'\"()#@-/")
_NO_WORD_GAPS = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_BEFORE = re.compile(
    r"^(?:boycott(?:ez|er|e)?|boycot|boicot|boykott|delete|cancel|ban|stop|fuck|shameon|shame|honte|dump|quit|anti|pas)(.{3,})$"
)
_AFTER = re.compile(
    r"^(.{3,}?)(?:sucks|suck|fails|fail|gate|scandal|scandale|boycott|down|scam|exposed|lies|kills|arnaque|honte|isoverparty|crisis|outage|panne)$"
)


class Match(msgspec.Struct, frozen=True, gc=False):
    """One brand that a mention names. ``place`` is the brand's in the watchlist; ``matched`` one of `MATCHED`."""

    place: int
    brand: str
    matched: str


class OwnWords(dict[int, frozenset[str]]):
    """{place of a brand: the folded words of its names, handles and hashtags, which say nothing about a story}, filled as brands come."""

    def __init__(self, brands: Sequence[Brand]) -> None:
        super().__init__()
        self._brands = brands

    def __missing__(self, place: int) -> frozenset[str]:
        brand = self._brands[place]
        handles = [handle for group in brand.handles.values() for handle in group]
        texts = [*brand.names, *handles, *brand.hashtags, *brand.owned]
        found = {word for text in texts for word in TOKEN.findall(fold(text))}
        found |= {NOT_WORD.sub("", fold(text)) for text in texts}
        words = self[place] = frozenset(found)
        return words


class Use(msgspec.Struct, frozen=True, gc=False):
    """What one pattern means for one brand. ``networks`` empty: every network."""

    brand: int
    kind: int
    networks: frozenset[str]
    ambiguous: bool


def inside_word(char: str) -> bool:
    """Say whether a character is part of a word."""
    return char.isalnum() or char == "_" or (char > "\u02ff" and unicodedata.category(char)[0] == "M")


def bound(char: str) -> bool:
    """Say whether a name that begins or ends with ``char`` needs a word boundary there."""
    return inside_word(char) and not _NO_WORD_GAPS.match(char)


def inner_words(word: str) -> tuple[str, ...]:
    """Return what stands in a folded hashtag beside a word of anger: ``boycottunited`` and ``unitedsucks`` give ``united``."""
    return tuple(found[1] for form in (_BEFORE, _AFTER) if (found := form.match(word)) is not None)


def match_hash(brand: Brand) -> str:
    """Return a short hash of everything that decides which mentions match: a change of it rebases the baseline."""
    deciding = (brand.names, sorted(brand.handles.items()), brand.hashtags, brand.exclude, brand.context, brand.owned, brand.people)
    return xxhash.xxh3_64_hexdigest(msgspec.json.encode(deciding))
