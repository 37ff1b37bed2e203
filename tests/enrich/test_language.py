"""Languages."""

from __future__ import annotations

import pytest

from streams.enrich.fold import fold, words_of
from streams.enrich.language import LanguageFinder, normal
from streams.enrich.words import LANGUAGES, stop_words

FINDER = LanguageFinder({language: stop_words(language) for language in LANGUAGES})


def find(text: str, claim: str | None = None) -> str:
    """Return the language of a text."""
    return FINDER.find(text, claim, dict.fromkeys(words_of(fold(text))))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("My flight was cancelled and nobody at the desk could help us with anything", "en"),
        ("Mon colis n'est jamais arrivé et le service client ne répond pas du tout", "fr"),
        ("Das Paket ist immer noch nicht angekommen und niemand antwortet mir", "de"),
        ("El pedido no ha llegado todavía y nadie me contesta por ningún lado", "es"),
        ("Il pacco non è ancora arrivato e nessuno risponde alle mie domande", "it"),
        ("A encomenda ainda não chegou e ninguém responde às minhas mensagens", "pt"),
        ("الطلب لم يصل حتى الآن ولا أحد يرد على رسائلي", "ar"),
        ("मेरा ऑर्डर अभी तक नहीं आया और कोई जवाब नहीं देता", "hi"),
        ("Посылка до сих пор не пришла и никто не отвечает", "ru"),
        ("😀😀 !!!", ""),
        ("", ""),
    ],
)
def test_the_language_of_a_plain_text_is_found(text: str, language: str) -> None:
    """A sentence of an everyday complaint is recognised without any claim."""
    assert find(text) == language


def test_a_claim_is_believed_unless_contradicted() -> None:
    """A short or mixed text keeps the publisher's language; a plain text of another one overrules it."""
    assert find("ok top 👍", "fr-FR") == "fr"
    assert find("Mon colis n'est jamais arrivé et le service client ne répond pas du tout", "en") == "fr"
    assert find("Das Paket ist immer noch nicht angekommen", "de") == "de"


@pytest.mark.parametrize(
    ("claim", "code"), [("EN_us", "en"), ("und", ""), ("qme", ""), ("iw", "he"), ("x", ""), ("1234", ""), ("arz", "ar")]
)
def test_claims_have_one_spelling(claim: str, code: str) -> None:
    """Codes are two or three letters; what is no language is none."""
    assert normal(claim) == code
