"""Crisis words and cues, one file a language."""

from __future__ import annotations

import pytest

from streams.enrich.fold import fold, words_of
from streams.enrich.words import CUES, LANGUAGES, lexicon, stop_words

TEXTS = {
    "en": ("I was scammed, the recall came late and a lawsuit follows", {"fraud:scammed", "safety:recall", "cue:first_person"}),
    "fr": ("C'est une honte, arnaque totale, je porte plainte", {"scandal:honte", "fraud:arnaque", "legal:plainte", "cue:first_person"}),
    "de": ("Das ist Betrug, ein Skandal, ich bin Kunde", {"fraud:betrug", "scandal:skandal", "cue:customer", "cue:first_person"}),
    "es": ("Es una vergüenza y una estafa, dicen que es falso", {"scandal:verguenza", "cue:hearsay", "cue:denial"}),
    "it": ("Una truffa, vergogna, ho comprato io", {"scandal:vergogna", "cue:first_person", "cue:customer"}),
    "pt": ("Que vergonha, é golpe, dizem que vazou", {"scandal:vergonha", "fraud:golpe", "cue:hearsay"}),
    "ar": ("هذه فضيحة يجب مقاطعة الشركة", {"scandal:فضيحة", "boycott:مقاطعة"}),
    "hi": ("यह घोटाला है, बहिष्कार करो, मैं ग्राहक", {"scandal:घोटाला", "cue:first_person"}),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_each_language_are_found(language: str) -> None:
    """A text with crisis words and cues of its language gives their labels."""
    text, expected = TEXTS[language]
    folded = fold(text)
    found = set(lexicon(language).read(folded, dict.fromkeys(words_of(folded)))[0])
    assert {fold(label) for label in expected} <= found


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_file_is_complete(language: str) -> None:
    """Every language has a version, stop words and an entry for each cue but the ones that links and signs give."""
    assert lexicon(language).version.startswith(f"{language}-")
    assert len(stop_words(language)) > 50
    assert {f"cue:{cue}" for cue in CUES if cue != "question"} <= lexicon(language).labels()


def test_words_are_found_at_word_boundaries() -> None:
    """A crisis word inside another word is none; a stem with a star finds its longer forms."""
    english = lexicon("en")
    assert "legal:sue" not in english.read("pursue", {"pursue": None})[0]
    assert "boycott:boycott" in english.read("boycotting it", {"boycotting": None, "it": None})[0]


def test_a_full_word_table_forgets_between_texts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a text says does not depend on how many words were seen before it: a table that is full loses no word of the text at hand."""
    english, text = lexicon("en"), "boycott them now said everybody at the quiet harbour"
    words = dict.fromkeys(words_of(text))
    expected = english.read(text, words)
    for limit in range(12):
        monkeypatch.setattr("streams.enrich.words._WORDS_KEPT", limit)
        monkeypatch.setattr("streams.enrich.words._SETS_KEPT", 1)
        english.read("other words of some other text", dict.fromkeys(words_of("other words of some other text")))
        assert english.read(text, words) == expected
    assert "boycott:boycott" in expected[0]
